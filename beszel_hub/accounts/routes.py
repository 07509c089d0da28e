"""Login and refresh, in PocketBase's form."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.accounts.service import Accounts, Login
from beszel_hub.errors import BadRequest, FieldError, Unauthorized
from beszel_hub.permissions import Action, Actor, Decision, decide
from beszel_hub.records.response import JsonResponse, read_object
from beszel_hub.records.service import Records

_METHODS: Final = {
    "password": {"enabled": True, "identityFields": ["email", "username"]},
    "oauth2": {"enabled": False, "providers": []},
    "mfa": {"enabled": False, "duration": 0},
    "otp": {"enabled": False, "duration": 0},
    # Names that older clients look for.
    "usernamePassword": True,
    "emailPassword": True,
    "authProviders": [],
}


async def auth_methods(_: Request) -> Response:
    return JsonResponse(_METHODS)


async def auth_with_password(request: Request) -> Response:
    body = await read_object(request)
    identity, password = _required_text(body, "identity"), _required_text(body, "password")
    login = await _accounts(request).log_in(identity, password, _address(request))
    return await _answer(request, login)


async def auth_refresh(request: Request) -> Response:
    actor: Actor = request.state.actor
    if decide(actor, Action.AUTH_REFRESH) is not Decision.ALLOW:
        raise Unauthorized
    return await _answer(request, await _accounts(request).refresh(actor, request.headers["authorization"]))


async def _answer(request: Request, login: Login) -> Response:
    records: Records = request.app.state.records
    user_id = login.actor.user_id or ""
    record = await records.render_one(login.actor, "users", user_id, request.query_params)
    return JsonResponse({"token": login.token, "record": record})


def _required_text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(data={name: FieldError("validation_required", "This cannot be empty.")})
    return value


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/collections/users/auth-methods", auth_methods, methods=["GET"]),
    Route("/api/collections/users/auth-with-password", auth_with_password, methods=["POST"]),
    Route("/api/collections/users/auth-refresh", auth_refresh, methods=["POST"]),
)
