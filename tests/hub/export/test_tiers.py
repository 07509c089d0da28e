"""Pages from every state that history can be in: not sealed, sealed, joined to hours, rolled up, and samples gone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from beszel_hub.export.pages import Moment, Page, PageReader
from beszel_hub.export.plan import Plan, Source
from beszel_hub.export.selection import Selection, select
from beszel_hub.export.walk import walk
from beszel_hub.metrics import upkeep
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tables import RollupRow
from beszel_hub.metrics.tiers import DAY_MS, HOUR_MS, MINUTE, Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.database import Database
from beszel_protocol.addresses import parse_addresses
from tests.support.databases import place_at, place_of_copy
from tests.support.samples import make_metrics

DAY = 1_795_305_600_000  # a border of days
SYSTEM = "systemsystem123"
STEP_MS = 30_000
SPAN_MS = 26 * HOUR_MS
RETENTION = Retention(raw=3600)
SELECTED = select(parse_addresses("cpu.usage_percent,disk[].usage_percent,network.bytes_sent"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.0)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-six hours of samples, with a hole of two of them, and none sealed."""
    path = tmp_path_factory.mktemp("filled") / "data.db"
    database = Database(place_at(path))
    database.open()
    for start in range(DAY, DAY + SPAN_MS, 6 * HOUR_MS):
        samples = [
            NewSample(SYSTEM, instant, 0, msgspec.json.encode(make_metrics(instant // 1000 % 997 / 10)))
            for instant in range(start, min(start + 6 * HOUR_MS, DAY + SPAN_MS), STEP_MS)
            if not DAY + 4 * HOUR_MS <= instant < DAY + 6 * HOUR_MS
        ]
        database.write_now(lambda samples=samples: insert_samples(samples))  # type: ignore[misc]
    database.close()
    return path


class Stages(NamedTuple):
    """The same history, the older the further it is on its way."""

    fresh: Database
    partly: Database
    """Some of it is sealed, some joined to hours, some rolled up."""
    kept: Database
    kept_path: Path
    """Of one like it, which nobody has open."""


@pytest.fixture(scope="module")
def stages(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    """Only to be read."""
    directory = tmp_path_factory.mktemp("stages")
    fresh = _open_copy(filled, directory / "fresh.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "PAUSE_SECONDS", 0.0)
        partly = _open_copy(filled, directory / "partly.db")
        keep(partly, DAY + 20 * HOUR_MS)
        partly.close()
        kept = _open_copy(directory / "partly.db", directory / "kept.db")
        keep(kept, DAY + 3 * DAY_MS)
        kept.close()
    partly.open()
    kept = _open_copy(directory / "kept.db", directory / "read.db")
    yield Stages(fresh, partly, kept, directory / "kept.db")
    for database in (fresh, partly, kept):
        database.close()


def _open_copy(source: Path, path: Path) -> Database:
    opened = Database(place_of_copy(source, path))
    opened.open()
    return opened


@pytest.fixture
def database(filled: Path, tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_of_copy(filled, tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def keep(database: Database, now_ms: int, *, retains: bool = False) -> None:
    kept = Upkeep(database, lambda: now_ms, RETENTION, read_overrides=dict)

    async def run() -> None:
        await kept.seal()
        await kept.roll_up()
        if retains:
            await kept.retain()

    asyncio.run(run())


def read(
    database: Database, resolution_seconds: int | None, from_ms: int = DAY, to_ms: int = DAY + SPAN_MS,
    selection: Selection = SELECTED,
) -> list[Moment]:  # fmt: skip
    plan = Plan(sources=(Source(SYSTEM, "x"),), from_ms=from_ms, to_ms=to_ms)

    async def collect() -> list[Moment]:
        reader = PageReader(selection, resolution_seconds)
        return [moment async for page in walk(database, plan, reader) for moment in page.moments]

    return asyncio.run(collect())


@pytest.mark.parametrize("resolution_seconds", [None, 90, 60, 600, 28_800])
def test_an_export_is_the_same_before_and_after_history_was_rolled_up(
    stages: Stages, resolution_seconds: int | None
) -> None:
    before = rounded(read(stages.fresh, resolution_seconds))
    assert before
    assert rounded(read(stages.partly, resolution_seconds)) == before
    assert rounded(read(stages.kept, resolution_seconds)) == before


@pytest.mark.parametrize("resolution_seconds", [60, 3600])
def test_buckets_outlive_their_samples(stages: Stages, tmp_path: Path, resolution_seconds: int) -> None:
    before = rounded(read(stages.fresh, resolution_seconds))
    database = _open_copy(stages.kept_path, tmp_path / "data.db")
    keep(database, DAY + 3 * DAY_MS, retains=True)
    assert read(database, None) == []
    assert rounded(read(database, resolution_seconds)) == before
    database.close()


def test_samples_stand_in_for_a_roll_up_that_is_damaged(stages: Stages, tmp_path: Path) -> None:
    before = rounded(read(stages.fresh, 60))
    database = _open_copy(stages.kept_path, tmp_path / "data.db")

    def damage() -> None:
        row = RollupRow.select().where(RollupRow.tier == MINUTE.seconds).order_by(RollupRow.first.desc()).first()
        RollupRow.update(data=bytes(row.data)[:-9]).where(RollupRow.id == row.id).execute()

    database.write_now(damage)
    assert rounded(read(database, 60)) == before
    database.close()


def test_a_span_begins_and_ends_with_whole_buckets(stages: Stages) -> None:
    moments = read(stages.kept, 600, DAY + HOUR_MS + 1000, DAY + 2 * HOUR_MS - 1000)
    assert [moment.instant_ms for moment in moments] == list(range(DAY + HOUR_MS, DAY + 2 * HOUR_MS, 600_000))
    assert {reading.samples for moment in moments for reading in moment.readings} == {20}


def test_an_hour_that_changes_between_pages_is_read_again(database: Database) -> None:
    """Sealing takes hot rows away while an export is under way."""
    before = read(database, None, DAY, DAY + 2 * HOUR_MS)
    reader = PageReader(SELECTED)
    moments: list[Moment] = []
    position_ms = DAY
    while (page := _next_page(database, reader, position_ms)) is not None:
        moments += page.moments
        position_ms = page.next_ms
        keep(database, position_ms + 400_000)
    assert rounded(moments) == rounded(before)


def _next_page(database: Database, reader: PageReader, position_ms: int) -> Page | None:
    return database.read_now(lambda: reader.read_page(SYSTEM, position_ms, DAY + 2 * HOUR_MS))


def rounded(moments: list[Moment]) -> list[tuple[int, list[tuple[object, ...]]]]:
    """Without what the order of additions does to a sum."""
    return [
        (
            moment.instant_ms,
            [
                (r.metric, round(r.value, 9), round(r.least, 9), round(r.greatest, 9), r.samples)
                for r in moment.readings
            ],
        )
        for moment in moments
    ]
