"""Tiers say just what the samples say: whatever comes in whatever order, they equal a recomputation."""

import math
from fractions import Fraction
from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beszel_hub.metrics import series, series_rollup, series_tiers, series_upkeep
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.summaries import NOTHING, Bucket, Summary, gain_over, summarise, trimmed
from beszel_hub.metrics.tables import ChunkRow, RollupDue, RollupRow
from beszel_hub.metrics.tier_codec import seal_tier, unseal_tier
from beszel_hub.metrics.tiers import DAY_MS, EIGHT_HOURS, MINUTE, TEN_MINUTES, TIERS, Tier
from beszel_hub.store.database import Database
from beszel_protocol.addresses import flatten
from beszel_protocol.metrics import Rollup
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, MemoryMetrics, Metrics, NetworkMetrics
from tests.support.databases import place_at

DAY = 1_795_305_600_000  # 2026-11-22T00:00Z, a border of everything but a period of 32 days


def make_metrics(usage: float | None, used: int | None, sent: int | None, names: list[str]) -> Metrics:
    return Metrics(
        cpu=None if usage is None else CpuMetrics(usage_percent=usage),
        memory=None if used is None else MemoryMetrics(used_bytes=used),
        network=None if sent is None else NetworkMetrics(bytes_sent=sent),
        containers=[
            ContainerMetrics(id=name, name=name, cpu_percent=float(len(name))) for name in names
        ] or None,
    )  # fmt: skip


instants = st.integers(0, 26 * 3600 - 1).map(lambda second: DAY + 1000 * second)
some_metrics = st.builds(
    make_metrics,
    st.none() | st.floats(0, 100) | st.integers(0, 10_000).map(lambda hundredths: hundredths / 100),
    st.none() | st.integers(0, 2**53),
    st.none() | st.integers(0, 2**45),
    st.lists(st.sampled_from(["a", "bb", "ccc"]), unique=True),
)
batches = st.lists(st.dictionaries(instants, some_metrics, min_size=1, max_size=25), min_size=1, max_size=4)


class Expected:
    """Every series of all samples, bucket by bucket, by the book."""

    def __init__(self, samples: dict[int, Metrics], tier: Tier) -> None:
        self.readings: dict[str, dict[int, list[float]]] = {}
        self.rollups: dict[str, Rollup] = {}
        for instant in sorted(samples):
            for address, value in flatten(samples[instant]):
                assert address.metric is not None
                self.rollups[str(address)] = address.metric.rollup
                buckets = self.readings.setdefault(str(address), {})
                buckets.setdefault(instant // tier.bucket_ms, []).append(value)

    def check(self, stored: dict[str, Summary]) -> None:
        assert stored.keys() == self.readings.keys()
        for address, summary in stored.items():
            found = {number: bucket for number, bucket in enumerate(summary.buckets, summary.start) if bucket.readings}
            assert found.keys() == self.readings[address].keys()
            for number, readings in self.readings[address].items():
                check_bucket(found[number], readings, summary, self.rollups[address])


def check_bucket(bucket: Bucket, readings: list[float], summary: Summary, rollup: Rollup) -> None:
    unit = 10 ** (summary.places or 0)
    assert bucket.readings == len(readings)
    assert (bucket.low / unit, bucket.high / unit, bucket.last / unit) == (min(readings), max(readings), readings[-1])
    if rollup is Rollup.LAST:
        assert (bucket.first / unit, bucket.gain / unit) == (readings[0], gain_over(readings))
    elif summary.places is None:
        assert math.isclose(bucket.total, math.fsum(readings), rel_tol=1e-12)
    else:
        assert Fraction(int(bucket.total), unit) == sum(Fraction(str(reading)) for reading in readings)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    opened = Database(place_at(tmp_path_factory.mktemp("rollup") / "data.db"))
    opened.open()
    return opened


def forget(database: Database) -> None:
    def delete() -> None:
        for table in (ChunkRow, RollupRow, RollupDue):
            table.delete().execute()

    database.write_now(delete)


def store(database: Database, samples: dict[int, Metrics]) -> None:
    rows = [NewSample("a", instant, 0, msgspec.json.encode(metrics)) for instant, metrics in samples.items()]
    database.write_now(lambda: series.insert_samples(rows))
    for window in database.read_now(lambda: series_upkeep.find_due(2**52)):
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))


def roll(database: Database, now_ms: int = 2**52) -> int:
    rolled = 0
    while dues := database.read_now(lambda: series_rollup.find_rollups(now_ms)):
        for due in dues:
            ready = database.read_now(partial(series_rollup.roll_up, due))
            database.write_now(partial(series_rollup.store_rollup, ready))
            rolled += 1
    return rolled


def stored(database: Database, tier: Tier) -> dict[str, Summary]:
    return database.read_now(lambda: series_tiers.read_summaries("a", tier, DAY - DAY_MS, DAY + 3 * DAY_MS))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches, st.lists(st.booleans(), min_size=4, max_size=4))
def test_tiers_equal_a_recomputation_from_the_samples(
    database: Database, batches: list[dict[int, Metrics]], rolls: list[bool]
) -> None:
    """Batches come late and out of order, some after a roll-up of what was there before."""
    forget(database)
    everything: dict[int, Metrics] = {}
    for batch, rolls_now in zip(batches, rolls, strict=False):
        fresh = {instant: metrics for instant, metrics in batch.items() if instant not in everything}
        everything |= fresh
        store(database, fresh)
        if rolls_now:
            roll(database)
    roll(database)
    for tier in TIERS:
        Expected(everything, tier).check(stored(database, tier))


def test_rolling_up_again_changes_nothing(database: Database) -> None:
    forget(database)
    store(database, {DAY + 1000 * second: make_metrics(second % 7, second, second, ["a"]) for second in range(9000)})
    assert roll(database) == 4
    before = [stored(database, tier) for tier in TIERS]

    def mark() -> None:
        for hour in range(3):
            series_rollup.mark_due("a", 3600, DAY + hour * 3_600_000)

    database.write_now(mark)
    assert roll(database) == 4
    assert [stored(database, tier) for tier in TIERS] == before
    rows = database.read_now(lambda: [(row.tier, row.first) for row in RollupRow.select().order_by(RollupRow.tier)])
    assert [tier for tier, _ in rows] == [60, 600, 28800]


def test_what_is_new_during_a_roll_up_leaves_it_due(database: Database) -> None:
    forget(database)
    store(database, {DAY: make_metrics(1.0, None, None, [])})
    (due,) = database.read_now(lambda: series_rollup.find_rollups(2**52))
    ready = database.read_now(partial(series_rollup.roll_up, due))
    store(database, {DAY + 1000: make_metrics(2.0, None, None, [])})
    database.write_now(partial(series_rollup.store_rollup, ready))
    assert due.start_ms in {left.start_ms for left in database.read_now(lambda: series_rollup.find_rollups(2**52))}
    roll(database)
    assert stored(database, MINUTE)["cpu.usage_percent"].buckets[0].readings == 2


def test_a_span_is_rolled_up_once_it_is_over(database: Database) -> None:
    forget(database)
    store(database, {DAY + 60_000: make_metrics(1.0, None, None, [])})
    assert roll(database, DAY + 3_600_000) == 0
    assert roll(database, DAY + 3_600_000 + series_rollup.LATENESS_MS) == 1
    assert stored(database, TEN_MINUTES) == {}
    assert roll(database, DAY + DAY_MS + series_rollup.LATENESS_MS) == 1
    assert len(stored(database, EIGHT_HOURS)["cpu.usage_percent"].buckets) == 1


def test_samples_later_than_the_retention_are_added_once(database: Database) -> None:
    forget(database)
    store(database, {DAY + 1000 * second: make_metrics(1.0, 5, None, []) for second in range(60)})
    roll(database)

    def delete_raw() -> None:
        ChunkRow.delete().execute()
        series_tiers.raise_floor("a", 0, DAY + 3_600_000)

    database.write_now(delete_raw)
    store(database, {DAY + 60_000 + 1000 * second: make_metrics(3.0, 5, None, []) for second in range(60)})
    store(database, {DAY + 500: make_metrics(9.0, 5, None, [])})
    for _ in range(2):
        roll(database)
        buckets = stored(database, MINUTE)["cpu.usage_percent"].buckets
        assert [(bucket.readings, bucket.high) for bucket in buckets] == [(61, 9), (60, 3)]
        (ten,) = stored(database, TEN_MINUTES)["memory.used_bytes"].buckets
        assert (ten.readings, ten.total) == (121, 605)
    assert database.read_now(lambda: ChunkRow.select().count()) == 0


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(-(2**53), 2**53) | st.integers(0, 300), min_size=1, max_size=9)),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
    st.integers(0, 3) | st.none(),
    st.integers(0, 2**31),
)
def test_a_tier_chunk_gives_back_what_was_sealed(
    minutes: list[tuple[bool, list[int]]], is_counter: bool, places: int | None, start: int
) -> None:
    buckets = [summarise(readings, is_counter=is_counter) if kept else NOTHING for kept, readings in minutes]
    if places is None:
        buckets = [Bucket(bucket.readings, *(float(number) for number in bucket[1:])) for bucket in buckets]
    summary = trimmed(Summary(start, buckets, places, is_counter))
    given = {} if summary is None else {"cpu.usage_percent": summary}
    assert unseal_tier(seal_tier(given).data).summaries() == given


def test_counters_survive_resets() -> None:
    assert gain_over([10, 30, 5, 6]) == 20 + 5 + 1
    assert gain_over([5]) == 0
    assert gain_over([7, 0, 0, 3]) == 3
