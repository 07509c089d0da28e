"""`GET /api/beszel/update`: the newest version, for clients that were told in `info` that they may ask."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.errors import NotFound, Unauthorized
from beszel_hub.permissions import Decision, decide
from beszel_hub.records.response import JsonResponse
from beszel_hub.updates.releases import Releases


async def get_update(request: Request) -> Response:
    """The newest version, if the hub looks for updates."""
    if decide(request.state.actor, Action.UPDATE) is not Decision.ALLOW:
        raise Unauthorized
    releases: Releases | None = request.app.state.releases
    if releases is None:
        raise NotFound("This hub does not look for updates.")
    return JsonResponse(await releases.newest())


ROUTES: Final[tuple[BaseRoute, ...]] = (Route("/api/beszel/update", get_update, methods=["GET"]),)
