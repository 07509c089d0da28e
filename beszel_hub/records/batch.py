"""`POST /api/batch`: several writes in one transaction, in the form in which PocketBase's clients send them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from beszel_hub.errors import BadRequest, BatchFailed, FieldError, HubError
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Collection, Row
from beszel_hub.records.writes import Planner, Write

MAX_REQUESTS: Final = 50
_MAX_URL_LENGTH: Final = 4096
_PATH = re.compile(r"/api/collections/(?P<collection>\w{1,100})/records(?:/(?P<id>\w{1,100}))?", re.ASCII)


class BatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One of the requests, as it would be made by itself; headers are those of the whole."""

    method: str
    url: str
    body: dict[str, Any] | None = None


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one of the requests."""

    status: int
    body: Row | None


class Known(Protocol):
    """What there is to write to."""

    def collection(self, name: str) -> Collection: ...

    async def exists(self, collection: Collection, record_id: str) -> bool: ...


def parse_batch(body: Row) -> list[BatchRequest]:
    """The requests in `{"requests": […]}`; raise `BadRequest` for anything else, or too many."""
    requests = body.get("requests")
    if not requests:
        raise _invalid("validation_required", "Cannot be blank.")
    if isinstance(requests, list) and len(requests) > MAX_REQUESTS:
        raise _invalid("validation_length_too_long", f"The length must be no more than {MAX_REQUESTS}.")
    try:
        return msgspec.convert(requests, list[BatchRequest])
    except msgspec.ValidationError as error:
        raise _invalid("validation_invalid_value", "These are no requests.") from error


async def plan_batch(planner: Planner, known: Known, actor: Actor, requests: Sequence[BatchRequest]) -> list[Write]:
    """Raise `BatchFailed` for the first that cannot even be planned."""
    made: set[tuple[str, str]] = set()
    writes = []
    for index, request in enumerate(requests):
        try:
            writes.append(await _plan(planner, known, actor, request, made))
        except HubError as error:
            raise BatchFailed(index, error) from error
    return writes


async def _plan(
    planner: Planner, known: Known, actor: Actor, request: BatchRequest, made: set[tuple[str, str]]
) -> Write:
    """`made` are the records with a chosen id that earlier requests of the batch create."""
    name, record_id, parameters = _read_url(request.url)
    collection, body = known.collection(name), request.body or {}
    method = request.method.upper()
    if method == "PUT" and not record_id:
        record_id = str(body.get("id") or "")
        is_there = (collection.name, record_id) in made or await known.exists(collection, record_id)
        method, record_id = ("PATCH", record_id) if is_there else ("POST", "")
    if method == "POST" and not record_id:
        made.add((collection.name, str(body.get("id") or "")))
        return await planner.create(actor, collection, body, parameters)
    if method == "PATCH" and record_id:
        is_new = (collection.name, record_id) in made
        return await planner.update(actor, collection, record_id, body, parameters, is_new=is_new)
    if method == "DELETE" and record_id:
        return planner.delete(actor, collection, record_id)
    raise BadRequest("A batch takes creates, updates, upserts and deletes of records.")


def _read_url(url: str) -> tuple[str, str, Mapping[str, str]]:
    """Collection, id or an empty text, and parameters."""
    try:
        parts = urlsplit(url[:_MAX_URL_LENGTH])
        parameters = dict(parse_qsl(parts.query, max_num_fields=20))
    except ValueError as error:
        raise BadRequest("This is no address of records.") from error
    match = _PATH.fullmatch(parts.path)
    if match is None or parts.netloc or len(url) > _MAX_URL_LENGTH:
        raise BadRequest("This is no address of records.")
    return match["collection"], match["id"] or "", parameters


def _invalid(code: str, message: str) -> BadRequest:
    return BadRequest("Invalid batch request data.", data={"requests": FieldError(code, message)})
