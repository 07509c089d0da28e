import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.vectors import (
    LIMIT,
    VectorError,
    pack_doubles,
    pack_vector,
    pack_walk,
    steady_walk,
    unpack_doubles,
    unpack_vector,
    unpack_walk,
)

small = st.lists(st.integers(-200, 200))
wide = st.lists(st.integers(-LIMIT + 1, LIMIT - 1))
positive = st.lists(st.integers(0, LIMIT - 1))
paged = small.map(lambda numbers: [4096 * number for number in numbers])
numbers = small | wide | positive | paged
cuts = st.tuples(st.integers(0, 50), st.integers(0, 50))


@given(numbers, cuts)
def test_a_vector_gives_back_what_was_packed_and_any_part_of_it(values: list[int], cut: tuple[int, int]) -> None:
    packed = pack_vector(values)
    assert [*unpack_vector(packed, len(values))] == values
    begin, end = sorted(min(border, len(values)) for border in cut)
    assert [*unpack_vector(packed, len(values), begin, end)] == values[begin:end]


@given(small | paged, cuts)
def test_so_does_a_walk(values: list[int], cut: tuple[int, int]) -> None:
    packed = pack_walk(values)
    assert unpack_walk(packed, len(values)) == values
    begin, end = sorted(min(border, len(values)) for border in cut)
    assert unpack_walk(packed, len(values), begin, end) == values[begin:end]


@given(st.integers(0, 2**40), st.integers(1, 2000))
def test_a_steady_walk_is_known_without_unpacking_it(value: int, count: int) -> None:
    assert steady_walk(pack_walk([value] * count), count) == value


@given(st.lists(st.integers(0, 3), min_size=1))
def test_a_walk_with_a_single_step_is_not_steady(values: list[int]) -> None:
    assert steady_walk(pack_walk(values), len(values)) == (values[0] if len({*values}) == 1 else None)


@given(st.lists(st.floats(allow_nan=False)))
def test_doubles_survive(values: list[float]) -> None:
    assert unpack_doubles(pack_doubles(values), len(values)) == values


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_vector_of_another_length_is_refused(count: int) -> None:
    packed = pack_vector([1, -2, 300])
    with pytest.raises(VectorError):
        unpack_vector(packed, count)
    with pytest.raises(VectorError):
        steady_walk(packed, count)
    with pytest.raises(VectorError):
        unpack_doubles(pack_doubles([1.5, 2.5, 3.5]), count)


def test_an_unknown_width_is_refused() -> None:
    with pytest.raises(VectorError):
        unpack_vector(b"\x03\1\2\3", 1)
