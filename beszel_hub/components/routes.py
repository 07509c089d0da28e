"""`/api/beszel/processes`, `systemd/info` and `smart/refresh`: what only the agent can tell."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.components.details import ComponentDetails
from beszel_hub.errors import BadRequest
from beszel_hub.records.response import JsonResponse
from beszel_protocol.processes import MAX_PROCESSES, ProcessesQuery


async def get_processes(request: Request) -> Response:
    details: ComponentDetails = request.app.state.component_details
    told = await details.processes(
        request.state.actor, request.query_params.get("system", ""), _read_query(request.query_params)
    )
    return JsonResponse(msgspec.to_builtins(told))


async def get_service(request: Request) -> Response:
    details: ComponentDetails = request.app.state.component_details
    parameters = request.query_params
    found = await details.service(request.state.actor, parameters.get("system", ""), parameters.get("service", ""))
    return JsonResponse({"details": found})


async def refresh_disks(request: Request) -> Response:
    details: ComponentDetails = request.app.state.component_details
    await details.refresh_disks(request.state.actor, request.query_params.get("system", ""))
    return JsonResponse({"status": "ok"})


def _read_query(parameters: Mapping[str, str]) -> ProcessesQuery:
    wanted = {name: parameters[name] for name in ("by", "limit") if name in parameters}
    try:
        return msgspec.convert(wanted, ProcessesQuery, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"`by` is cpu, memory or io; `limit` a number from 1 to {MAX_PROCESSES}.") from error


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/processes", get_processes, methods=["GET"]),
    Route("/api/beszel/systemd/info", get_service, methods=["GET"]),
    Route("/api/beszel/smart/refresh", refresh_disks, methods=["POST"]),
)
