"""What somebody types in the palette, and what it finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_tui.commands.matching import MAX_LENGTH, fit_of


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("web", "web-1", "web"),
        ("WEB", "web-1", "web"),
        ("w1", "web-1", "w1"),
        ("n", "", None),
        ("", "web", None),
        ("  ", "web", None),
        ("bew", "web", None),
        ("i", "\u0130stanbul", None),
        ("s", "\u0130stanbul", "s"),
        ("\\[", "a\\[b]", "\\["),
    ],
)
def test_what_is_found(query: str, text: str, found: str | None) -> None:
    fit = fit_of(query, text)
    assert found == (None if fit is None else "".join(text[place] for place in fit.places))


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("web", "web", "web-1"),
        ("web", "web-1", "containers web-1"),
        ("web", "my web", "cobweb"),
        ("web", "cobweb", "what else there may be"),
        ("ths", "the sort", "weather station"),
        ("b", "a-b", "cab"),
    ],
)
def test_what_fits_better_comes_first(query: str, better: str, worse: str) -> None:
    first, second = fit_of(query, better), fit_of(query, worse)
    assert first is not None
    assert second is not None
    assert 4 >= first.score > second.score > 0


def test_it_is_marked_where_it_begins_a_word() -> None:
    fit = fit_of("b", "cab b")
    assert fit is not None
    assert fit.places == (4,)


@given(st.text("ab-", max_size=12), st.text("ab-\u0130 ", max_size=400))
def test_what_is_found_are_the_letters_in_their_order(query: str, text: str) -> None:
    fit = fit_of(query, text)
    if fit is None:
        return
    assert "".join(text[place].lower() for place in fit.places) == query.strip().lower()
    assert list(fit.places) == sorted(set(fit.places))
    assert fit.places[-1] < MAX_LENGTH
    assert 0 < fit.score <= 4


def test_no_name_keeps_it_busy() -> None:
    """A matcher that tries all combinations would need years for this."""
    assert fit_of("a" * 40 + "b" * 40, "ab" * 5000) is not None
    assert fit_of("ab" * 40 + "c", "ab" * 5000) is None
