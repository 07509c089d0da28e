"""The hub is away for a long time and the agent is killed meanwhile: afterwards the hub has every sequence, once."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from beszel_agent.spool.disk import DiskSpool
from beszel_protocol.messages import MAX_BATCH_BYTES, Gap, Sample, encode
from beszel_protocol.timestamps import parse_timestamp
from tests.support.linkagent import linked
from tests.support.linkhub import LinkHub
from tests.support.programs import free_port
from tests.support.runningagent import started
from tests.support.samples import NOON_MS, make_sample

OUTAGE_SECONDS = 1200


def run(work: Coroutine[Any, Any, None], timeout_seconds: float = 60) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(timeout_seconds):
            await work

    asyncio.run(bounded())


def opened(directory: Path, second: int, boot_id: str = "boot-1") -> DiskSpool:
    return DiskSpool(directory, boot_id=boot_id, instant_ms=NOON_MS + 1000 * second, boot_ms=1000 * second)


def collect(spool: DiskSpool, first: int, last: int) -> None:
    """A sample a second, of which no second passes."""
    for second in range(first, last + 1):
        instant_ms = NOON_MS + 1000 * second
        spool.append(
            lambda sequence, instant_ms=instant_ms: encode(make_sample(sequence, instant_ms)),  # type: ignore[misc]
            instant_ms=instant_ms,
            boot_ms=1000 * second,
        )


def test_twenty_minutes_away_and_killed_in_the_middle(tmp_path: Path) -> None:
    """With a clock that runs as fast as samples can be made."""

    async def main() -> None:
        hub = LinkHub()
        collect(opened(tmp_path, 0), 1, 600)  # its process is killed: nothing is closed, nothing is synced
        spool = opened(tmp_path, 600)
        collect(spool, 601, OUTAGE_SECONDS)
        async with hub.running(), linked(hub, spool=spool) as agent:
            await agent.until_confirmed()
        assert sorted(hub.sequences()) == list(range(1, OUTAGE_SECONDS + 1))
        assert hub.sequences()[0] == OUTAGE_SECONDS  # what is live does not wait for what is old
        instants = [parse_timestamp(sample.timestamp) for sample in sorted(hub.samples, key=lambda s: s.sequence)]
        assert instants == [NOON_MS + 1000 * second for second in range(1, OUTAGE_SECONDS + 1)]

    run(main())


def test_a_reboot_in_the_middle(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        collect(opened(tmp_path, 0), 1, 600)
        spool = opened(tmp_path, 0, boot_id="boot-2")
        collect(spool, 1, 600)
        async with hub.running(), linked(hub, spool=spool) as agent:
            await agent.until_confirmed()
        assert set(Counter(hub.sequences()).values()) == {1}
        assert len(hub.samples) == 1200
        old = {sequence for batch, boot_id in zip(hub.batches, hub.batch_boots, strict=True) if boot_id
               for sequence in batch}  # fmt: skip
        assert old == set(range(1, 601))

    run(main())


def test_live_samples_overtake_a_backlog(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub(acknowledges=False)
        spool = opened(tmp_path, 0)
        collect(spool, 1, 3000)
        async with hub.running(), linked(hub, spool=spool) as agent:
            await hub.until("a first batch", lambda: len(hub.batches) == 1)
            for second in range(3001, 3011):
                collect(spool, second, second)
                assert agent.link is not None
                agent.link.wake()
                await hub.until("the live one", lambda second=second: second in hub.sequences())  # type: ignore[misc]
            assert len(hub.batches) == 1
            hub.acknowledges = True
            await hub.acknowledge()
            await agent.until_confirmed()
            assert max(hub.batch_bytes) <= MAX_BATCH_BYTES + 1024

    run(main())


async def kill_and_return(home: Path, outage_seconds: float) -> LinkHub:
    """A real agent: known to its hub, then alone, killed half-way, started again, and the hub returns."""
    hub = LinkHub(port=free_port())
    timeout_seconds = outage_seconds + 30
    async with started(hub, home) as agent:
        async with hub.running():
            await hub.until("two samples", lambda: len(hub.samples) >= 2)
        await asyncio.sleep(outage_seconds / 2)
        agent.send_signal(signal.SIGKILL)
        await agent.wait()
    async with started(hub, home) as agent:
        await asyncio.sleep(outage_seconds / 2)
        async with hub.running():
            await hub.until("it is back", lambda: len(hub.enrolments) >= 2, 310)
            newest = max(hub.sequences())
            await hub.until(
                "the outage is filled",
                lambda: newest < max(hub.sequences()) == len(set(hub.sequences())),
                timeout_seconds,
            )
            agent.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(agent.wait(), 5) == 0
    return hub


def check(hub: LinkHub, least_samples: int) -> None:
    assert len({spool_id for spool_id, _ in hub.records}) == 1
    assert not [record for _, record in hub.records if isinstance(record, Gap)]
    samples: dict[int, Sample] = {}
    for sample in hub.samples:  # one that was not confirmed in time may come again, and is the same
        assert samples.setdefault(sample.sequence, sample) == sample
    assert sorted(samples) == list(range(1, max(samples) + 1))
    assert len(samples) >= least_samples


def test_a_killed_agent_has_lost_nothing_when_the_hub_returns(tmp_path: Path) -> None:
    async def main() -> None:
        check(await kill_and_return(tmp_path, 5.0), least_samples=5)

    run(main())


@pytest.mark.endurance
@pytest.mark.timeout(0)
def test_twenty_minutes_for_real(tmp_path: Path) -> None:
    async def main() -> None:
        began = time.monotonic()
        hub = await kill_and_return(tmp_path, OUTAGE_SECONDS)
        assert time.monotonic() - began > OUTAGE_SECONDS
        check(hub, least_samples=OUTAGE_SECONDS - 20)

    run(main(), OUTAGE_SECONDS + 600)
