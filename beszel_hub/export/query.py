"""What somebody asks to be exported, checked: the parameters of `/api/beszel/export`, or the options of the command."""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from beszel_hub.errors import BadRequest, FieldError
from beszel_hub.export.plan import Position, parse_position
from beszel_hub.export.selection import Selection, select
from beszel_hub.metrics.series_query import DEFAULT_SPAN_MS
from beszel_hub.records.dates import parse_date
from beszel_protocol.addresses import Address, InvalidAddress, parse_addresses
from beszel_protocol.timestamps import LATEST_MS

MAX_ADDRESSES: Final = 256
MAX_SYSTEMS: Final = 500
MAX_RESOLUTION_SECONDS: Final = 366 * 86400
_MAX_TEXT_LENGTH: Final = 8192
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


def parse_export_query(parameters: Mapping[str, str], now_ms: int) -> ExportQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    errors: dict[str, FieldError] = {}
    chosen = _read_format(parameters.get("format", ""), errors)
    to_ms = _read_instant(parameters, "to", now_ms, errors)
    from_ms = _read_instant(parameters, "from", max(0, to_ms - DEFAULT_SPAN_MS), errors)
    if from_ms >= to_ms and not errors:
        errors["from"] = FieldError("validation_invalid", "Must be before `to`.")
    query = ExportQuery(
        format=chosen,
        system_ids=_read_systems(parameters.get("system", ""), errors),
        selection=select(_read_addresses(parameters.get("metric", ""), errors)),
        from_ms=from_ms,
        to_ms=to_ms,
        resolution_seconds=_read_resolution(parameters.get("resolution", ""), errors),
        after=_read_after(parameters.get("after", ""), chosen, errors),
    )
    if errors:
        raise BadRequest("Nothing can be exported like this.", data=errors)
    return query


def _read_format(text: str, errors: dict[str, FieldError]) -> Format:
    try:
        return Format(text or "csv")
    except ValueError:
        errors["format"] = FieldError("validation_in_invalid", f"One of {', '.join(Format)}.")
        return Format.CSV


def _read_systems(text: str, errors: dict[str, FieldError]) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(item.strip() for item in text[:_MAX_TEXT_LENGTH].split(",") if item.strip()))
    if len(ids) > MAX_SYSTEMS or len(text) > _MAX_TEXT_LENGTH:
        errors["system"] = FieldError("validation_max_items", f"At most {MAX_SYSTEMS} systems at once.")
    return ids


def _read_addresses(text: str, errors: dict[str, FieldError]) -> tuple[Address, ...]:
    if not text:
        return ()
    if len(text) > _MAX_TEXT_LENGTH:
        errors["metric"] = FieldError("validation_max_length", f"At most {_MAX_TEXT_LENGTH} characters.")
        return ()
    try:
        addresses = tuple(parse_addresses(text))
    except InvalidAddress as error:
        errors["metric"] = FieldError("validation_invalid", f"{error}.")
        return ()
    unknown = [str(address) for address in addresses if address.metric is None]
    if unknown:
        errors["metric"] = FieldError("validation_unknown", f"There is no metric {unknown[0]!r}.")
    elif len(addresses) > MAX_ADDRESSES:
        errors["metric"] = FieldError("validation_max_items", f"At most {MAX_ADDRESSES} series and patterns at once.")
    return addresses


def _read_instant(parameters: Mapping[str, str], name: str, default_ms: int, errors: dict[str, FieldError]) -> int:
    """Milliseconds since the epoch, RFC 3339, or PocketBase's form of a date."""
    text = parameters.get(name, "").strip()
    if not text:
        return default_ms
    try:
        if text.isascii() and text.isdecimal() and (len(text) > 8 or int(text) == 0):
            return min(int(text[:16]), LATEST_MS)
        # A plus sign that nobody has encoded arrives as a space.
        return parse_date(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except (ValueError, OverflowError):
        errors[name] = FieldError(
            "validation_invalid_date", "Milliseconds since 1970, or a date such as 2026-01-02T03:04:05Z."
        )
        return default_ms


def _read_resolution(text: str, errors: dict[str, FieldError]) -> int | None:
    """Seconds, or a duration such as `1m`; nothing and `raw` is every sample."""
    if text in {"", "raw"}:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1] in _UNITS else (text, "")
    if number.isascii() and number.isdecimal() and len(number) <= 8:
        seconds = int(number) * _UNITS[unit]
        if 1 <= seconds <= MAX_RESOLUTION_SECONDS:
            return seconds
    errors["resolution"] = FieldError("validation_invalid", "`raw`, seconds, or a duration such as 1m, 10m, 8h or 1d.")
    return None


def _read_after(text: str, chosen: Format, errors: dict[str, FieldError]) -> Position | None:
    if not text:
        return None
    if not chosen.can_go_on:
        errors["after"] = FieldError("validation_not_allowed", "Only csv and jsonl go on after a line.")
        return None
    try:
        return parse_position(text)
    except ValueError:
        errors["after"] = FieldError(
            "validation_invalid", "SYSTEM,MILLISECONDS,METRIC of the last line, in this order."
        )
        return None
