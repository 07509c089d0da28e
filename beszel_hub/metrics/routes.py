"""Questions about history over HTTP: the readings behind every chart, and what follows from them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.errors import Forbidden, Unauthorized
from beszel_hub.metrics.forecast import parse_forecast_query
from beszel_hub.metrics.history import History
from beszel_hub.metrics.ranking import parse_ranking_query
from beszel_hub.metrics.series_query import parse_series_query
from beszel_hub.metrics.storage import measure_store
from beszel_hub.metrics.traffic import parse_traffic_query
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.records.response import JsonResponse

QueryT = TypeVar("QueryT")


async def get_series(request: Request) -> Response:
    return await _answer(request, Action.SERIES, parse_series_query, _history(request).series)


async def get_traffic(request: Request) -> Response:
    return await _answer(request, Action.TRAFFIC, parse_traffic_query, _history(request).traffic)


async def get_top(request: Request) -> Response:
    return await _answer(request, Action.TOP, parse_ranking_query, _history(request).top)


async def get_forecast(request: Request) -> Response:
    return await _answer(request, Action.FORECAST, parse_forecast_query, _history(request).forecast)


async def get_store(request: Request) -> Response:
    """What the database takes, and what for."""
    actor: Actor = request.state.actor
    decision = decide(actor, Action.STORE)
    if decision is Decision.UNAUTHENTICATED:
        raise Unauthorized
    if decision is not Decision.ALLOW or not actor.sees_everybody:
        raise Forbidden
    state = request.app.state
    return JsonResponse(await measure_store(state.database, state.config))


async def _answer(
    request: Request, action: Action, parse: Callable[[Mapping[str, str], int], QueryT],
    ask: Callable[[Actor, QueryT], Awaitable[Any]],
) -> Response:  # fmt: skip
    actor: Actor = request.state.actor
    if decide(actor, action) is not Decision.ALLOW:
        raise Unauthorized
    answer = await ask(actor, parse(request.query_params, request.app.state.clock()))
    return Response(msgspec.json.encode(answer), media_type="application/json", headers={"Cache-Control": "no-store"})


def _history(request: Request) -> History:
    history: History = request.app.state.history
    return history


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/series", get_series, methods=["GET"]),
    Route("/api/beszel/traffic", get_traffic, methods=["GET"]),
    Route("/api/beszel/top", get_top, methods=["GET"]),
    Route("/api/beszel/forecast", get_forecast, methods=["GET"]),
    Route("/api/beszel/store", get_store, methods=["GET"]),
)
