"""A line that a container wrote, made safe for terminals and pages: plain, with its colours apart."""

from beszel_protocol.colours import keep_colours, strip_colours
from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, LogLine


def make_log_line(stream: str, timestamp: str | None, text: str) -> LogLine:
    """`text` as it was written, without the end of its line. What it wrote over with a carriage return is gone."""
    text = text.rstrip("\r").rpartition("\r")[2]
    plain = strip_colours(text, MAX_LOG_LINE_LENGTH)
    coloured = keep_colours(text, MAX_LOG_LINE_LENGTH)
    return LogLine(stream=stream, timestamp=timestamp, text=plain, ansi=coloured if coloured != plain else None)
