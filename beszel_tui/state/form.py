"""Forms: what is asked, what has been typed, and how numbers and times are read out of it. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from beszel_protocol.metrics import Unit
from beszel_tui.errors import FormError

Values: TypeAlias = Mapping[str, str]
"""What stands in the fields, by key."""
Choices: TypeAlias = tuple[tuple[str, str], ...]
Record: TypeAlias = dict[str, Any]

_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+|\d+", re.ASCII)
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)", re.ASCII)
_SECONDS: Final[Mapping[str, int]] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NUMBER: Final = re.compile(r"(-?\d{1,15}(?:\.\d{1,9})?)\s*([kKMGTP]?)(?:i?B)?(?:/s)?\s*(%|°C?|W|ms)?", re.ASCII)
_PREFIXES: Final[Mapping[str, int]] = {
    "": 1, "k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50,
}  # fmt: skip
_BYTES: Final = frozenset({Unit.BYTES, Unit.BYTES_PER_SECOND})
YES_NO: Final = (("yes", "yes"), ("no", "no"))


class FormField(NamedTuple):
    """One thing that a form asks."""

    key: str
    label: str
    choices: Choices = ()
    """Values, and how each is shown; without any the field is typed."""
    offers: Callable[[Values], Choices] | None = None
    """The choices where they depend on what stands in other fields."""
    lines: int = 1
    """Of what is typed; more than one have line ends."""
    hint: str = ""
    """Shown in the empty field."""
    suggestions: tuple[str, ...] = ()
    """What the field completes to."""
    is_shown: Callable[[Values], bool] = lambda _values: True


class Form(NamedTuple):
    title: str
    fields: tuple[FormField, ...]
    values: Values
    read: Callable[[Values], list[Record]]
    """What is to be stored, a record each. Raises `FormError`."""
    preview: Callable[[Values], str] = lambda _values: ""
    """What it comes to, a sentence a line; also told while something is wrong yet."""
    follow: Callable[[str, Values], Values] = lambda _key, values: values
    """What stands in the fields once one of them was changed."""


def read_seconds(text: str, field: str, *, least: int = 0, most: int = 30 * 86_400) -> int:
    """`10m`, `1h30m`, `90`; raises `FormError`."""
    text = text.strip()
    if _DURATION.fullmatch(text) is None:
        raise FormError(field, "this is a time such as 30s, 10m, 4h or 1d")
    seconds = round(sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION_PART.findall(text)))
    if not least <= seconds <= most:
        raise FormError(field, f"from {write_seconds(least)} to {write_seconds(most)}")
    return seconds


def write_seconds(seconds: int) -> str:
    """The shortest text that `read_seconds` reads so: `10m`, `90s`, `0s`."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def read_number(text: str, field: str, unit: Unit) -> float:
    """`80`, `80%`, `1.5G`, and of seconds `12h`; raises `FormError`."""
    if unit is Unit.SECONDS:
        return float(read_seconds(text, field, most=3650 * 86_400))
    match = _NUMBER.fullmatch(text.strip())
    if match is None or (match[2] and unit not in _BYTES):
        example = "1.5G" if unit in _BYTES else "80"
        raise FormError(field, f"this is a number such as {example}")
    return float(match[1]) * _PREFIXES[match[2]]


def write_number(value: float | None, unit: Unit) -> str:
    """The shortest text that `read_number` reads so; empty for None."""
    if value is None:
        return ""
    if unit is Unit.SECONDS and value == int(value) and value >= 0:
        return write_seconds(int(value))
    if unit in _BYTES:
        for prefix in ("T", "G", "M", "K"):
            if value and value % (_PREFIXES[prefix] / 8) == 0 and abs(value) >= _PREFIXES[prefix]:
                return f"{value / _PREFIXES[prefix]:g}{prefix}"
    return f"{value:.9f}".rstrip("0").rstrip(".")


def required(values: Values, key: str, sentence: str, *, most: int = 150) -> str:
    """What was typed; raises `FormError` with `sentence` if that is nothing."""
    text = values.get(key, "").strip()
    if not text:
        raise FormError(key, sentence)
    if len(text) > most:
        raise FormError(key, f"at most {most} characters")
    return text


def words(text: str) -> list[str]:
    """What stands between commas and spaces, each once."""
    return list(dict.fromkeys(filter(None, re.split(r"[,\s]+", text))))


def listed(text: str) -> list[str]:
    """What stands between commas, each once: names may have spaces."""
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
