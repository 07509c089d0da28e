"""Delays double, are spread by chance, and end."""

import pytest

from beszel_hub.notifications.backoff import is_hopeless, next_delay_seconds


def test_delays_double_up_to_half_an_hour() -> None:
    assert [next_delay_seconds(n, 0.999999) for n in (1, 2, 3)] == [
        pytest.approx(value, rel=1e-3) for value in (5, 10, 20)
    ]
    assert next_delay_seconds(1, 0.0) == 2.5
    assert next_delay_seconds(5000, 0.0) == 900.0


def test_what_the_target_asks_for_counts_within_reason() -> None:
    assert next_delay_seconds(1, 0.0, retry_after_seconds=60.0) == 60.0
    assert next_delay_seconds(1, 0.0, retry_after_seconds=1e9) == 1800.0


def test_a_day_is_enough_and_three_refusals_are() -> None:
    assert not is_hopeless(500, 86_399, is_lasting=False)
    assert is_hopeless(1, 86_400, is_lasting=False)
    assert not is_hopeless(2, 0, is_lasting=True)
    assert is_hopeless(3, 0, is_lasting=True)
