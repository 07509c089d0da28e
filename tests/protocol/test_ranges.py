import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.ranges import SequenceRanges

small = st.integers(0, 40)
pairs = st.tuples(small, small).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(pairs, max_size=20))
def test_it_behaves_like_a_set(added: list[tuple[int, int]]) -> None:
    ranges = SequenceRanges()
    reference: set[int] = set()
    for first, last in added:
        ranges.add_range(first, last)
        reference |= set(range(first, last + 1))
    assert {n for n in range(50) if n in ranges} == reference
    listed = list(ranges)
    assert listed == sorted(listed)
    assert all(b_first > a_last + 1 for (_, a_last), (b_first, _) in itertools.pairwise(listed))
    assert SequenceRanges(added) == ranges


@given(st.lists(pairs, max_size=10), pairs)
def test_missing_is_the_complement(added: list[tuple[int, int]], window: tuple[int, int]) -> None:
    ranges = SequenceRanges(added)
    missing = {n for first, last in ranges.missing_between(*window) for n in range(first, last + 1)}
    assert missing == {n for n in range(window[0], window[1] + 1) if n not in ranges}


def test_the_newest_ranges_are_kept_in_order() -> None:
    ranges = SequenceRanges((n, n) for n in range(0, 20, 2))
    assert ranges.newest(3) == [(14, 14), (16, 16), (18, 18)]
    assert len(ranges) == 10


def test_an_empty_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty range"):
        SequenceRanges().add_range(5, 4)
