"""What is kept of a log: each line once, the newest of them, nothing that a terminal obeys."""

from beszel_protocol.containers import LogBatch, LogLine
from beszel_tui.state.logs import LogBuffer, shown_line


def batch(*lines: tuple[int, str], truncated: bool = False) -> LogBatch:
    made = [
        LogLine(stream="stdout", timestamp=f"2026-11-22T10:00:{second:02d}.000000001Z", text=text)
        for second, text in lines
    ]
    return LogBatch(lines=made, truncated=truncated)


def texts(buffer: LogBuffer) -> list[str]:
    return [line.text for line in buffer.lines]


def test_lines_in_order_and_the_oldest_go_first() -> None:
    buffer = LogBuffer(max_lines=3)
    assert buffer.append(batch((1, "a"), (2, "b"))) == (2, 0)
    assert buffer.append(batch((3, "c"), (4, "d"))) == (2, 1)
    assert texts(buffer) == ["b", "c", "d"]
    assert buffer.dropped == 1
    assert buffer.append(batch(*((5, str(n)) for n in range(10)))) == (10, 10)
    assert texts(buffer) == ["7", "8", "9"]


def test_a_stream_that_begins_anew_tells_nothing_twice() -> None:
    buffer = LogBuffer()
    buffer.append(batch((1, "a"), (2, "b"), (2, "c")))
    assert buffer.cursor.newest == "2026-11-22T10:00:02.000000001Z"
    buffer.append(batch((2, "b"), (2, "c"), (2, "d"), (3, "e")), is_resumed=True)
    assert texts(buffer) == ["a", "b", "c", "d", "e"]
    buffer.append(batch((3, "e")))
    assert texts(buffer)[-2:] == ["e", "e"], "a program may write the same twice"


def test_lines_without_a_time_stamp_are_always_new() -> None:
    buffer = LogBuffer()
    line = LogBatch(lines=[LogLine(stream="tty", text="x")])
    buffer.append(line)
    buffer.append(line, is_resumed=True)
    assert texts(buffer) == ["x", "x"]
    assert buffer.cursor.newest is None


def test_what_was_left_out_is_remembered() -> None:
    buffer = LogBuffer()
    buffer.append(batch((1, "a"), truncated=True))
    buffer.append(batch((2, "b")))
    assert buffer.is_truncated


def test_colours_are_kept_apart_and_tabs_are_blanks() -> None:
    line = shown_line(LogLine(stream="stderr", timestamp="nonsense", text="abcd", ansi="ab\t\x1b[31mc\td\x1b[2J"))
    assert line.text == "ab      c       d"
    assert [stretch.codes for stretch in line.stretches] == [(), (31,)]
    assert line.instant_ms is None
