"""What somebody asks to be exported, checked: the parameters of `/api/beszel/export`, or the options of the command."""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from beszel_hub.export.plan import Position, parse_position
from beszel_hub.export.selection import Selection, select
from beszel_hub.metrics.parameters import MAX_TEXT_LENGTH, Parameters
from beszel_hub.metrics.series_query import DEFAULT_SPAN_MS

MAX_ADDRESSES: Final = 256
MAX_SYSTEMS: Final = 500
MAX_RESOLUTION_SECONDS: Final = 366 * 86400
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


class Format(enum.StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    OPENMETRICS = "openmetrics"

    @property
    def can_go_on(self) -> bool:
        """Whether what was cut off can be continued after its last line."""
        return self in {Format.CSV, Format.JSONL}


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`from_ms <= instant < to_ms`; no system is every system that the actor sees, no address every series."""

    format: Format
    system_ids: tuple[str, ...]
    selection: Selection
    from_ms: int
    to_ms: int
    resolution_seconds: int | None
    after: Position | None


def parse_export_query(texts: Mapping[str, str], now_ms: int) -> ExportQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    parameters = Parameters(texts)
    chosen = Format(parameters.choice("format", tuple(Format)))
    from_ms, to_ms = parameters.span(now_ms, DEFAULT_SPAN_MS)
    query = ExportQuery(
        format=chosen,
        system_ids=_read_systems(texts.get("system", ""), parameters),
        selection=select(parameters.addresses(MAX_ADDRESSES) if texts.get("metric") else ()),
        from_ms=from_ms,
        to_ms=to_ms,
        resolution_seconds=_read_resolution(texts.get("resolution", ""), parameters),
        after=_read_after(texts.get("after", ""), chosen, parameters),
    )
    parameters.check("Nothing can be exported like this.")
    return query


def _read_systems(text: str, parameters: Parameters) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(item.strip() for item in text[:MAX_TEXT_LENGTH].split(",") if item.strip()))
    if len(ids) > MAX_SYSTEMS or len(text) > MAX_TEXT_LENGTH:
        parameters.refuse("system", "max_items", f"At most {MAX_SYSTEMS} systems at once.")
    return ids


def _read_resolution(text: str, parameters: Parameters) -> int | None:
    """Seconds, or a duration such as `1m`; nothing and `raw` is every sample."""
    if text in {"", "raw"}:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1] in _UNITS else (text, "")
    if number.isascii() and number.isdecimal() and len(number) <= 8:
        seconds = int(number) * _UNITS[unit]
        if 1 <= seconds <= MAX_RESOLUTION_SECONDS:
            return seconds
    parameters.refuse("resolution", "invalid", "`raw`, seconds, or a duration such as 1m, 10m, 8h or 1d.")
    return None


def _read_after(text: str, chosen: Format, parameters: Parameters) -> Position | None:
    if not text:
        return None
    if not chosen.can_go_on:
        parameters.refuse("after", "not_allowed", "Only csv and jsonl go on after a line.")
        return None
    try:
        return parse_position(text)
    except ValueError:
        parameters.refuse("after", "invalid", "SYSTEM,MILLISECONDS,METRIC of the last line, in this order.")
        return None
