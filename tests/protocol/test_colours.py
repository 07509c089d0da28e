"""What a container writes for a terminal, and what of it may reach one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.colours import Stretch, expand_tabs, keep_colours, stretches, strip_colours

LIMIT = 1000


@pytest.mark.parametrize(
    ("text", "kept", "stripped"),
    [
        ("plain", "plain", "plain"),
        ("a\tb", "a\tb", "a\tb"),
        ("\x1b[31mred\x1b[0m done", "\x1b[0;31mred\x1b[m done", "red done"),
        ("\x1b[1;31mred", "\x1b[0;1;31mred", "red"),
        ("\x1b[38;5;208morange\x1b[m", "\x1b[0;38;5;208morange", "orange"),
        ("\x1b[38:2:1:2:3mx", "\x1b[0;38;2;1;2;3mx", "x"),
        ("\x1b[38;5mcut off", "cut off", "cut off"),
        ("\x1b[31;44;92;1;22mx", "\x1b[0;92;44mx", "x"),
        ("\x1b[5;8;58;5;3mblinking", "blinking", "blinking"),
        ("\x1b[31;0mreset in one", "reset in one", "reset in one"),
        ("\x1b[2Jgone\x1b[H", "gone", "gone"),
        ("\x1b]0;title\x07after", "after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link", "link"),
        ("\x1bPq#0;2;0;0;0\x1b\\x", "x", "x"),
        ("\x1b]52;c;ZXZpbA==", "", ""),
        ("\x9b31mc1", "\x1b[0;31mc1", "c1"),
        ("\x9d0;title\x9cc1", "c1", "c1"),
        ("\x1b(Bcharset", "charset", "charset"),
        ("\x1bcreset", "reset", "reset"),
        ("\x1b[?1049hscreen", "screen", "screen"),
        ("\x1b[>31mprivate", "private", "private"),
        ("end\x1b", "end", "end"),
        ("end\x1b[31", "end", "end"),
        ("bell\x07 back\x08space \r\n\u202eevil\u202c", "bell backspace evil", "bell backspace evil"),
    ],
)
def test_only_colours_are_left(text: str, kept: str, stripped: str) -> None:
    assert keep_colours(text, LIMIT) == kept
    assert strip_colours(text, LIMIT) == stripped


@given(
    st.text(alphabet=st.sampled_from("\x1b[]0123456789;:mPX\\\x07\x9b\x9d\x9cab \t\u202e\r\n?>"), max_size=80)
    | st.text()
)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    kept = keep_colours(text, LIMIT)
    assert keep_colours(kept, LIMIT) == kept
    stripped = strip_colours(text, LIMIT)
    assert not {unicodedata.category(c) for c in stripped if c not in "\t\u200c\u200d"} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert strip_colours(kept, LIMIT) == stripped
    assert all(code >= 0 for stretch in stretches(text, LIMIT) for code in stretch.codes)


def test_the_limit_counts_text_and_not_colours() -> None:
    assert keep_colours("\x1b[31mabc\x1b[32mdef", 4) == "\x1b[0;31mabc\x1b[0;32md"
    assert strip_colours("abcdef", 4) == "abcd"


def test_too_many_codes_are_none() -> None:
    assert list(stretches("\x1b[" + ";".join(["1"] * 500) + "mx", LIMIT)) == [Stretch("x", ())]


def test_tabs_go_to_the_next_stop() -> None:
    assert expand_tabs("a\tb") == "a       b"
    assert expand_tabs("\tb", 5) == "   b"
    assert expand_tabs("ab") == "ab"
