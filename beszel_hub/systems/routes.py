"""What there is about enrolment beside the collections: the universal token in Beszel's form, and `config.yml`."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.errors import Forbidden
from beszel_hub.permissions import require
from beszel_hub.records.response import JsonResponse
from beszel_hub.systems.service import Systems

_SWITCH: Final = {"1": True, "true": True, "0": False, "false": False}


async def universal_token(request: Request) -> Response:
    """Show, enable or disable the caller's universal token; `enable` and `permanent` are 0 or 1."""
    actor = require(request.state.actor, Action.UNIVERSAL_TOKEN)
    if actor.system_ids is not None:
        raise Forbidden
    parameters = request.query_params
    enable = _SWITCH.get(parameters.get("enable", ""))
    if enable is not None and actor.session_id is None and actor.token_id is None:
        # Named by a proxy, by whose cookie any page can make a browser GET this.
        raise Forbidden("This needs a token.")
    answer = await _systems(request).universal_token(
        actor, token=parameters.get("token", ""), enable=enable,
        is_permanent=_SWITCH.get(parameters.get("permanent", ""), False),
    )  # fmt: skip
    return JsonResponse(answer)


async def config_yaml(request: Request) -> Response:
    """Every system with its token, as `config.yml` has it."""
    require(request.state.actor, Action.CONFIG_YAML)
    return JsonResponse({"config": await _systems(request).write_declaration()})


def _systems(request: Request) -> Systems:
    systems: Systems = request.app.state.systems
    return systems


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/universal-token", universal_token, methods=["GET"]),
    Route("/api/beszel/config-yaml", config_yaml, methods=["GET"]),
)
