"""Somebody keeps the client open all day: ten thousand seconds of a live fleet, and the memory stays where it was."""

import asyncio
import gc
import os
import random
import sys
from pathlib import Path

import pytest

from beszel_protocol.feed import FleetRow
from beszel_tui import bridge
from tests.support.pilotapp import Client, running_client
from tests.support.scriptedsource import make_row
from tests.tui.screens.test_system import make_metrics

TICKS = 10_000
SYSTEMS = 60
WARM_TICKS = 2_000
"""Until sparklines, live columns and caches have the length that they keep."""
MOST_GROWTH_MIB = 4.0


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def rows_at(at_ms: int, dice: random.Random) -> list[FleetRow]:
    return [
        make_row(f"host-{number:02}", cpu=dice.uniform(0, 100), memory=dice.uniform(20, 80), at_ms=at_ms)
        for number in range(SYSTEMS)
    ]


async def tick(client: Client, dice: random.Random) -> None:
    """One second: the fleet, and a sample of the system that is open."""
    clock, source = client.source.clock, client.source
    clock.advance(1)
    source.tell(*rows_at(clock(), dice))
    if source.watched is not None:
        source.sample(source.watched, make_metrics(dice.uniform(0, 100)))
    await client.until(lambda: client.app.bridge.state.now_ms == clock() and source.events.empty())
    await client.pilot.pause()


@pytest.mark.endurance
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_ticks_leave_the_memory_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "BATCH_SECONDS", 0.0)
    dice = random.Random(8)  # noqa: S311 (numbers to look at)
    told: list[tuple[int, float]] = []

    async def main() -> None:
        async with running_client(tmp_path, *rows_at(0, dice)) as client:
            for number in range(1, TICKS + 1):
                await tick(client, dice)
                if number % 500 == 250:  # half of the time on the charts of a system
                    await client.press("enter")
                    await client.until(lambda: client.source.watched)
                elif number % 500 == 0:
                    await client.press("escape")
                    await client.until(lambda: client.fleet)
                    told.append((number, resident_mib()))
                    print(f"| {number:,} | {told[-1][1]:.1f} |", flush=True)  # noqa: T201 (the table of docs/benchmarks.md)

    asyncio.run(main())
    warm = next(mib for number, mib in told if number >= WARM_TICKS)
    assert told[-1][1] - warm <= MOST_GROWTH_MIB
