"""What goes, when, and in which order; what has to stay."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beszel_hub.metrics import series, series_space, upkeep
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.tables import ChunkRow, HotSample, RollupRow
from beszel_hub.metrics.tiers import DAY_MS, DAY_SECONDS, HOUR_MS, MINUTE, TEN_MINUTES, Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.database import Database
from tests.support.databases import IS_POSTGRESQL, place_at
from tests.support.samples import make_metrics

DAY = 1_795_305_600_000  # a border of days


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


class Keeper:
    """Upkeep at an instant of the test's choice."""

    def __init__(self, database: Database, retention: Retention, max_bytes: int | None = None) -> None:
        self.now_ms = DAY
        self.own: dict[str, dict[str, int | None]] = {}
        self.upkeep = Upkeep(
            database, lambda: self.now_ms, retention, read_overrides=lambda: self.own, max_bytes=max_bytes
        )

    def keep(self, now_ms: int) -> None:
        self.now_ms = now_ms

        async def run() -> None:
            await self.upkeep.seal()
            await self.upkeep.roll_up()
            await self.upkeep.retain()

        asyncio.run(run())


def insert(database: Database, system_id: str, from_ms: int, to_ms: int, step_ms: int = 60_000) -> None:
    samples = [
        NewSample(system_id, instant, 0, msgspec.json.encode(make_metrics(float(instant // 1000 % 97))))
        for instant in range(from_ms, to_ms, step_ms)
    ]
    database.write_now(lambda: series.insert_samples(samples))


def oldest(
    database: Database, table: type[ChunkRow] | type[RollupRow], system_id: str = "a", tier: int | None = None
) -> int | None:
    rows: list[Any] = database.read_now(lambda: list(table.select().where(table.system_id == system_id)))
    return min((row.first for row in rows if tier in {None, getattr(row, "tier", None)}), default=None)


def test_each_tier_goes_in_its_own_time(database: Database) -> None:
    insert(database, "a", DAY, DAY + 3 * DAY_MS, 600_000)
    keeper = Keeper(database, Retention(raw=DAY_SECONDS, minute=2 * DAY_SECONDS, ten_minutes=4 * DAY_SECONDS))
    keeper.keep(DAY + 3 * DAY_MS + HOUR_MS)
    assert oldest(database, ChunkRow) == DAY + 2 * DAY_MS + HOUR_MS
    assert oldest(database, RollupRow, tier=MINUTE.seconds) == DAY + DAY_MS
    assert oldest(database, RollupRow, tier=TEN_MINUTES.seconds) == DAY
    keeper.keep(DAY + 40 * DAY_MS)
    assert oldest(database, ChunkRow) is None
    rows = database.read_now(lambda: [(row.tier, row.first) for row in RollupRow.select()])
    assert rows == [(28_800, DAY)]


def test_a_system_may_keep_its_own_longer_or_shorter(database: Database) -> None:
    for system_id in ("a", "b", "c"):
        insert(database, system_id, DAY, DAY + DAY_MS, 600_000)
    keeper = Keeper(database, Retention(raw=6 * 3600))
    keeper.own = {"b": {"raw": None}, "c": {"raw": 3600}}
    keeper.keep(DAY + DAY_MS)
    assert oldest(database, ChunkRow, "a") == DAY + 18 * HOUR_MS
    assert oldest(database, ChunkRow, "b") == DAY
    assert oldest(database, ChunkRow, "c") == DAY + 23 * HOUR_MS


def test_what_is_not_rolled_up_stays(database: Database) -> None:
    insert(database, "a", DAY, DAY + 4 * HOUR_MS)
    keeper = Keeper(database, Retention(raw=3600))
    keeper.now_ms = DAY + 5 * DAY_MS
    asyncio.run(keeper.upkeep.seal())
    asyncio.run(keeper.upkeep.retain())
    assert oldest(database, ChunkRow) == DAY
    keeper.keep(DAY + 5 * DAY_MS)
    assert oldest(database, ChunkRow) is None


def test_steps_are_small(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_space, "DELETE_STEP", 7)
    insert(database, "a", DAY, DAY + DAY_MS)
    keeper = Keeper(database, Retention(raw=3600))
    sizes: list[int] = []
    delete = series_space.delete_expired

    def note(expired: series_space.Expired) -> int:
        sizes.append(len(expired.ids))
        return delete(expired)

    monkeypatch.setattr(series_space, "delete_expired", note)
    keeper.keep(DAY + 2 * DAY_MS)
    assert oldest(database, ChunkRow) is None
    assert sum(sizes) == 24
    assert max(sizes) <= 7


def test_a_coarser_tier_stays_as_long_as_the_finer_ones() -> None:
    retention = Retention(raw=10, minute=5, ten_minutes=None, eight_hours=7)
    assert [retention.seconds(tier) for tier in (0, 60, 600, 28_800)] == [10, 10, None, None]


def test_a_full_database_gives_up_the_finest_oldest_history(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for system_id in ("a", "b"):
        insert(database, system_id, DAY, DAY + DAY_MS, 10_000)
    keeper = Keeper(database, Retention())
    keeper.keep(DAY + DAY_MS + HOUR_MS)
    size = asyncio.run(database.measure())
    usage = database.read_now(series_space.measure_usage)
    limit = size.whole - size.free - usage["a", "raw"].bytes  # of both, half must go
    keeper = Keeper(database, Retention(), max_bytes=limit)
    with caplog.at_level(logging.WARNING):
        keeper.keep(DAY + DAY_MS + HOUR_MS)
    assert "MAX_DATABASE_SIZE" in caplog.text
    after = asyncio.run(database.measure())
    assert after.whole - after.free <= limit
    assert IS_POSTGRESQL or after.whole <= limit, "a file is made smaller at once"
    first, last = oldest(database, ChunkRow, "a"), DAY + DAY_MS
    assert first is not None
    assert DAY < first < last
    assert first == oldest(database, ChunkRow, "b")
    assert oldest(database, RollupRow, "a", MINUTE.seconds) == DAY


def test_a_limit_that_history_cannot_meet_is_said(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    insert(database, "a", DAY, DAY + HOUR_MS)
    keeper = Keeper(database, Retention(), max_bytes=1)
    with caplog.at_level(logging.ERROR):
        keeper.keep(DAY + DAY_MS + HOUR_MS)
    assert "no history left to delete" in caplog.text
    assert database.read_now(lambda: (ChunkRow.select().count(), RollupRow.select().count())) == (0, 0)


def test_usage_adds_up(database: Database) -> None:
    insert(database, "a", DAY, DAY + 2 * HOUR_MS, 10_000)
    insert(database, "b", DAY, DAY + HOUR_MS, 10_000)
    Keeper(database, Retention()).keep(DAY + HOUR_MS + 300_000)
    usage = database.read_now(series_space.measure_usage)
    raw = usage["a", "raw"]
    leaves = 29
    hot = database.read_now(lambda: HotSample.select().where(HotSample.system_id == "a").count())
    assert (raw.numbers, raw.oldest_ms) == ((720 - hot) * leaves, DAY)
    assert usage["a", "hot"].rows == hot
    assert usage["b", "1m"].numbers == 60 * leaves * 5
    assert 0 < (raw.bytes_per_value or 0) < 1
