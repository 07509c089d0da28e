import pytest

from beszel_agent.deltas import gained, gained_wrapping, per_second, share

END = 2**32


@pytest.mark.parametrize(
    ("previous", "current", "expected"), [(5, 9, 4), (5, 5, 0), (9, 5, None), (0, 0, 0), (2**63, 2**63 + 1, 1)]
)
def test_gained(previous: int, current: int, expected: int | None) -> None:
    assert gained(previous, current) == expected


@pytest.mark.parametrize(
    ("previous", "current", "largest", "expected"),
    [
        (5, 9, 0, 4),
        (END - 10, 5, 100, 15),
        (END - 10, 5, 14, None),  # more than can have been
        (1000, 5, END, None),  # far from its end: a reset
        (END + 10, 5, END, None),  # was never 32 bits wide
    ],
)
def test_gained_wrapping(previous: int, current: int, largest: float, expected: int | None) -> None:
    assert gained_wrapping(previous, current, largest) == expected


@pytest.mark.parametrize(
    ("amount", "seconds", "expected"), [(10, 2.0, 5), (0, 1.0, 0), (10, 0.0, None), (10, -1.0, None), (None, 1.0, None)]
)
def test_per_second(amount: int | None, seconds: float, expected: int | None) -> None:
    assert per_second(amount, seconds) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 3, 33.33), (0, 5, 0.0), (7, 5, 100.0), (-1, 5, 0.0), (1, 0, None)]
)
def test_share(part: float, whole: float, expected: float | None) -> None:
    assert share(part, whole) == expected
