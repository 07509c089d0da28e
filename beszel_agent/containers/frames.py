"""What an engine sends of a log, taken apart into lines; pure.

A container without a terminal is sent in frames: one byte for the stream (0 and 1 standard output, 2 standard error),
three of zero, four for the length, then as many bytes (the engine API's *attach*). One with a terminal is sent as it
is.
"""

import re
from collections.abc import Iterator
from typing import Final

from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, LogLine
from beszel_protocol.log_text import make_log_line
from beszel_protocol.timestamps import parse_timestamp

_HEADER_BYTES: Final = 8
_STREAMS: Final = {0: "stdout", 1: "stdout", 2: "stderr"}
_TIMESTAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d) ")
_MAX_LINE_BYTES: Final = 4 * MAX_LOG_LINE_LENGTH
"""The rest of a longer line is thrown away."""


class LogDecoder:
    """Takes the pieces of one log in order."""

    def __init__(self, *, has_terminal: bool) -> None:
        self._framed = not has_terminal
        self._stream = "tty" if has_terminal else "stdout"
        self._waiting = b""
        self._left = 0
        self._is_first = True
        self._rests: dict[str, bytes] = {}
        self.was_cut = False
        """Some line was longer than it may be."""

    def feed(self, piece: bytes) -> Iterator[LogLine]:
        """The lines that are complete."""
        if not self._framed:
            yield from self._take(piece, starts=True)
            return
        self._waiting += piece
        while self._waiting:
            if self._left:
                part, self._waiting = self._waiting[: self._left], self._waiting[self._left :]
                self._left -= len(part)
                yield from self._take(part, starts=self._is_first)
                self._is_first = False
            elif not self._read_header():
                return
            if not self._framed:
                rest, self._waiting = self._waiting, b""
                yield from self._take(rest, starts=True)

    def finish(self) -> Iterator[LogLine]:
        """What had no end of line."""
        for stream, rest in self._rests.items():
            if rest:
                yield _make_line(stream, rest)
        self._rests = {}

    def _read_header(self) -> bool:
        """False if more of it has to come. Some engines send plain text where frames are due."""
        if self._waiting[0] not in _STREAMS or self._waiting[1:4].strip(b"\0"):
            self._framed, self._stream = False, "stdout"
            return True
        if len(self._waiting) < _HEADER_BYTES:
            return False
        self._stream = _STREAMS[self._waiting[0]]
        self._left = int.from_bytes(self._waiting[4:_HEADER_BYTES], "big")
        self._waiting = self._waiting[_HEADER_BYTES:]
        self._is_first = True
        return True

    def _take(self, data: bytes, *, starts: bool) -> Iterator[LogLine]:
        rest = self._rests.get(self._stream, b"")
        if rest and starts and self._framed:
            # A long line comes in several frames, each with the time again.
            data = data[match.end() :] if (match := _TIMESTAMP.match(data)) is not None else data
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            self.was_cut |= len(line) > _MAX_LINE_BYTES
            yield _make_line(self._stream, line[:_MAX_LINE_BYTES])
        if len(rest) > _MAX_LINE_BYTES:
            self.was_cut = True
            rest = rest[:_MAX_LINE_BYTES]
        self._rests[self._stream] = rest


def _make_line(stream: str, line: bytes) -> LogLine:
    match = _TIMESTAMP.match(line)
    timestamp = _instant(match[0]) if match is not None else None
    text = line[match.end() :] if match is not None and timestamp is not None else line
    return make_log_line(stream, timestamp, text.decode("utf-8", "replace"))


def _instant(word: bytes) -> str | None:
    text = word.decode("ascii").strip()
    try:
        parse_timestamp(text)
    except ValueError:
        return None
    return text
