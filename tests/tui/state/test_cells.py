"""Text whose width does not depend on who counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from beszel_tui.state.cells import shown_text, spelled, steady


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-1", "web-1"),
        ("datenbank-größe", "datenbank-größe"),
        ("漢字 ━━╸", "漢字 ━━╸"),
        ("👩\u200d🚀", "👩🚀"),
        ("👍\U0001f3fd", "👍"),
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("❤\ufe0f ⚠\ufe0f", "❤ ⚠"),
        ("1\ufe0f\u20e3", "1"),
        ("e\u0301 \u1ec7 กำ हिन्दी", "e\u0301 \u1ec7 กำ हिन्दी"),
        ("z" + "\u0301\u0336\u0317" * 30 + "a\u0489", "z\u0301\u0336\u0317a"),
        ("\u202e\x1b[2Jx\u200b", "[2Jx"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert shown_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("web-1", "web-1"), ("👩\u200d🚀", "👩·🚀"), ("\U0001f1e9\U0001f1ea", "DE"), ("e\u0301 กำ", "e\u0301 กำ")],
)
def test_what_is_typed_is_spelled(text: str, shown: str) -> None:
    assert spelled(text) == shown
    assert len(spelled(text)) == len(text)


characters = st.characters(codec="utf-8") | st.sampled_from(
    "👩🚀🏴❤⚠1\u200d\ufe0f\ufe0e\u20e3\u0301\u0336\U0001f3fd\U0001f1e9\U0001f1ea"
)


@given(st.text(characters, max_size=30))
def test_its_width_is_the_sum_of_those_of_its_characters(text: str) -> None:
    shown = shown_text(text)
    assert cell_len(shown) == sum(max(0, wcwidth(character)) for character in shown)
    assert steady(shown) == shown
