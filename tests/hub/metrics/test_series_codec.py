import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.series_codec import DamagedChunk, Document, Entry, seal, unseal
from tests.support.samples import NOON_MS, any_metrics, make_metrics

numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=20)
values = st.recursive(
    leaves, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4)
)
documents = st.dictionaries(st.text(max_size=8), values, max_size=5)
entries = st.builds(Entry, st.integers(0, 2**52), documents, st.integers(0, 3))


def exact(document: Document) -> bytes:
    """Tells 1 from 1.0 and from True, and 0.0 from -0.0."""
    return msgspec.json.encode(document, order="sorted")


def minute(count: int = 60) -> list[Entry]:
    return [
        Entry(NOON_MS + 1000 * index, msgspec.to_builtins(make_metrics(cpu_percent=index % 100 + 0.25)))
        for index in range(count)
    ]


@given(st.lists(entries, max_size=12))
def test_a_chunk_gives_back_exactly_what_was_sealed(sealed: list[Entry]) -> None:
    unsealed = list(unseal(seal(sealed)).entries())
    ordered = sorted(sealed, key=lambda entry: entry.instant_ms)
    assert [(e.instant_ms, e.mark, exact(e.document)) for e in unsealed] == [
        (e.instant_ms, e.mark, exact(e.document)) for e in ordered
    ]


@given(st.lists(any_metrics, min_size=1, max_size=8))
def test_any_metrics_survive(metrics: list[object]) -> None:
    sealed = [Entry(NOON_MS + index, msgspec.to_builtins(item)) for index, item in enumerate(metrics)]
    assert list(unseal(seal(sealed)).entries()) == sealed


def test_one_column_is_read_without_the_others() -> None:
    chunk = unseal(seal(minute()))
    assert chunk.instants_ms == [entry.instant_ms for entry in minute()]
    assert chunk.readings(("cpu", "usage_percent")) == [index % 100 + 0.25 for index in range(60)]
    assert chunk.readings(("disk", "/mnt/v1.2", "usage_percent")) == [50.0] * 60
    assert chunk.readings(("disk", "/nowhere", "usage_percent")) is None


def test_some_parts_are_read_without_the_others() -> None:
    entry = next(unseal(seal(minute())).entries({"memory"}))
    assert entry.document == {"memory": minute()[0].document["memory"]}


def test_history_is_an_order_of_magnitude_smaller_than_json() -> None:
    sealed = minute(300)
    assert len(seal(sealed)) < sum(len(exact(entry.document)) for entry in sealed) / 10


@pytest.mark.parametrize("position", [0, 3, 4, 9, 40, -40, -5, -1])
def test_a_flipped_bit_is_damage(position: int) -> None:
    data = bytearray(seal(minute()))
    data[position] ^= 0x10
    with pytest.raises(DamagedChunk):
        list(unseal(bytes(data)).entries())


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for candidate in (data, b"BZC1" + data):
        with pytest.raises(DamagedChunk):
            unseal(candidate)


@pytest.mark.parametrize("kept", [0, 3, 5, 20, 300])
def test_a_cut_chunk_is_damage(kept: int) -> None:
    with pytest.raises(DamagedChunk):
        unseal(seal(minute())[:kept])


def test_no_samples_make_an_empty_chunk() -> None:
    assert list(unseal(seal([])).entries()) == []
