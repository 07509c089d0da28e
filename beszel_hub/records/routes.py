"""`/api/collections/{collection}/records` and `/api/batch`: thin handlers over the `Records` of the application."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.permissions import Actor
from beszel_hub.records.batch import parse_batch
from beszel_hub.records.response import JsonResponse, read_object
from beszel_hub.records.service import Records


async def list_records(request: Request) -> Response:
    return JsonResponse(await _records(request).page(_actor(request), _name(request), request.query_params))


async def view_record(request: Request) -> Response:
    record = await _records(request).view(_actor(request), _name(request), _id(request), request.query_params)
    return JsonResponse(record)


async def create_record(request: Request) -> Response:
    body = await read_object(request)
    return JsonResponse(await _records(request).create(_actor(request), _name(request), body, request.query_params))


async def update_record(request: Request) -> Response:
    body = await read_object(request)
    record = await _records(request).update(_actor(request), _name(request), _id(request), body, request.query_params)
    return JsonResponse(record)


async def delete_record(request: Request) -> Response:
    await _records(request).delete(_actor(request), _name(request), _id(request))
    return Response(status_code=204)


async def run_batch(request: Request) -> Response:
    """Raises `BatchFailed` if one of the requests cannot be done; then none is."""
    requests = parse_batch(await read_object(request))
    return JsonResponse(await _records(request).batch(_actor(request), requests))


def _records(request: Request) -> Records:
    records: Records = request.app.state.records
    return records


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


def _name(request: Request) -> str:
    return str(request.path_params["collection"])


def _id(request: Request) -> str:
    return str(request.path_params["id"])


_RECORDS: Final = "/api/collections/{collection}/records"

ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route(_RECORDS, list_records, methods=["GET"]),
    Route(_RECORDS, create_record, methods=["POST"]),
    Route(f"{_RECORDS}/{{id}}", view_record, methods=["GET"]),
    Route(f"{_RECORDS}/{{id}}", update_record, methods=["PATCH"]),
    Route(f"{_RECORDS}/{{id}}", delete_record, methods=["DELETE"]),
    Route("/api/batch", run_batch, methods=["POST"]),
)
