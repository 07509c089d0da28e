"""JSON in and out, by msgspec."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from beszel_hub.errors import BadRequest

_decoder: Final = msgspec.json.Decoder()
_encoder: Final = msgspec.json.Encoder()


class JsonResponse(Response):
    """Anything msgspec encodes: structs, dicts, lists."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encoder.encode(content)


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body, empty if there is no body; raise `BadRequest` for anything else."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The body must be a JSON object.") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
