"""Logs as engines send them: in frames, plain, in pieces cut anywhere, with whatever bytes a container wrote."""

import struct
from collections.abc import Iterator
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.containers.frames import LogDecoder
from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, LogLine

AT = "2026-11-22T12:00:00.123456789Z"


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def stamped(text: str) -> bytes:
    return f"{AT} {text}\n".encode()


def decode(*pieces: bytes, has_terminal: bool = False) -> list[LogLine]:
    return list(_decode(LogDecoder(has_terminal=has_terminal), pieces))


def _decode(decoder: LogDecoder, pieces: tuple[bytes, ...]) -> Iterator[LogLine]:
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.finish()


def line(stream: str, text: str, timestamp: str | None = AT, ansi: str | None = None) -> LogLine:
    return LogLine(stream=stream, timestamp=timestamp, text=text, ansi=ansi)


def test_streams_are_told_apart() -> None:
    data = frame(1, stamped("out")) + frame(2, stamped("err")) + frame(1, stamped("more"))
    assert decode(data) == [line("stdout", "out"), line("stderr", "err"), line("stdout", "more")]


def test_with_a_terminal_there_is_one_stream() -> None:
    assert decode(stamped("a\r") + stamped("b"), has_terminal=True) == [line("tty", "a"), line("tty", "b")]


def test_plain_text_where_frames_are_due() -> None:
    assert decode(stamped("a")) == [line("stdout", "a")]


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.text("ab\x1b[m\t é", max_size=20)), max_size=8), st.data())
def test_it_does_not_matter_where_it_is_cut(lines: list[tuple[int, str]], data: st.DataObject) -> None:
    whole = b"".join(frame(stream, stamped(text)) for stream, text in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert decode(*pieces) == decode(whole)
    assert len(decode(whole)) == len(lines)


@given(st.binary(max_size=300), st.booleans())
def test_whatever_bytes_come_lines_are_safe(data: bytes, has_terminal: bool) -> None:
    for item in decode(data, frame(1, data), has_terminal=has_terminal):
        # Blanks of other widths are text, though Python prints them escaped.
        assert all(char.isprintable() or char == "\t" or category(char) == "Zs" for char in item.text)


def test_a_long_line_in_several_frames_has_one_time() -> None:
    parts = [frame(1, f"{AT} {'a' * 10}".encode()), frame(1, f"{AT} {'b' * 10}".encode()), frame(1, b"c\n")]
    assert decode(b"".join(parts)) == [line("stdout", "a" * 10 + "b" * 10 + "c")]


def test_a_line_without_an_end_costs_no_memory_without_an_end() -> None:
    decoder = LogDecoder(has_terminal=False)
    for _ in range(100):
        assert list(decoder.feed(frame(1, b"x" * 100_000))) == []
    assert decoder.was_cut
    (item,) = decoder.feed(frame(1, b"\n"))
    assert len(item.text) == MAX_LOG_LINE_LENGTH


@pytest.mark.parametrize(
    ("written", "text", "ansi"),
    [
        ("\x1b[31mred\x1b[0m", "red", "\x1b[0;31mred"),
        ("\x1b[2Jcleared", "cleared", None),
        ("\x1b]0;title\x07text", "text", None),
        ("\x1b]52;c;c2VjcmV0\x1b\\text", "text", None),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link", None),
        ("a\tb", "a\tb", None),
        ("50%\r60%\r70%", "70%", None),
        ("\x9b31mred", "red", "\x1b[0;31mred"),
        ("\u202eevil", "evil", None),
        ("\x00\x07\x08bell", "bell", None),
        ("\x1bPdcs\x1b\\x", "x", None),
        ("[bold]markup[/]", "[bold]markup[/]", None),
    ],
)
def test_colours_are_kept_apart_and_the_rest_is_gone(written: str, text: str, ansi: str | None) -> None:
    assert decode(frame(1, stamped(written))) == [line("stdout", text, ansi=ansi)]


def test_what_is_no_time_is_text() -> None:
    assert decode(b"2026-99-99T99:99:99Z hello\n") == [line("stdout", "2026-99-99T99:99:99Z hello", None)]
