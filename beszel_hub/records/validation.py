"""Checks the values of a create or an update against the declared fields; every complaint at once, by field."""

import math
from collections.abc import Callable
from typing import Any, Final

import msgspec

from beszel_hub.errors import BadRequest, FieldError
from beszel_hub.records.dates import parse_date
from beszel_hub.records.literals import parse_number
from beszel_hub.records.registry import Collection, Field, Kind, Row
from beszel_hub.store.ids import ID_LENGTH, is_id
from beszel_protocol.hygiene import clean_lines, clean_text

CREATE_FAILED: Final = "Failed to create record."
UPDATE_FAILED: Final = "Failed to update record."

_BOOLS: Final[dict[object, bool]] = {
    True: True, False: False, None: False, "true": True, "false": False, "1": True, "0": False, "": False,
}  # fmt: skip


class _Wrong(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.error = FieldError(code, message)


def check_create(collection: Collection, body: Row) -> Row:
    """Checked values of the fields that a create may set; unknown and read-only ones are ignored."""
    fields = [field for field in collection.fields if field.in_create]
    return _check(fields, body, CREATE_FAILED, require_missing=True)


def check_update(collection: Collection, body: Row) -> Row:
    """Checked values of the fields that an update may set and the body has."""
    fields = [field for field in collection.fields if field.in_update]
    return _check(fields, body, UPDATE_FAILED, require_missing=False)


def _check(fields: list[Field], body: Row, summary: str, *, require_missing: bool) -> Row:
    values: Row = {}
    errors: dict[str, FieldError] = {}
    for field in fields:
        if field.name not in body and not (require_missing and field.is_required):
            continue
        try:
            values[field.name] = _check_field(field, body.get(field.name))
        except _Wrong as wrong:
            errors[field.name] = wrong.error
    if errors:
        raise BadRequest(summary, data=errors)
    if "id" in values and not values["id"]:
        del values["id"]
    return values


def _check_field(field: Field, raw: Any) -> Any:
    value = _CHECKS[field.kind](field, raw)
    if field.is_required and (value is None or value in ("", [])):
        raise _Wrong("validation_required", "This cannot be empty.")
    return value


def _check_text(field: Field, raw: Any) -> str:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raw = str(raw)  # clients send ports as numbers
    if raw is not None and not isinstance(raw, str):
        raise _Wrong("validation_invalid_value", "This must be a text.")
    if len(raw or "") > field.max_length:
        raise _Wrong("validation_max_text_constraint", f"This has at most {field.max_length} characters.")
    clean = clean_lines if field.has_lines else clean_text
    text = clean(raw or "", field.max_length).strip()
    if field.name == "id" and text and not is_id(text):
        raise _Wrong("validation_invalid_format", f"An id has {ID_LENGTH} characters of a-z and 0-9.")
    if text and len(text) < field.min_length:
        raise _Wrong("validation_min_text_constraint", f"This has at least {field.min_length} characters.")
    if text and field.choices and text not in field.choices:
        raise _Wrong("validation_invalid_value", f"This is one of {', '.join(field.choices)}.")
    return text


def _check_number(field: Field, raw: Any) -> float | int | None:
    if raw is None or raw == "":
        return None
    try:
        value = parse_number(raw) if isinstance(raw, str) else raw
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except (ValueError, OverflowError) as error:
        raise _Wrong("validation_invalid_value", "This must be a number.") from error
    if not is_number:
        raise _Wrong("validation_invalid_value", "This must be a number.")
    if field.low is not None and value < field.low:
        raise _Wrong("validation_min_number_constraint", f"This is at least {field.low:g}.")
    if field.high is not None and value > field.high:
        raise _Wrong("validation_max_number_constraint", f"This is at most {field.high:g}.")
    return value


def _check_bool(_: Field, raw: Any) -> bool:
    if not isinstance(raw, int | str | None) or raw not in _BOOLS:
        raise _Wrong("validation_invalid_value", "This must be true or false.")
    return _BOOLS[raw]


def _check_date(_: Field, raw: Any) -> int | None:
    if raw is None or raw == "":
        return None
    try:
        return parse_date(raw)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _Wrong("validation_invalid_date", "This must be a date such as 2026-11-22 10:30:00.000Z.") from error


def _check_json(field: Field, raw: Any) -> Any:
    if len(msgspec.json.encode(raw)) > field.max_length:
        raise _Wrong("validation_json_size_limit", f"This has at most {field.max_length} bytes.")
    return raw


def _check_list(field: Field, raw: Any) -> list[str]:
    items = [raw] if isinstance(raw, str) and raw else raw or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _Wrong("validation_invalid_value", "This must be a list of texts.")
    if len(items) > field.max_length:
        raise _Wrong("validation_too_many_values", f"This has at most {field.max_length} items.")
    cleaned = (clean_text(item).strip() for item in items)
    return list(dict.fromkeys(item for item in cleaned if item))


def _check_password(_: Field, raw: Any) -> str:
    if raw is not None and not isinstance(raw, str):
        raise _Wrong("validation_invalid_value", "This must be a text.")
    return raw or ""


_CHECKS: Final[dict[Kind, Callable[[Field, Any], Any]]] = {
    Kind.TEXT: _check_text,
    Kind.NUMBER: _check_number,
    Kind.BOOL: _check_bool,
    Kind.DATE: _check_date,
    Kind.JSON: _check_json,
    Kind.LIST: _check_list,
    Kind.RELATION: _check_text,
    Kind.RELATIONS: _check_list,
    Kind.PASSWORD: _check_password,
}
