"""What an agent sends is stored once, whatever happens on the way. Over real sockets into a real database."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from beszel_hub.errors import Unavailable
from beszel_hub.metrics.series import read_entries
from beszel_hub.metrics.series_codec import Entry
from beszel_hub.metrics.tables import Happening, HotSample
from beszel_hub.systems.tables import SystemRow
from beszel_protocol.messages import Event, Gap, Sample, encode
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub
from tests.support.samples import make_sample

FAR_MS = 2**52


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sample(sequence: int, age_seconds: float = 0.0) -> Sample:
    """A sample as an agent whose boot clock stands at one hour and a second per sequence would make it."""
    made = make_sample(sequence, now_ms() - round(age_seconds * 1000))
    return msgspec.structs.replace(made, boot_ms=3_600_000 - round(age_seconds * 1000))


def stored(hub: RunningHub, system_id: str) -> list[Entry]:
    entries = hub.hub.database.read_now(lambda: list(read_entries(system_id, 0, FAR_MS)))
    return sorted(entries, key=lambda entry: entry.instant_ms)


def test_a_sample_that_comes_three_times_is_stored_once(hub: RunningHub) -> None:
    system_id, token = hub.create_system("thrice")
    agent = LinkAgent(hub.link_url, token)
    one = sample(1)

    async def run() -> None:
        async with agent.enrolled() as connection:
            await connection.send(one)
            await connection.send(one)
            await connection.await_stored((1, 1))
        async with agent.enrolled() as connection:
            assert list(connection.stored) == [(1, 1)]
            await connection.send_batch(one)
            connection.stored = type(connection.stored)()
            await connection.await_stored((1, 1))

    asyncio.run(run())
    assert len(stored(hub, system_id)) == 1


def test_records_in_any_order_are_all_stored(hub: RunningHub) -> None:
    system_id, token = hub.create_system("disorder")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send(sample(9))
            await connection.send_batch(sample(4, 5), sample(2, 7), sample(3, 6))
            await connection.send(sample(10))
            await connection.send_batch(sample(1, 8))
            await connection.await_stored((1, 4), (9, 10))

    asyncio.run(run())
    assert len(stored(hub, system_id)) == 6


def test_what_is_stored_is_what_was_sent(hub: RunningHub) -> None:
    system_id, token = hub.create_system("faithful")
    one = sample(1)

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send(one)
            await connection.await_stored((1, 1))

    asyncio.run(run())
    (entry,) = stored(hub, system_id)
    assert entry.document == msgspec.to_builtins(one.metrics)
    assert format_timestamp(entry.instant_ms) == one.timestamp


INVALID = [
    b'{"type":"sample","sequence":2,"timestamp":"yesterday","boot_ms":1,"metrics":{}}',
    b'{"type":"sample","sequence":2,"timestamp":5,"boot_ms":1,"metrics":{}}',
    b'{"type":"sample","sequence":2,"timestamp":"2026-01-01T00:00:00Z","boot_ms":1,"metrics":{"cpu":"hot"}}',
    b'{"type":"gap","sequence":2,"from":"x","to":"y","reason":"z"}',
]
UNKNOWN = b'{"type":"poem","sequence":2}'
"""Outside of a batch this is no record."""


@pytest.mark.parametrize(
    ("bad", "in_batch"), [*((bad, False) for bad in INVALID), *((bad, True) for bad in (*INVALID, UNKNOWN))]
)
def test_an_invalid_record_is_consumed_and_spoils_no_other(hub: RunningHub, bad: bytes, in_batch: bool) -> None:
    system_id, token = hub.create_system("invalid")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            if in_batch:
                good = [encode(sample(sequence, 10 - sequence)) for sequence in (1, 3)]
                await connection.send_frame(b'{"type":"samples","records":[%b,%b,%b]}' % (good[0], bad, good[1]))
            else:
                await connection.send(sample(1, 9))
                await connection.send_frame(bad)
                await connection.send(sample(3, 7))
            await connection.await_stored((1, 3))

    asyncio.run(run())
    assert len(stored(hub, system_id)) == 2


def test_events_and_gaps_share_the_sequence_and_are_kept(hub: RunningHub) -> None:
    system_id, token = hub.create_system("eventful")
    gap = Gap(sequence=2, from_="2026-01-01T00:00:00Z", to="2026-01-01T01:00:00Z", reason="spool full")
    event = Event(
        sequence=3, timestamp=format_timestamp(now_ms()), boot_ms=3_600_000, kind="container_died", subject="web"
    )

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send(sample(1))
            await connection.send(gap)
            await connection.send(event)
            await connection.await_stored((1, 3))

    asyncio.run(run())
    rows = hub.hub.database.read_now(lambda: list(Happening.select().where(Happening.system_id == system_id)))
    assert sorted(msgspec.json.decode(row.body)["type"] for row in rows) == ["event", "gap"]
    assert len(stored(hub, system_id)) == 1


def test_a_paused_system_acknowledges_and_stores_nothing(hub: RunningHub) -> None:
    system_id, token = hub.create_system("paused")
    hub.hub.database.write_now(lambda: SystemRow.update(status="paused").where(SystemRow.id == system_id).execute())
    hub.refresh()

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            for sequence in range(1, 4):
                await connection.send(sample(sequence))
            await connection.await_stored((1, 3))

    asyncio.run(run())
    assert stored(hub, system_id) == []


def test_a_wrong_clock_is_replaced_by_the_hubs_and_marked(hub: RunningHub) -> None:
    system_id, token = hub.create_system("skewed")
    wrong = msgspec.structs.replace(sample(1), timestamp="1970-01-01T00:05:00Z")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send(wrong)
            await connection.await_stored((1, 1))

    asyncio.run(run())
    (entry,) = stored(hub, system_id)
    assert abs(entry.instant_ms - now_ms()) < 10_000
    assert entry.mark == 1


def test_records_of_an_earlier_boot_keep_their_own_time_and_are_marked(hub: RunningHub) -> None:
    """Also of a spool that the hub has never heard of: it may have been away since before the restart."""
    system_id, token = hub.create_system("rebooted")
    yesterday = [sample(sequence, age_seconds=86_400 - sequence) for sequence in (1, 2)]
    old = [msgspec.structs.replace(item, boot_ms=900_000_000 + item.sequence) for item in yesterday]

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send_batch(*old, boot_id="boot-0")
            await connection.send_batch(sample(3, age_seconds=5), boot_id="boot-1")
            await connection.await_stored((1, 3))

    asyncio.run(run())
    entries = stored(hub, system_id)
    assert [entry.mark for entry in entries] == [2, 2, 0]
    assert [entry.instant_ms for entry in entries[:2]] == [parse_timestamp(item.timestamp) for item in old]


def test_a_board_without_a_battery_that_was_restarted_is_not_taken_to_1970(hub: RunningHub) -> None:
    """Its spool has records of two boots, and those of this one were made before it learned the time."""
    system_id, token = hub.create_system("board")
    unset = msgspec.structs.replace(sample(2), timestamp="1970-01-01T00:05:00Z")

    async def run() -> None:
        agent = LinkAgent(hub.link_url, token)
        agent.boot_id = "boot-0"
        async with agent.enrolled() as connection:
            await connection.send(sample(1))
            await connection.await_stored((1, 1))
        agent.boot_id = "boot-1"
        async with agent.enrolled() as connection:
            await connection.send_batch(unset)
            await connection.await_stored((2, 2))

    asyncio.run(run())
    assert all(abs(entry.instant_ms - now_ms()) < 10_000 for entry in stored(hub, system_id))


def test_an_agent_reaches_no_rows_but_its_own(hub: RunningHub) -> None:
    """Whatever it says about systems inside its records."""
    mine, token = hub.create_system("mine")
    other, _ = hub.create_system("other")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            frame = msgspec.json.decode(encode(sample(1))) | {"system": other, "system_id": other}
            await connection.send_frame(msgspec.json.encode(frame))
            await connection.await_stored((1, 1))

    asyncio.run(run())
    assert len(stored(hub, mine)) == 1
    assert stored(hub, other) == []


def test_hostile_names_arrive_without_escape_codes(hub: RunningHub) -> None:
    system_id, token = hub.create_system("hostile")
    frame = msgspec.json.decode(encode(sample(1)))
    frame["metrics"]["temperatures"] = {"\x1b[31mred\u202e": 40.0, "x" * 10_000: 41.0, "nan": -1e9}

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await connection.send_frame(msgspec.json.encode(frame))
            await connection.await_stored((1, 1))

    asyncio.run(run())
    (entry,) = stored(hub, system_id)
    assert entry.document["temperatures"] == {"[31mred": 40.0, "x" * 256: 41.0}


def test_a_long_backlog_is_stored_completely(hub: RunningHub) -> None:
    system_id, token = hub.create_system("backlog")
    count = 3000

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            for first in range(1, count + 1, 100):
                batch = [sample(sequence, count + 10 - sequence) for sequence in range(first, first + 100)]
                await connection.send_batch(*batch)
            await connection.await_stored((1, count))

    asyncio.run(run())
    hot = hub.hub.database.read_now(lambda: HotSample.select().where(HotSample.system_id == system_id).count())
    assert len(stored(hub, system_id)) == count
    assert hot <= count


def test_a_commit_that_failed_or_only_seemed_to_is_made_good(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first write is done but its answer lost, the second not done at all; the agent comes again each time."""
    system_id, token = hub.create_system("unlucky")
    agent = LinkAgent(hub.link_url, token)
    database = hub.hub.database
    write, fates = database.write, ["answer lost", "not done"]

    async def unlucky(call: Callable[[], Any]) -> Any:
        fate = fates.pop(0) if fates and "store_arrivals" in call.__code__.co_names else ""
        result = None if fate == "not done" else await write(call)
        if fate:
            raise Unavailable
        return result

    async def run() -> None:
        async with agent.enrolled():
            monkeypatch.setattr(database, "write", unlucky)
        one = agent.sample(1)
        for _ in range(2):
            async with agent.enrolled() as connection:
                await connection.send(one)
                assert await connection.close_code() == 1013
        async with agent.enrolled() as connection:
            await connection.send(one)
            await connection.await_stored((1, 1))

    asyncio.run(run())
    assert fates == []
    assert len(stored(hub, system_id)) == 1
