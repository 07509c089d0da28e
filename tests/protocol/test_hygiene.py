from collections.abc import Iterator
from itertools import chain

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.addresses import Address, flatten
from beszel_protocol.hygiene import MAX_ITEMS, MAX_TEXT_LENGTH, clean, clean_lines, clean_text, is_clean
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, Metrics
from beszel_protocol.storage import DiskMetrics
from tests.support.samples import any_metrics, make_metrics


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("web-1", "web-1"),
        ("größe 日本 🐳", "größe 日本 🐳"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\nb\tc\x00", "abc"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("\u2066iso\u2069\u200e\ufeff", "iso"),
        ("\x9b2J\x85", "2J"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\ud800", ""),
        ("x" * 1000, "x" * MAX_TEXT_LENGTH),
    ],
)
def test_clean_text(dirty: str, expected: str) -> None:
    assert clean_text(dirty) == expected


@given(st.text(alphabet=st.characters(), max_size=400))
def test_what_is_cleaned_stays_clean(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert len(once) <= MAX_TEXT_LENGTH
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in once)
    once.encode()


def test_a_clean_sample_is_not_copied() -> None:
    metrics = make_metrics()
    assert clean(metrics) is metrics


@given(any_metrics)
def test_cleaning_twice_changes_nothing(metrics: Metrics) -> None:
    cleaned = clean(metrics)
    assert clean(cleaned) is cleaned


numbers = st.floats() | st.floats(-10, 110)


@given(
    any_metrics,
    st.none() | st.lists(numbers, max_size=4),
    numbers,
    st.none() | st.integers(-(2**70), 2**70),
    st.dictionaries(st.text(max_size=300), numbers, max_size=3),
)
def test_the_quick_look_sees_just_what_cleaning_changes(
    metrics: Metrics, cores: list[float] | None, percent: float, size: int | None, temperatures: dict[str, float]
) -> None:
    metrics = msgspec.structs.replace(
        metrics,
        cpu=CpuMetrics(cores_percent=cores, usage_percent=percent),
        disk={"/": DiskMetrics(total_bytes=size)},
        temperatures=temperatures,
    )
    assert is_clean(metrics) is (all(map(is_possible, flatten(metrics))) and all(map(is_plain, texts_of(metrics))))
    assert is_clean(clean(metrics))


def is_possible(reading: tuple[Address, float]) -> bool:
    address, value = reading
    assert address.metric is not None
    low, high = address.metric.bounds
    return low <= value <= high


def is_plain(text: str) -> bool:
    return clean_text(text) == text


def texts_of(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from chain(node, chain.from_iterable(map(texts_of, node.values())))
    elif isinstance(node, list):
        yield from chain.from_iterable(map(texts_of, node))
    elif isinstance(node, msgspec.Struct):
        yield from chain.from_iterable(texts_of(getattr(node, name)) for name in node.__struct_fields__)


def test_an_impossible_number_costs_only_itself() -> None:
    cleaned = clean(
        Metrics(
            cpu=CpuMetrics(usage_percent=1e13, user_percent=30.0, cores_percent=[1.0, -3.0]),
            disk={"/": DiskMetrics(total_bytes=2**70, usage_percent=44.0)},
            temperatures={"good": 50.0, "bad": 1e6},
        )
    )
    assert cleaned.cpu == CpuMetrics(user_percent=30.0)
    assert cleaned.disk == {"/": DiskMetrics(usage_percent=44.0)}
    assert cleaned.temperatures == {"good": 50.0}


def test_names_are_cleaned_wherever_they_stand() -> None:
    cleaned = clean(
        Metrics(
            disk={"/\x1b]0;x\x07": DiskMetrics(usage_percent=1.0)},
            containers=[ContainerMetrics(id="a\x00b", name="we\u202eb", status="Up\n")],
        )
    )
    assert cleaned.disk == {"/]0;x": DiskMetrics(usage_percent=1.0)}
    assert cleaned.containers == [ContainerMetrics(id="ab", name="web", status="Up")]


def test_of_two_names_that_become_one_the_first_stays() -> None:
    cleaned = clean(Metrics(temperatures={"cpu": 40.0, "c\x00pu": 90.0}))
    assert cleaned.temperatures == {"cpu": 40.0}


def test_lists_are_bounded() -> None:
    cleaned = clean(
        Metrics(
            temperatures={f"t{i}": 1.0 for i in range(MAX_ITEMS + 10)},
            containers=[ContainerMetrics(id=str(i), name=str(i)) for i in range(MAX_ITEMS + 10)],
        )
    )
    assert cleaned.temperatures is not None
    assert cleaned.containers is not None
    assert (len(cleaned.temperatures), len(cleaned.containers)) == (MAX_ITEMS, MAX_ITEMS)


def test_a_text_of_several_lines_keeps_them() -> None:
    assert clean_lines("a\tb\r\n\x1b[31mc\u202e\n", 100) == "a    b\n[31mc\n"
    assert clean_lines("x\n" * 10, 5) == "x\nx\nx"
