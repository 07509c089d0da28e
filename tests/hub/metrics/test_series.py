"""History in a real database: read across hot rows and chunks, sealed, retained, removed, and damaged."""

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from beszel_hub.metrics import series, series_upkeep
from beszel_hub.metrics.series import WINDOW_MS, NewSample
from beszel_hub.metrics.series_codec import Entry
from beszel_hub.metrics.tables import ChunkRow, HistoryRemoval, HotSample, RollupDue, SpoolRow
from beszel_hub.store.database import Database
from beszel_protocol.addresses import parse_address
from beszel_protocol.sample import ContainerMetrics, Metrics
from tests.support.databases import place_at
from tests.support.samples import make_metrics

START = 1_795_348_800_000  # a multiple of the window
CPU = parse_address("cpu.usage_percent")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def insert(database: Database, system_id: str, instants: range, metrics: Metrics | None = None) -> None:
    samples = [
        NewSample(system_id, instant, 0, msgspec.json.encode(metrics or make_metrics(float(index % 100))))
        for index, instant in enumerate(instants)
    ]
    database.write_now(lambda: series.insert_samples(samples))


def seal_all(database: Database, before_ms: int) -> int:
    windows = database.read_now(lambda: series_upkeep.find_due(before_ms))
    for window in windows:
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    return len(windows)


def read(database: Database, system_id: str, from_ms: int = 0, to_ms: int = 2**52) -> list[Entry]:
    entries = database.read_now(lambda: list(series.read_entries(system_id, from_ms, to_ms)))
    return sorted(entries, key=lambda entry: entry.instant_ms)


def readings(database: Database, address_text: str, from_ms: int = 0, to_ms: int = 2**52) -> dict[int, float]:
    address = parse_address(address_text)
    (strand,) = database.read_now(lambda: series.read_strands("a", [address], from_ms, to_ms))
    if strand is None:
        return {}
    scale = 10 ** (strand.places or 0)
    return {instant: value / scale for instant, value in zip(strand.instants_ms, strand.values, strict=True)}


def test_sealing_changes_nothing_that_anybody_reads(database: Database) -> None:
    insert(database, "a", range(START, START + 2 * WINDOW_MS + 60_000, 1000))
    insert(database, "b", range(START, START + 30_000, 1000))
    before = read(database, "a"), read(database, "b"), readings(database, "disk[/mnt/v1.2].usage_percent")
    assert seal_all(database, START + 2 * WINDOW_MS + 1) == 3
    assert before == (read(database, "a"), read(database, "b"), readings(database, "disk[/mnt/v1.2].usage_percent"))
    assert database.read_now(lambda: (HotSample.select().count(), ChunkRow.select().count())) == (60, 3)


def test_a_range_ends_before_its_end(database: Database) -> None:
    insert(database, "a", range(START, START + WINDOW_MS + 10_000, 1000))
    seal_all(database, START + WINDOW_MS)
    taken = read(database, "a", START + 1000, START + WINDOW_MS + 2000)
    assert (taken[0].instant_ms, taken[-1].instant_ms) == (START + 1000, START + WINDOW_MS + 1000)
    assert len(taken) == 301


def test_late_samples_make_a_second_chunk_of_the_same_window(database: Database) -> None:
    insert(database, "a", range(START, START + WINDOW_MS, 2000))
    seal_all(database, START + WINDOW_MS)
    insert(database, "a", range(START + 1000, START + WINDOW_MS, 2000))
    seal_all(database, START + WINDOW_MS)
    assert database.read_now(lambda: ChunkRow.select().count()) == 2
    assert [entry.instant_ms for entry in read(database, "a")] == list(range(START, START + WINDOW_MS, 1000))


def test_a_container_is_found_by_name_wherever_it_stands_in_the_list(database: Database) -> None:
    def with_containers(*names: str) -> Metrics:
        return Metrics(containers=[
            ContainerMetrics(id=name, name=name, cpu_percent=float(ord(name[0]))) for name in names
        ])  # fmt: skip

    for second, names in enumerate([("a", "b"), ("b",), (), ("c", "b", "a")]):
        insert(database, "a", range(START + 1000 * second, START + 1000 * second + 1), with_containers(*names))
    expected = {START: 98.0, START + 1000: 98.0, START + 3000: 98.0}
    assert readings(database, "containers[b].cpu_percent") == expected
    seal_all(database, START + WINDOW_MS)
    assert readings(database, "containers[b].cpu_percent") == expected
    assert readings(database, "containers[z].cpu_percent") == {}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("cpu.load_average[0]", 0.8),
        ("cpu.load_average[2]", 0.4),
        ("cpu.load_average[7]", None),
        ("cpu.cores_percent[1]", 7.0),
        ("network.interfaces[eth0].bytes_sent", 1000),
        ("temperatures[coretemp_package_id_0]", 54.0),
        ("gpus[0].usage_percent", None),
    ],
)
def test_series_read_the_same_hot_and_sealed(database: Database, address: str, expected: float | None) -> None:
    insert(database, "a", range(START, START + 1), make_metrics(7.0))
    stored = {} if expected is None else {START: expected}
    assert readings(database, address) == stored
    seal_all(database, START + WINDOW_MS)
    assert readings(database, address) == stored


def test_a_damaged_chunk_is_reported_and_left_out(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    insert(database, "a", range(START, START + 2 * WINDOW_MS, 1000))
    seal_all(database, START + 2 * WINDOW_MS)

    def damage() -> None:
        row = ChunkRow.select().order_by(ChunkRow.first).first()
        data = bytearray(row.data)
        data[len(data) // 2] ^= 0xFF
        ChunkRow.update(data=bytes(data)).where(ChunkRow.id == row.id).execute()

    database.write_now(damage)
    with caplog.at_level(logging.ERROR):
        assert len(read(database, "a")) == 300
        assert len(readings(database, "cpu.usage_percent")) == 300
    assert "damaged" in caplog.text


def test_the_newest_sample_is_found_hot_or_sealed(database: Database) -> None:
    assert database.read_now(lambda: series.read_newest("a")) is None
    insert(database, "a", range(START, START + 10_000, 1000))
    newest = database.read_now(lambda: series.read_newest("a"))
    assert newest is not None
    assert newest.instant_ms == START + 9000
    seal_all(database, START + WINDOW_MS)
    assert database.read_now(lambda: series.read_newest("a")) == newest


def test_removal_takes_a_deleted_system_and_nothing_else(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_upkeep, "DELETE_STEP", 50)
    for system_id in ("a", "b"):
        insert(database, system_id, range(START, START + WINDOW_MS, 1000))
    seal_all(database, START + WINDOW_MS)
    insert(database, "a", range(START + WINDOW_MS, START + WINDOW_MS + 200_000, 1000))
    database.write_now(lambda: series_upkeep.request_removal("a", START))
    while database.write_now(series_upkeep.remove_step):
        pass
    assert read(database, "a") == []
    assert len(read(database, "b")) == 300
    assert database.read_now(lambda: (HistoryRemoval.select().count(), SpoolRow.select().count())) == (0, 0)
    assert {row.system_id for row in database.read_now(lambda: list(RollupDue.select()))} == {"b"}


def test_counting_is_never_less_than_what_there_is(database: Database) -> None:
    insert(database, "a", range(START, START + 2 * WINDOW_MS, 1000))
    seal_all(database, START + WINDOW_MS)
    for from_ms, to_ms in [(0, 2**52), (START + 5, START + 1005), (START + WINDOW_MS - 1, START + WINDOW_MS + 1)]:
        count = database.read_now(partial(series.count_samples, ["a"], from_ms, to_ms))
        assert count >= len(read(database, "a", from_ms, to_ms))
