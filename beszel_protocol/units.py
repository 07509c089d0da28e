"""Numbers as people read them: scaled, rounded, with their unit, and never wider than needed."""

import enum
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from beszel_protocol.metrics import Unit

ABSENT: Final = "–"


class ByteFamily(enum.StrEnum):
    BINARY = "binary"
    """Powers of 1024: K M G T."""
    DECIMAL = "decimal"
    """Powers of 1000: k M G T."""
    BITS = "bits"
    """Powers of 1000 of bits: kb Mb Gb."""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What a user chose in the settings."""

    sizes: ByteFamily = ByteFamily.BINARY
    rates: ByteFamily = ByteFamily.BINARY
    fahrenheit: bool = False


DEFAULT_STYLE: Final = Style()

_PREFIXES: Final[dict[ByteFamily, tuple[int, Sequence[str]]]] = {
    ByteFamily.BINARY: (1024, ("B", "K", "M", "G", "T", "P", "E")),
    ByteFamily.DECIMAL: (1000, ("B", "k", "M", "G", "T", "P", "E")),
    ByteFamily.BITS: (1000, ("b", "kb", "Mb", "Gb", "Tb", "Pb", "Eb")),
}
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def format_value(value: float | None, unit: Unit, style: Style = DEFAULT_STYLE) -> str:
    """At most seven characters with the unit: `41.2%`, `1.2M/s`, `54°C`, `41d`; a dash for what is not known."""
    return ABSENT if value is None else _FORMATS[unit](value, style)


def format_bytes(value: float, family: ByteFamily = ByteFamily.BINARY) -> str:
    """Three significant digits and a prefix: `0B`, `980B`, `1.2M`, `14.7G`, `512T`."""
    base, prefixes = _PREFIXES[family]
    scaled = float(value) * (8 if family is ByteFamily.BITS else 1)
    index = 0
    while scaled >= 999.5 and index < len(prefixes) - 1:
        scaled /= base
        index += 1
    digits = f"{scaled:.0f}" if index == 0 or scaled >= 99.95 else f"{scaled:.1f}"
    return f"{digits}{prefixes[index]}"


def format_number(value: float) -> str:
    """One decimal below 100, none above: `0.4`, `41.2`, `100`."""
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def format_duration(seconds: float) -> str:
    """The largest whole unit: `12s`, `4m`, `30h`, `41d`. Hours go up to two days, as an uptime reads better so."""
    if seconds < _MINUTE:
        return f"{max(0, seconds):.0f}s" if seconds < 59.5 else "1m"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}m"
    if seconds < 2 * _DAY:
        return f"{int(seconds // _HOUR)}h"
    return f"{int(seconds // _DAY)}d"


def format_signed(value: float) -> str:
    """Any number in three significant digits: `0`, `-41.2`, `0.03`, `1.2M`; a power of ten where no prefix reaches."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 0.001:
        return f"{value:.0e}".replace("e+", "e").replace("e-0", "e-")
    if size >= 999.5:
        return ("-" if value < 0 else "") + format_bytes(size, ByteFamily.DECIMAL)
    return f"{value:.3g}" if size >= 1 else f"{value:.2g}"


def _format_milliseconds(value: float) -> str:
    return f"{format_number(value)}ms" if value < 1000 else format_duration(value / 1000)


def _format_temperature(value: float, style: Style) -> str:
    return f"{value * 9 / 5 + 32:.0f}°F" if style.fahrenheit else f"{value:.0f}°C"


_FORMATS: Final[dict[Unit, Callable[[float, Style], str]]] = {
    Unit.PERCENT: lambda value, _: f"{format_number(value)}%",
    Unit.BYTES: lambda value, style: format_bytes(value, style.sizes),
    Unit.BYTES_PER_SECOND: lambda value, style: f"{format_bytes(value, style.rates)}/s",
    Unit.COUNT: lambda value, _: f"{value:.0f}",
    Unit.PER_SECOND: lambda value, _: f"{format_signed(value)}/s",
    Unit.NUMBER: lambda value, _: format_signed(value),
    Unit.LOAD: lambda value, _: f"{value:.2f}" if value < 100 else f"{value:.0f}",
    Unit.MILLISECONDS: lambda value, _: _format_milliseconds(value),
    Unit.SECONDS: lambda value, _: format_duration(value),
    Unit.CELSIUS: _format_temperature,
    Unit.RPM: lambda value, _: f"{value:.0f}",
    Unit.WATTS: lambda value, _: f"{value:.0f}W",
}
