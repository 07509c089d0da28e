"""Metrics as scripts write them for node_exporter's textfile collector: Prometheus' text exposition format. Pure.

# HELP backup_size_bytes What the last backup weighs.
# TYPE backup_size_bytes gauge
backup_size_bytes{job="db"} 1.2e9
"""

import math
import re
from typing import Final

from beszel_agent.errors import ReadingFailed
from beszel_protocol.hygiene import MAX_TEXT_LENGTH, clean_text

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(,?)', re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)")
_UNESCAPED: Final = {"n": "\n", '"': '"', "\\": "\\"}


def parse_textfile(text: str) -> dict[str, float]:
    """Values by series: the name, then the labels in alphabetical order, as in `backup_size_bytes{job="db"}`.

    What is not a number or not finite is no reading and left out. Raise `ReadingFailed`, with the number of the line,
    for anything that the format does not allow: half a file must not pass for the whole.
    """
    if text and not text.endswith("\n"):
        raise ReadingFailed("the last line has no end: the file was cut, or is being written")
    found: dict[str, float] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            series, value = _parse_line(stripped)
        except ValueError as error:
            raise ReadingFailed(f"line {number}: {error}") from error
        if series in found:
            raise ReadingFailed(f"line {number}: the same series a second time")
        found[series] = value
    return {series: value for series, value in found.items() if math.isfinite(value)}


def _parse_line(line: str) -> tuple[str, float]:
    match = _NAME.match(line)
    if match is None:
        raise ValueError("a metric's name expected")
    labels, rest = _parse_labels(line[match.end() :].lstrip())
    words = rest.split()
    if len(words) != 1:
        raise ValueError("a time stamp is not allowed here" if len(words) == 2 else "one number expected")
    series = clean_text(match[0] + labels, MAX_TEXT_LENGTH + 1)
    if len(series) > MAX_TEXT_LENGTH:
        raise ValueError(f"name and labels have at most {MAX_TEXT_LENGTH} characters")
    if "_" in words[0]:
        raise ValueError("one number expected")
    return series, float(words[0])


def _parse_labels(text: str) -> tuple[str, str]:
    """The labels in their canonical form, and what follows them."""
    if not text.startswith("{"):
        return "", text
    labels: dict[str, str] = {}
    position = 1
    more = True
    while more and (match := _LABEL.match(text, position)) is not None:
        if match[1] in labels:
            raise ValueError(f"the label {match[1]} a second time")
        labels[match[1]] = _ESCAPE.sub(lambda escape: _UNESCAPED.get(escape[1], escape[0]), match[2])
        position, more = match.end(), bool(match[3])
    end = position + len(text[position:]) - len(text[position:].lstrip())
    if text[end : end + 1] != "}":
        raise ValueError('labels are written name="value"')
    if not labels:
        return "", text[end + 1 :]
    return "{" + ",".join(f'{name}="{_quote(labels[name])}"' for name in sorted(labels)) + "}", text[end + 1 :]


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
