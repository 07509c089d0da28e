"""What needs neither a token nor a name."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.records.response import JsonResponse
from beszel_hub.records.service import Records


async def health(request: Request) -> Response:
    """Whether the hub serves and its database answers."""
    records: Records = request.app.state.records
    await records.check()
    return JsonResponse({"code": 200, "message": "The hub is well.", "data": {}})


ROUTES: Final[tuple[BaseRoute, ...]] = (Route("/api/health", health, methods=["GET"]),)
