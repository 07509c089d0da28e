"""Looking back at many systems at once finds what looking at each finds, whatever their history lies in by now."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from beszel_hub.alerts.past import Form, Recalled
from beszel_hub.metrics import series, series_rollup, series_upkeep
from beszel_hub.metrics.lookback import Look, look_back
from beszel_hub.metrics.past import Side, read_past
from beszel_hub.metrics.reader import Range
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.tables import ChunkRow, RollupRow
from beszel_hub.store.database import Database
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import (
    ContainerMetrics,
    CpuMetrics,
    Metrics,
    NetworkMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from tests.support.databases import place_at

DAY = 1_795_305_600_000  # a border of days
HOUR_MS = 3_600_000
STEP_MS = 20_000
SYSTEMS = ("a", "b", "c")


def make_metrics(number: int) -> Metrics:
    job = [ContainerMetrics(id="a", name="job", cpu_percent=number % 10, health="healthy")] if number % 50 < 7 else None
    return Metrics(
        cpu=CpuMetrics(usage_percent=number * 7 % 1000 / 10),
        network=NetworkMetrics(bytes_sent=number * 1000 % 1_000_000),
        services=ServiceMetrics(failed=0, units={"db": ServiceUnitMetrics(state="failed" if number % 2 else "active")}),
        containers=job,
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Three hours: of one system two of them rolled up and the rest sealed but for minutes, of another nothing."""
    made = Database(place_at(tmp_path / "data.db"))
    made.open()
    for number, system_id in enumerate(SYSTEMS):
        rows = [
            NewSample(system_id, instant, 0, msgspec.json.encode(make_metrics(instant // STEP_MS + number)))
            for instant in range(DAY, DAY + 3 * HOUR_MS, STEP_MS)
        ]
        made.write_now(partial(series.insert_samples, rows))
        if system_id == "b":
            continue
        before_ms = DAY + 3 * HOUR_MS - 400_000
        for window in made.read_now(partial(series_upkeep.find_due, before_ms)):
            sealed = made.read_now(partial(series_upkeep.seal_window, window))
            if sealed is not None and sealed.system_id != "b":
                made.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    for due in made.read_now(lambda: series_rollup.find_rollups(DAY + 2 * HOUR_MS + 1)):
        if due.system_id == "a":
            made.write_now(partial(series_rollup.store_rollup, made.read_now(partial(series_rollup.roll_up, due))))
    yield made
    made.close()


def test_history_lies_in_all_there_is(database: Database) -> None:
    assert database.read_now(lambda: {row.system_id for row in RollupRow.select()}) == {"a"}
    assert database.read_now(lambda: {row.system_id for row in ChunkRow.select()}) >= {"a", "c"}


SIDES: dict[str, Side] = {"cpu.usage_percent": "mean", "network.bytes_sent": "mean", "containers[].cpu_percent": "mean"}


@pytest.mark.parametrize(("seconds", "span_ms"), [(1, 70_000), (40, 2_400_000), (60, 3_600_000), (120, 3 * HOUR_MS)])
def test_what_one_system_tells_all_tell(database: Database, seconds: int, span_ms: int) -> None:
    span = Range(DAY + 3 * HOUR_MS - span_ms, DAY + 3 * HOUR_MS)
    looks = [Look(system_id, SIDES, span, seconds) for system_id in SYSTEMS]
    together = database.read_now(lambda: look_back(looks))
    for look, found in zip(looks, together, strict=True):
        alone = database.read_now(
            partial(lambda look: list(read_past(look.system_id, look.sides, span, seconds)), look)
        )
        assert [one[:3] for one in told(found.samples)] == [one[:3] for one in told(alone)]
        for (*_, mine), (*_, theirs) in zip(told(found.samples), told(alone), strict=True):
            assert mine == pytest.approx(theirs)
        assert len(alone) == min(span_ms // STEP_MS, span_ms // (1000 * seconds))


@pytest.mark.parametrize("seconds", [20, 40, 60])
@pytest.mark.parametrize("side", ["mean", "least", "greatest", "last"])
def test_series_are_those_of_the_samples(database: Database, side: Side, seconds: int) -> None:
    span = Range(DAY + 2 * HOUR_MS - 10_000, DAY + 3 * HOUR_MS)
    forms: tuple[Form, ...] = ("series", "samples")
    sides: dict[str, Side] = {"cpu.usage_percent": side, "network.bytes_sent": side}
    looks = [Look(system_id, sides, span, seconds, form) for system_id in SYSTEMS for form in forms]
    found = database.read_now(lambda: look_back(looks))
    for as_series, as_samples in zip(found[::2], found[1::2], strict=True):
        assert {str(address) for address in as_series.series} == set(sides)
        for address, stretches in as_series.series.items():
            expected = told(as_samples.samples)
            assert [one[:3] for one in stretches] == [one[:3] for one in expected]
            assert [one.value for one in stretches] == pytest.approx([one[3][str(address)] for one in expected])
            assert len(stretches) == 3600 // seconds


def test_single_samples_are_as_they_were(database: Database) -> None:
    span = Range(DAY + 3 * HOUR_MS - 900_000, DAY + 3 * HOUR_MS - 60_000)
    looks = [Look(system_id, {"services.units[].state": "last"}, span, 1, "single samples") for system_id in SYSTEMS]
    for number, found in enumerate(database.read_now(lambda: look_back(looks))):
        states = [(one.from_ms, state_of(one.metrics)) for one in found.samples]
        assert states == [
            (instant, "failed" if (instant // STEP_MS + number) % 2 else "active")
            for instant in range(span.from_ms, span.to_ms, STEP_MS)
        ]


def told(samples: Sequence[Recalled]) -> list[tuple[int, int, int, dict[str, float]]]:
    return [
        (one.from_ms, one.to_ms, one.readings, {str(address): value for address, value in flatten(one.metrics)})
        for one in samples
    ]


def state_of(metrics: Metrics) -> str | None:
    units = None if metrics.services is None else metrics.services.units
    return None if units is None else units["db"].state
