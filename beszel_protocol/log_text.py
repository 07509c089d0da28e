"""Text that a container wrote, made safe for terminals and pages: plain, with its colours apart."""

import re
from typing import Final

import msgspec

from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, STREAMS, LogBatch, LogLine
from beszel_protocol.hygiene import clean_text
from beszel_protocol.timestamps import parse_timestamp

_ESCAPE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC with what they carry
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
"""ECMA-48 §5.3, 5.4 and 5.6."""
_COLOUR: Final = re.compile(r"\x1b\[([0-9;:]{0,64})m")
"""Select graphic rendition, ECMA-48 §8.3.117: the only sequence that changes nothing but looks."""


def make_log_line(stream: str, timestamp: str | None, text: str) -> LogLine:
    """`text` as it was written, without the end of its line. What it wrote over with a carriage return is gone."""
    text = text.rstrip("\r").rpartition("\r")[2][: 2 * MAX_LOG_LINE_LENGTH]
    plain = _clean(_ESCAPE.sub("", text))
    ansi = coloured(text) if "\x1b" in text else None
    return LogLine(stream=stream, timestamp=timestamp, text=plain, ansi=ansi if ansi != plain else None)


def coloured(text: str) -> str:
    """`text` with sequences of colour and no other control character than tabulators."""
    parts: list[str] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        parts.append(_clean(text[position : match.start()]))
        if _COLOUR.fullmatch(match[0]):
            parts.append(match[0])
        position = match.end()
    parts.append(_clean(text[position:]))
    joined = "".join(parts)
    # A cut in the middle of a sequence would leave a piece of it as text.
    return joined if len(joined) <= MAX_LOG_LINE_LENGTH else _clean(_ESCAPE.sub("", joined))


def clean_log_batch(batch: LogBatch) -> LogBatch:
    """What can be believed of a batch from another machine."""
    return LogBatch(lines=[_clean_line(line) for line in batch.lines], truncated=batch.truncated)


def _clean_line(line: LogLine) -> LogLine:
    made = make_log_line(line.stream if line.stream in STREAMS else "stdout", _instant(line.timestamp), line.text)
    return msgspec.structs.replace(made, ansi=None if line.ansi is None else coloured(line.ansi))


def _clean(text: str) -> str:
    return "\t".join(clean_text(part, MAX_LOG_LINE_LENGTH) for part in text.split("\t"))[:MAX_LOG_LINE_LENGTH]


def _instant(text: str | None) -> str | None:
    try:
        return None if text is None or parse_timestamp(text) < 0 else text
    except ValueError:
        return None
