"""What a container wrote, as far as it is kept: the newest lines, each once, whatever the connection goes through."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from beszel_protocol.colours import Stretch, expand_tabs, stretches
from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, LogBatch, LogLine
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.state.cells import steady

MAX_LINES: Final = 10_000


class ShownLine(NamedTuple):
    """A line without anything that a terminal obeys."""

    text: str
    stretches: tuple[Stretch, ...]
    """The same, by colour."""
    stream: str
    instant_ms: int | None


class Appended(NamedTuple):
    """What a batch has changed."""

    added: int
    dropped: int
    """From the beginning, to make room."""


class LogCursor:
    """Where in a log one is: what a stream tells that begins anew is not told twice."""

    def __init__(self) -> None:
        self.newest: str | None = None
        """The time stamp of the newest line: what follows is asked for from there on."""
        self._at_newest: set[tuple[str, str]] = set()

    def advance(self, lines: Sequence[LogLine], *, is_resumed: bool) -> list[LogLine]:
        """Those of the lines that are new; only a resumed stream may have others."""
        new = [line for line in lines if not (is_resumed and self._is_known(line))]
        for line in new:
            self._note(line)
        return new

    def _is_known(self, line: LogLine) -> bool:
        """Time stamps of one engine have one form, so that they sort as texts."""
        if line.timestamp is None or self.newest is None or line.timestamp > self.newest:
            return False
        return line.timestamp < self.newest or (line.stream, line.text) in self._at_newest

    def _note(self, line: LogLine) -> None:
        if line.timestamp is None:
            return
        if line.timestamp != self.newest:
            self.newest = line.timestamp
            self._at_newest = set()
        self._at_newest.add((line.stream, line.text))


class LogBuffer:
    """One container's lines."""

    def __init__(self, max_lines: int = MAX_LINES) -> None:
        self.lines: list[ShownLine] = []
        self.cursor = LogCursor()
        self.dropped = 0
        """Lines that were here once."""
        self.is_truncated = False
        """The container wrote more than the agent or the hub let through."""
        self._max_lines = max_lines

    def append(self, batch: LogBatch, *, is_resumed: bool = False) -> Appended:
        """Add lines; those of a resumed stream that are here already are left out."""
        new = self.cursor.advance(batch.lines, is_resumed=is_resumed)
        self.lines += [shown_line(line) for line in new]
        self.is_truncated |= batch.truncated
        surplus = max(0, len(self.lines) - self._max_lines)
        del self.lines[:surplus]
        self.dropped += surplus
        return Appended(len(new), surplus)


def shown_line(line: LogLine) -> ShownLine:
    found: list[Stretch] = []
    column = 0
    for stretch in stretches(line.ansi or line.text, MAX_LOG_LINE_LENGTH):
        text = expand_tabs(steady(stretch.text), column)
        column += len(text)
        found.append(Stretch(text, stretch.codes))
    return ShownLine("".join(stretch.text for stretch in found), tuple(found), line.stream, _instant(line.timestamp))


def _instant(timestamp: str | None) -> int | None:
    try:
        return None if timestamp is None else parse_timestamp(timestamp)
    except ValueError:
        return None
