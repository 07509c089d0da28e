"""The parameters of `/api/beszel/series`, checked."""

from collections.abc import Mapping
from typing import Final

from beszel_hub.errors import BadRequest, FieldError
from beszel_hub.metrics.history import DEFAULT_POINTS, SeriesQuery
from beszel_hub.records.dates import parse_date
from beszel_protocol.addresses import Address, InvalidAddress, parse_addresses
from beszel_protocol.timestamps import LATEST_MS

MAX_ADDRESSES: Final = 64
MAX_POINTS: Final = 5000
DEFAULT_SPAN_MS: Final = 3_600_000
_MAX_TEXT_LENGTH: Final = 8192


def parse_series_query(parameters: Mapping[str, str], now_ms: int) -> SeriesQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    errors: dict[str, FieldError] = {}
    system_id = parameters.get("system", "")
    if not system_id:
        errors["system"] = FieldError("validation_required", "Names the system.")
    addresses = _read_addresses(parameters.get("metric", ""), errors)
    to_ms = _read_instant(parameters, "to", now_ms, errors)
    from_ms = _read_instant(parameters, "from", to_ms - DEFAULT_SPAN_MS, errors)
    if from_ms >= to_ms and not errors:
        errors["from"] = FieldError("validation_invalid", "Must be before `to`.")
    points = _read_points(parameters.get("points", ""), errors)
    if errors:
        raise BadRequest("The series cannot be read.", data=errors)
    return SeriesQuery(system_id=system_id, addresses=addresses, from_ms=max(0, from_ms), to_ms=to_ms, points=points)


def _read_addresses(text: str, errors: dict[str, FieldError]) -> tuple[Address, ...]:
    if not text:
        errors["metric"] = FieldError(
            "validation_required", "One or more addresses of series, such as cpu.usage_percent."
        )
        return ()
    if len(text) > _MAX_TEXT_LENGTH:
        errors["metric"] = FieldError("validation_max_length", f"At most {_MAX_TEXT_LENGTH} characters.")
        return ()
    try:
        addresses = tuple(dict.fromkeys(parse_addresses(text)))
    except InvalidAddress as error:
        errors["metric"] = FieldError("validation_invalid", f"{error}.")
        return ()
    unknown = [str(address) for address in addresses if address.metric is None]
    if unknown:
        errors["metric"] = FieldError("validation_unknown", f"There is no metric {unknown[0]!r}.")
    elif len(addresses) > MAX_ADDRESSES:
        errors["metric"] = FieldError("validation_max_items", f"At most {MAX_ADDRESSES} series at once.")
    return addresses


def _read_instant(parameters: Mapping[str, str], name: str, default_ms: int, errors: dict[str, FieldError]) -> int:
    """Milliseconds since the epoch, RFC 3339, or PocketBase's form of a date."""
    text = parameters.get(name, "").strip()
    if not text:
        return default_ms
    if text.isascii() and text.isdecimal() and len(text) > 8:
        if len(text) <= 15 and int(text) <= LATEST_MS:
            return int(text)
    else:
        try:
            return parse_date(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
        except (ValueError, OverflowError):
            pass
    errors[name] = FieldError(
        "validation_invalid_date", "Milliseconds since 1970, or a date such as 2026-01-02T03:04:05Z."
    )
    return default_ms


def _read_points(text: str, errors: dict[str, FieldError]) -> int:
    if not text:
        return DEFAULT_POINTS
    if text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= MAX_POINTS:
        return int(text)
    errors["points"] = FieldError("validation_out_of_range", f"A whole number from 1 to {MAX_POINTS}.")
    return DEFAULT_POINTS
