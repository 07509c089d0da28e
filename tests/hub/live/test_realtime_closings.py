"""Intervals that are over: rows of statistics, told to who listens and sees the system."""

import asyncio
from typing import Any

import msgspec
import pytest

from beszel_hub.closings import LATENESS_MS, Closings, closed_between
from beszel_hub.metrics.reader import Range
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_protocol.sample import Metrics
from tests.support.containers import make_usage
from tests.support.eventstream import event_stream, with_options
from tests.support.listeners import new_user, request
from tests.support.runninghub import RunningHub
from tests.support.samples import make_metrics

MINUTE = 60_000
HOUR = 60 * MINUTE


class Past:
    """Intervals that closed in the hour before, looked at with a clock of its own."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self.end_ms = hub.hub.clock() // MINUTE * MINUTE - 30 * MINUTE
        self.now_ms = self.end_ms + LATENESS_MS - 1
        self._closings = Closings(
            hub.hub.realtime.rows, hub.hub.database, hub.hub.systems.directory, lambda: self.now_ms
        )

    def sample(self, system_id: str, metrics: Metrics) -> None:
        samples = [
            NewSample(system_id, self.end_ms - MINUTE + second * 1000, 0, msgspec.json.encode(metrics))
            for second in range(60)
        ]
        self.hub.hub.database.write_now(lambda: insert_samples(samples))

    async def look(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)
        await asyncio.to_thread(self.hub.call, self._closings.look())


@pytest.mark.parametrize(
    ("since_ms", "until_ms", "closed"),
    [
        (0, 0, {}),
        (1, MINUTE - 1, {}),
        (MINUTE - 1, MINUTE, {"1m": Range(0, MINUTE)}),
        (MINUTE, MINUTE + 1, {}),
        (MINUTE, 5 * MINUTE, {"1m": Range(4 * MINUTE, 5 * MINUTE)}),
        (
            HOUR - 1, HOUR,
            {"1m": Range(59 * MINUTE, HOUR), "10m": Range(50 * MINUTE, HOUR), "20m": Range(40 * MINUTE, HOUR)},
        ),
    ],
)  # fmt: skip
def test_each_interval_closes_once(since_ms: int, until_ms: int, closed: dict[str, Range]) -> None:
    assert dict(closed_between(since_ms, until_ms)) == closed


def test_a_minute_is_told_as_it_is_listed(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    mine, _ = hub.create_system("measured", user_id)
    hub.refresh()
    past = Past(hub)
    past.sample(mine, msgspec.structs.replace(make_metrics(42.0), containers=[make_usage()]))
    collections = ("system_stats", "container_stats")
    topics = [with_options(f"{name}/*", filter="type = '1m'") for name in collections]

    async def listed(name: str) -> Any:
        return (await request(hub, "GET", f"/api/collections/{name}/records?filter=type='1m'", token))["items"]

    async def run() -> None:
        async with (
            event_stream(hub.url, token, *topics) as stream,
            event_stream(hub.url, other_token, *topics) as other,
        ):
            await past.look(0.001)
            for name, topic in zip(collections, topics, strict=True):
                event = await stream.receive()
                assert (event.name, event.data["action"]) == (topic, "create")
                assert [event.data["record"]] == await listed(name)
            await past.look(1)
            assert await stream.is_quiet(0.2)
            assert await other.is_quiet(0.1)

    asyncio.run(run())
