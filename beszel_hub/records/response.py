"""JSON in and out, by msgspec."""

from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beszel_hub.errors import BadRequest

JSON_FIELD: Final = "@jsonPayload"
MAX_FORM_FIELDS: Final = 200
MAX_PART_BYTES: Final = 1 << 20

_decoder: Final = msgspec.json.Decoder()
_encoder: Final = msgspec.json.Encoder()


class JsonResponse(Response):
    """Anything msgspec encodes: structs, dicts, lists."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encoder.encode(content)


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body, empty if there is no body; raise `BadRequest` for anything else.

    A form counts too, as PocketBase's clients send one: its fields are texts, but for the JSON in `@jsonPayload`.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return _unwrap(await _read_form(request))
    body = await request.body()
    return _unwrap(_decode_object(body)) if body.strip() else {}


async def _read_form(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    try:
        async with request.form(max_files=0, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_PART_BYTES) as form:
            for name in form:
                values = [value for value in form.getlist(name) if isinstance(value, str)]
                fields[name] = values[0] if len(values) == 1 else values
    except HTTPException as error:
        raise BadRequest("The form is not valid.") from error
    return fields


def _unwrap(fields: dict[str, Any]) -> dict[str, Any]:
    payload = fields.pop(JSON_FIELD, None)
    return {**fields, **_decode_object(payload)} if isinstance(payload, str) else fields


def _decode_object(text: bytes | str) -> dict[str, Any]:
    try:
        value = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadRequest("The body must be a JSON object.") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
