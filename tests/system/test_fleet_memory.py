"""The installed terminal client on a real screen all day, before three real agents and two hundred simulated ones.

The hub tells its fleet twenty times a second instead of once, so that a day's look takes some minutes.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psutil
import pytest

from beszel_hub.systems import tokens
from tests.support.crowd import crowd
from tests.support.programs import clean_environment, program, running, wait_until
from tests.support.runninghub import RunningHub, running_hub
from tests.support.terminal import open_terminal

pytestmark = [pytest.mark.system, pytest.mark.endurance, pytest.mark.timeout(7200)]

TICKS = 10_000
WARM_TICKS = 2_000
"""Until sparklines and caches have the length that they keep."""
MOST_GROWTH_MIB = 6.0
REAL = [f"real-{number}" for number in range(1, 4)]
SIMULATED = [f"sim-{number:03d}" for number in range(1, 201)]
ALL = len(REAL) + len(SIMULATED)


@pytest.fixture(name="hub")
def with_everybody(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path / "hub") as hub, ExitStack() as stack:
        owner = hub.create_user("ada@example.org", "admin")
        headers = {"Authorization": hub.create_token(owner)}
        universal = hub.hub.database.write_now(lambda: tokens.issue_universal_token(hub.hub.secret, owner, 1))
        hub.refresh()
        key = httpx2.get(f"{hub.url}/api/beszel/getkey", headers=headers).json()["key"]
        for name in REAL:
            _, token = hub.create_system(name, owner)
            settings = {"KEY": key, "TOKEN": token, "HUB_URL": hub.url, "DATA_DIR": str(tmp_path / name)}
            environment = clean_environment(tmp_path, **settings)
            stack.enter_context(running([program("beszel-agent"), "run"], environment, tmp_path / f"{name}.log"))
        stack.enter_context(crowd(hub.url, universal, SIMULATED))
        yield hub


def count_ticks(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the hub has told its fleet, as one number that grows."""
    ticks, tick = [0], hub.hub.broker.tick

    def counted() -> None:
        tick()
        ticks[0] += 1

    monkeypatch.setattr(hub.hub.broker, "tick", counted)
    return ticks


def test_ten_thousand_ticks_leave_the_memory_of_the_program_flat(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = hub.create_user("otto@example.org", "admin")
    environment = clean_environment(tmp_path, BESZEL_HUB=hub.url, BESZEL_TOKEN=hub.create_token(owner))
    hub.refresh()
    ticks = count_ticks(hub, monkeypatch)
    told: dict[int, float] = {}
    with open_terminal([program("beszel-tui")], environment) as terminal:
        wait_until("everybody is up", lambda: f"{ALL} ● up" in terminal.text(), timeout_seconds=120)
        client, first = psutil.Process(terminal.pid), ticks[0]
        for number in range(0, TICKS + 1, TICKS // 20):
            painted = terminal.bytes_received
            wait_until("the hub has told", lambda number=number: ticks[0] >= first + number, timeout_seconds=600)  # type: ignore[misc]
            wait_until("the client has painted", lambda painted=painted: terminal.bytes_received > painted)  # type: ignore[misc]
            terminal.send("\r" if number // (TICKS // 20) % 2 == 0 else "\x1b")  # half of the time on a system's charts
            told[number] = client.memory_info().rss / (1 << 20)
            print(f"| {number:,} | {told[number]:.1f} |", flush=True)  # noqa: T201 (as of the other endurance test)
        terminal.send("\x1b")
        wait_until("all of them are there", lambda: f"{ALL} ● up" in terminal.text())
        terminal.wait_for("● live")
    warm = next(mib for number, mib in told.items() if number >= WARM_TICKS)
    assert told[TICKS] - warm <= MOST_GROWTH_MIB
