"""Templates of messages: `${field}` of declared fields, and nothing that could be evaluated. Pure.

A template of text is filled in once; what is filled in is never looked at again. A template of JSON is parsed first and
filled in string by string, so no value can become anything but a value.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

Value: TypeAlias = str | int | float | None

FIELDS: Final = (
    "alert", "at", "count", "key", "kind", "link", "peak", "rule", "severity", "since", "system", "target", "text",
    "threshold", "title", "value",
)  # fmt: skip
MAX_TEMPLATE_LENGTH: Final = 8192
MAX_SUBJECT_TEMPLATE_LENGTH: Final = 512
_MAX_DEPTH: Final = 20
_FIELD: Final = re.compile(r"\$(?:\{([a-z_]{1,32})\}|(\$)|)", re.ASCII)


def fill_text(template: str, values: Mapping[str, Value]) -> str:
    """`$$` is a dollar; a field without a value is empty. `template` was checked."""
    return _FIELD.sub(lambda match: "$" if match[2] else _show(values[match[1]]), template)


def fill_json(template: str, values: Mapping[str, Value]) -> bytes:
    """A string that is one field as a whole becomes its value: a number, a text, or null."""
    return msgspec.json.encode(_fill(msgspec.json.decode(template), values))


def check_text(template: str) -> None:
    """Raise ValueError with a sentence for a field that is not declared."""
    for match in _FIELD.finditer(template):
        if match[2]:
            continue
        if match[1] is None:
            raise ValueError("Write $$ for a dollar, and ${text} for a field.")
        if match[1] not in FIELDS:
            raise ValueError(f"There is no field {match[1]}; there are {', '.join(FIELDS)}.")


def check_subject(template: str) -> None:
    """Likewise, and for what would be more than one line."""
    if not template.isprintable():
        raise ValueError("A subject is one line, without control characters.")
    check_text(template)


def check_json(template: str) -> None:
    """Raise ValueError with a sentence for what is no JSON or names a field that is not declared."""
    try:
        document = msgspec.json.decode(template)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("The body of a webhook is a JSON document.") from error
    for text in _strings(document, 0):
        check_text(text)


def _strings(value: Any, depth: int) -> list[str]:
    if depth > _MAX_DEPTH:
        raise ValueError(f"A JSON document has at most {_MAX_DEPTH} levels here.")
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item, depth + 1)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item, depth + 1)]
    return []


def _fill(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, str):
        whole = _FIELD.fullmatch(value)
        return values[whole[1]] if whole is not None and whole[1] else fill_text(value, values)
    if isinstance(value, dict):
        return {name: _fill(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    return value


def _show(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
