"""`/api/beszel/systemd/info` and `/api/beszel/smart/refresh`: what only the agent can tell."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.components.details import ComponentDetails
from beszel_hub.records.response import JsonResponse


async def get_service(request: Request) -> Response:
    details: ComponentDetails = request.app.state.component_details
    parameters = request.query_params
    found = await details.service(request.state.actor, parameters.get("system", ""), parameters.get("service", ""))
    return JsonResponse({"details": found})


async def refresh_disks(request: Request) -> Response:
    details: ComponentDetails = request.app.state.component_details
    await details.refresh_disks(request.state.actor, request.query_params.get("system", ""))
    return JsonResponse({"status": "ok"})


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/systemd/info", get_service, methods=["GET"]),
    Route("/api/beszel/smart/refresh", refresh_disks, methods=["POST"]),
)
