"""A question about the past has one answer, whatever the history lies in by now."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from beszel_hub.metrics import ranking, series, series_rollup, series_space, series_upkeep
from beszel_hub.metrics.reader import Range, read_aggregates, read_at
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.series_space import Place
from beszel_hub.metrics.summaries import Bucket
from beszel_hub.metrics.tables import ChunkRow, RollupDue, RollupRow
from beszel_hub.metrics.tiers import DAY_MS, HOUR_MS, MINUTE, RAW, TEN_MINUTES
from beszel_hub.store.database import Database
from beszel_protocol.addresses import parse_addresses
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, Metrics, NetworkMetrics, ServiceMetrics
from tests.support.databases import place_at

DAY = 1_795_305_600_000  # a border of days
STEP_MS = 20_000
SERIES = tuple(
    parse_addresses("cpu.usage_percent,network.bytes_sent,services.failed,containers[job].cpu_percent,fans[none]")
)


def make_metrics(number: int) -> Metrics:
    job = [ContainerMetrics(id="a", name="job", cpu_percent=number % 10)] if number % 50 < 7 else None
    return Metrics(
        cpu=CpuMetrics(usage_percent=number * 7 % 1000 / 10),
        network=NetworkMetrics(bytes_sent=number * 1000 % 1_000_000),
        services=ServiceMetrics(failed=int(number % 97 == 0)),
        containers=job,
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def insert(database: Database, from_ms: int, to_ms: int) -> None:
    rows = [
        NewSample("a", instant, 0, msgspec.json.encode(make_metrics(instant // STEP_MS)))
        for instant in range(from_ms, to_ms, STEP_MS)
    ]
    database.write_now(lambda: series.insert_samples(rows))


def seal(database: Database, before_ms: int) -> None:
    for window in database.read_now(lambda: series_upkeep.find_due(before_ms)):
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))


def roll(database: Database, now_ms: int) -> None:
    while dues := database.read_now(lambda: series_rollup.find_rollups(now_ms)):
        for due in dues:
            ready = database.read_now(partial(series_rollup.roll_up, due))
            database.write_now(partial(series_rollup.store_rollup, ready))


def expire(database: Database, tier: int, before_ms: int) -> None:
    while expired := database.read_now(lambda: series_space.find_expired(Place("a", tier), before_ms)):
        database.write_now(partial(series_space.delete_expired, expired))


def ask(database: Database, from_ms: int, to_ms: int, seconds: int) -> list[list[Bucket]]:
    _, aggregates = database.read_now(lambda: read_at("a", SERIES, Range(from_ms, to_ms), seconds))
    return [[_rounded(bucket) for bucket in aggregate.buckets] for aggregate in aggregates]


def _rounded(bucket: Bucket) -> Bucket:
    return Bucket(bucket.readings, *(round(number, 6) for number in bucket[1:]))


def test_an_answer_is_the_same_at_every_age(database: Database) -> None:
    end = DAY + DAY_MS + 3 * HOUR_MS + 1_000_000
    insert(database, DAY, end)
    resolutions = [60, 300, 600, 3600, 7200, 28_800, 86_400]
    fresh = {seconds: ask(database, DAY + HOUR_MS, end, seconds) for seconds in resolutions}
    for buckets in fresh.values():
        assert sum(bucket.readings for bucket in buckets[0]) >= (end - DAY - HOUR_MS) // STEP_MS

    def check(*kept: int) -> None:
        for seconds in kept:
            assert ask(database, DAY + HOUR_MS, end, seconds) == fresh[seconds], seconds

    seal(database, end - 400_000)
    check(*resolutions)
    roll(database, DAY + 5 * HOUR_MS)
    check(*resolutions)
    roll(database, end)
    check(*resolutions)
    expire(database, RAW, end - 2 * HOUR_MS)
    check(*resolutions)
    expire(database, MINUTE.seconds, end)
    assert database.read_now(lambda: RollupRow.select().where(RollupRow.tier == MINUTE.seconds).count()) == 1
    check(*(seconds for seconds in resolutions if seconds % TEN_MINUTES.seconds == 0))


def test_the_resolution_is_the_finest_that_is_left(database: Database) -> None:
    end = DAY + 20 * DAY_MS
    insert(database, DAY, DAY + HOUR_MS)
    insert(database, end - HOUR_MS, end)
    seal(database, end)
    roll(database, end + DAY_MS)

    def resolution(from_ms: int, to_ms: int) -> int:
        grid, _ = database.read_now(lambda: read_aggregates("a", SERIES, Range(from_ms, to_ms), 5000))
        return grid.resolution_seconds

    assert resolution(DAY, DAY + HOUR_MS) == 20
    expire(database, RAW, end - DAY_MS)
    assert resolution(DAY, DAY + HOUR_MS) == 60
    assert resolution(end - HOUR_MS, end) == 20
    expire(database, MINUTE.seconds, end - DAY_MS)
    assert resolution(DAY, DAY + HOUR_MS) == 600
    assert resolution(end - HOUR_MS, end) == 20
    expire(database, TEN_MINUTES.seconds, end - DAY_MS)
    assert resolution(DAY, DAY + HOUR_MS) == 28_800
    grid, aggregates = database.read_now(lambda: read_aggregates("a", SERIES, Range(DAY, DAY + DAY_MS), 500))
    assert grid.resolution_seconds == 28_800
    assert [bucket.readings for bucket in aggregates[0].buckets] == [180, 0, 0]


def test_a_damaged_roll_up_is_reported_and_left_out(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    insert(database, DAY, DAY + 2 * DAY_MS)
    seal(database, DAY + 2 * DAY_MS)
    roll(database, DAY + 3 * DAY_MS)

    def damage() -> None:
        row = RollupRow.select().where(RollupRow.tier == MINUTE.seconds).order_by(RollupRow.first).first()
        data = bytearray(row.data)
        data[len(data) // 2] ^= 0xFF
        RollupRow.update(data=bytes(data)).where(RollupRow.id == row.id).execute()

    database.write_now(damage)
    cpu = ask(database, DAY, DAY + 2 * DAY_MS, 1800)[0]
    assert {bucket.readings for bucket in cpu} == {90}
    cpu = ask(database, DAY, DAY + 2 * DAY_MS, 900)[0]
    assert [bucket.readings for bucket in cpu] == [0] * 96 + [45] * 96
    assert "damaged" in caplog.text


def test_late_samples_of_a_stored_hour_count_once_they_are_sealed(database: Database) -> None:
    insert(database, DAY, DAY + HOUR_MS)
    seal(database, DAY + HOUR_MS)
    roll(database, DAY + DAY_MS * 2)
    late = [NewSample("a", DAY + 100, 0, msgspec.json.encode(make_metrics(5)))]
    database.write_now(lambda: series.insert_samples(late))
    seal(database, DAY + HOUR_MS)
    assert database.read_now(lambda: ChunkRow.select().count()) == 2
    roll(database, DAY + DAY_MS * 2)
    assert ask(database, DAY, DAY + HOUR_MS, 3600)[0][0].readings == 181
    assert database.read_now(lambda: ChunkRow.select().count()) == 1


def test_what_is_not_sealed_yet_is_not_hidden_by_the_roll_ups_of_its_hour(database: Database) -> None:
    end = DAY + 2 * HOUR_MS
    insert(database, DAY, end)
    for window in database.read_now(lambda: series_upkeep.find_due(end))[::2]:
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    roll(database, DAY + 2 * DAY_MS)
    assert [bucket.readings for bucket in ask(database, DAY, end, 3600)[0]] == [180, 180]
    seal(database, end)
    roll(database, DAY + 2 * DAY_MS)
    assert [bucket.readings for bucket in ask(database, DAY, end, 3600)[0]] == [180, 180]
    assert not database.read_now(lambda: RollupDue.select().count())


def test_no_reading_counts_twice_where_samples_follow_on_roll_ups(database: Database) -> None:
    border, end = DAY + HOUR_MS, DAY + 2 * HOUR_MS
    rows = [
        NewSample("a", instant + 5000, 0, msgspec.json.encode(make_metrics(instant // 60_000)))
        for instant in range(DAY, end, 60_000)
    ]
    early = NewSample("a", border - 30_000, 0, msgspec.json.encode(make_metrics(1)))
    database.write_now(lambda: series.insert_samples([*rows, early]))
    seal(database, border)
    roll(database, border + 300_000)
    grid, aggregates = database.read_now(lambda: read_aggregates("a", SERIES, Range(DAY, end), 120))
    assert grid.resolution_seconds == 60
    assert [bucket.readings for bucket in aggregates[0].buckets] == [1] * 59 + [2] + [1] * 60


def test_a_ranking_reads_what_is_left_of_its_time(database: Database) -> None:
    insert(database, DAY, DAY + 2 * HOUR_MS)
    seal(database, DAY + 2 * HOUR_MS)
    roll(database, DAY + 2 * DAY_MS)
    (cpu,) = parse_addresses("cpu.usage_percent")

    def readings(from_ms: int) -> tuple[int, int]:
        to_ms = from_ms + HOUR_MS

        def read() -> tuple[int, int]:
            seconds = ranking.resolution_for(["a", "none"], from_ms, to_ms)
            query = ranking.RankingQuery(address=cpu, from_ms=from_ms, to_ms=to_ms, by="mean", limit=10)
            return seconds, ranking.read_bucket("a", query, seconds).readings

        return database.read_now(read)

    assert readings(DAY + 60_000) == (60, 180)
    assert readings(DAY + 61_000) == (20, 181)
    expire(database, RAW, DAY + DAY_MS)
    assert readings(DAY + 61_000) == (60, 183)
    expire(database, MINUTE.seconds, DAY + DAY_MS)
    assert readings(DAY + 60_000) == readings(DAY + 61_000) == (600, 210)
