"""A hub with some history of two systems, to be exported."""

import csv
import io
from typing import Any, Final, NamedTuple

import httpx2
import msgspec

from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.series_upkeep import find_due, replace_by_chunk, seal_window
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import Metrics
from tests.support.runninghub import RunningHub
from tests.support.samples import NOON_MS, make_metrics

EXPORT: Final = "/api/beszel/export"
COUNT: Final = 360
"""Samples of each system, one a second from noon on."""


class Shelf(NamedTuple):
    first: str
    """The system that comes first in an export."""
    second: str
    from_ms: int = NOON_MS
    to_ms: int = NOON_MS + 1000 * COUNT


def cpu_percent(index: int) -> float:
    return float(index % 100)


def fill_history(hub: RunningHub) -> Shelf:
    first, second = sorted(hub.create_system(name)[0] for name in ('=cmd|"/c calc"!A1', "plain"))
    for system_id in (first, second):
        store(hub, system_id, [(NOON_MS + 1000 * index, make_metrics(cpu_percent(index))) for index in range(COUNT)])

    def seal_half() -> None:
        for window in find_due(NOON_MS + 300_000):
            sealed = seal_window(window)
            assert sealed is not None
            replace_by_chunk(sealed)

    hub.hub.database.write_now(seal_half)
    return Shelf(first, second)


def store(hub: RunningHub, system_id: str, samples: list[tuple[int, Metrics]]) -> None:
    rows = [NewSample(system_id, instant_ms, 0, msgspec.json.encode(metrics)) for instant_ms, metrics in samples]
    hub.hub.database.write_now(lambda: insert_samples(rows))


def series_of_one_sample() -> int:
    return len(list(flatten(make_metrics())))


def fetch(client: httpx2.Client, shelf: Shelf, **parameters: Any) -> bytes:
    """The whole span of the shelf unless told otherwise."""
    answer = client.get(EXPORT, params={"from": shelf.from_ms, "to": shelf.to_ms, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.content


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def read_json_lines(content: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in content.splitlines()]


def arrive(hub: RunningHub, sample: LiveSample) -> None:
    """As a record of an agent does, after it was received."""

    async def tell() -> None:
        for listener in hub.hub.ingest.on_sample:
            listener(sample)

    hub.call(tell())
