"""`GET /api/beszel/series`: the readings behind every chart."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.clock import Clock
from beszel_hub.errors import Unauthorized
from beszel_hub.metrics.history import History
from beszel_hub.metrics.series_query import parse_series_query
from beszel_hub.permissions import Action, Actor, Decision, decide


async def get_series(request: Request) -> Response:
    actor: Actor = request.state.actor
    history: History = request.app.state.history
    clock: Clock = request.app.state.clock
    if decide(actor, Action.SERIES) is not Decision.ALLOW:
        raise Unauthorized
    answer = await history.series(actor, parse_series_query(request.query_params, clock()))
    return Response(msgspec.json.encode(answer), media_type="application/json", headers={"Cache-Control": "no-store"})


ROUTES: Final[tuple[BaseRoute, ...]] = (Route("/api/beszel/series", get_series, methods=["GET"]),)
