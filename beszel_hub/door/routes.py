"""What needs no token: whether the hub is well, and the making of its first user.

Without a token there is nothing that a page which rebinds its own name could not send too, so those who make the first
user must call the hub by a name of its own, and no page of another site may make their browser do it.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.accounts.first import FirstUser
from beszel_hub.door.origins import is_from_other_site, require_known_host
from beszel_hub.errors import Forbidden, NotFound, invalid_field
from beszel_hub.permissions import Action, Decision, decide
from beszel_hub.records.response import JsonResponse, read_object
from beszel_hub.records.service import Records


async def health(request: Request) -> Response:
    """Whether the hub serves and its database answers."""
    records: Records = request.app.state.records
    await records.check()
    return JsonResponse({"code": 200, "message": "The hub is well.", "data": {}})


async def first_run(request: Request) -> Response:
    """Whether the first user is still to be made."""
    return JsonResponse({"firstRun": await _first_user(request, Action.FIRST_RUN).is_due()})


async def create_user(request: Request) -> Response:
    """Raises `NotFound` once there is a user."""
    first_user = _first_user(request, Action.CREATE_FIRST_USER)
    body = await read_object(request)
    texts = {name: body.get(name) for name in ("email", "password")}
    for name, text in texts.items():
        if not isinstance(text, str) or not text:
            raise invalid_field(name, "validation_required", "This cannot be empty.")
    await first_user.create(str(texts["email"]), str(texts["password"]))
    return JsonResponse({"msg": "User created"})


def _first_user(request: Request, action: Action) -> FirstUser:
    if decide(request.state.actor, action) is not Decision.ALLOW:
        raise NotFound
    require_known_host(request, request.app.state.config)
    if is_from_other_site(request.headers, request.app.state.config):
        raise Forbidden("A page of another site asks for this; if it is the hub's own, set APP_URL.")
    first_user: FirstUser = request.app.state.first_user
    return first_user


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/health", health, methods=["GET"]),
    Route("/api/beszel/first-run", first_run, methods=["GET"]),
    Route("/api/beszel/create-user", create_user, methods=["POST"]),
)
