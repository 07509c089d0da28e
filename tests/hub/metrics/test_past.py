"""History put together again as samples."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from beszel_hub.metrics.past import assemble, read_past
from beszel_hub.metrics.reader import Range
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.store.database import Database
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import Metrics
from tests.support.databases import place_at
from tests.support.samples import NOON_MS, any_metrics, make_metrics


@given(any_metrics)
def test_assembling_is_flattening_the_other_way_round(metrics: Metrics) -> None:
    values = list(flatten(metrics))
    assert list(flatten(assemble(values))) == values


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(place_at(tmp_path / "data.db"))
    made.open()
    rows = [
        NewSample("a", NOON_MS + second * 1000, 0, msgspec.json.encode(make_metrics(float(second % 60))))
        for second in range(0, 300, 5)
        if not 120 <= second < 180
    ]
    made.write_now(lambda: insert_samples(rows))
    yield made
    made.close()


@pytest.mark.parametrize(("side", "expected"), [("mean", 27.5), ("least", 0.0), ("greatest", 55.0), ("last", 55.0)])
def test_a_bucket_is_a_sample(database: Database, side: str, expected: float) -> None:
    sides = {"cpu.usage_percent": side, "cpu.load_average[]": side, "disk[].usage_percent": side}
    span = Range(NOON_MS, NOON_MS + 300_000)
    past = database.read_now(lambda: list(read_past("a", sides, span, 60)))  # type: ignore[arg-type]
    assert [(one.from_ms - NOON_MS) // 60_000 for one in past] == [0, 1, 3, 4]
    assert {one.readings for one in past} == {12}
    for one in past:
        assert one.metrics.cpu is not None
        assert one.metrics.cpu.usage_percent == expected
        assert one.metrics.cpu.load_average == [0.8, 0.6, 0.4]
        assert one.metrics.memory is None
        assert {mount: disk.usage_percent for mount, disk in (one.metrics.disk or {}).items()} == {
            "/": 30.0, "/mnt/v1.2": 50.0,
        }  # fmt: skip


def test_single_samples(database: Database) -> None:
    span = Range(NOON_MS + 10_000, NOON_MS + 21_000)
    past = database.read_now(partial(lambda: list(read_past("a", {"cpu.usage_percent": "mean"}, span, 1))))
    assert [(one.from_ms - NOON_MS, one.metrics.cpu and one.metrics.cpu.usage_percent) for one in past] == [
        (10_000, 10.0), (15_000, 15.0), (20_000, 20.0),
    ]  # fmt: skip
