"""What a terminal's clipboard is given."""

import pytest

from beszel_tui.state.clipboard import MAX_BYTES, for_clipboard, is_too_long


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("web-1", "web-1"),
        ("services:\n  agent:\n    image: x\n", "services:\n  agent:\n    image: x\n"),
        ("a\x1b]52;c;b3duZWQ=\x07b", "a]52;c;b3duZWQ=b"),
        ("one\r\ntwo\x00\x9b31m", "one\ntwo31m"),
        ("rm \u202e-rf\u200b", "rm -rf"),
        ("grüße 👩‍👧", "grüße 👩‍👧"),
    ],
)
def test_only_text_is_kept(text: str, kept: str) -> None:
    assert for_clipboard(text) == kept
    assert not is_too_long(text)


@pytest.mark.parametrize("letter", ["x", "ß", "日", "👩"])
def test_of_a_long_one_the_beginning_in_whole_letters(letter: str) -> None:
    text = letter * MAX_BYTES * 2
    kept = for_clipboard(text)
    assert MAX_BYTES - 4 < len(kept.encode()) <= MAX_BYTES
    assert text.startswith(kept)
    assert is_too_long(text)
    assert not is_too_long(kept)
