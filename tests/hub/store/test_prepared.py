"""Queries whose text is made once give what the same queries give when they are made anew."""

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from beszel_hub.metrics.tables import HistoryFloor
from beszel_hub.store.database import Database
from beszel_hub.store.prepared import Prepared
from tests.support.databases import place_at


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def make_floors() -> Prepared:
    return Prepared(
        2,
        lambda system_id, before_ms: (
            HistoryFloor.select(HistoryFloor.tier, HistoryFloor.instant)
            .where((HistoryFloor.instant < before_ms) & (HistoryFloor.system_id == system_id) & (HistoryFloor.tier > 0))
            .order_by(HistoryFloor.tier)
            .limit(2)
        ),
    )


def test_every_value_goes_where_its_parameter_stands_each_time(database: Database) -> None:
    rows = [(name, tier, 1000 * tier) for name in ("a", "b's; --") for tier in (0, 60, 600, 28_800)]
    database.write_now(
        lambda: HistoryFloor.insert_many(
            rows, fields=[HistoryFloor.system_id, HistoryFloor.tier, HistoryFloor.instant]
        ).execute()
    )
    floors = make_floors()
    for _ in range(2):
        assert database.read_now(lambda: [*floors.rows("a", 10**9)]) == [(60, 60_000), (600, 600_000)]
        assert database.read_now(lambda: [*floors.rows("b's; --", 600_000)]) == [(60, 60_000)]
        assert database.read_now(lambda: [*floors.rows("c", 10**9)]) == []


def test_what_the_database_refuses_comes_out_as_of_any_query(database: Database) -> None:
    unknown = Prepared(
        1, lambda system_id: HistoryFloor.select(peewee.SQL("nothing")).where(HistoryFloor.tier == system_id)
    )
    with pytest.raises(Exception, match="nothing"):
        database.read_now(lambda: [*unknown.rows(1)])


def test_there_are_no_rows_without_a_database() -> None:
    with pytest.raises(RuntimeError):
        make_floors().rows("a", 1)
