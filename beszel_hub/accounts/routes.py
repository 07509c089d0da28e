"""Logging in, in PocketBase's form, for both collections that have users: `users` and `_superusers`."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.accounts.addresses import Addresses
from beszel_hub.accounts.landing import CHANGE, CONFIRM, LANDED, LOST, RESET, VERIFY, Page
from beszel_hub.accounts.letters import CHANGE_PATH, RESET_PATH, VERIFY_PATH
from beszel_hub.accounts.logins import Attempt, Logins, SecondMethodNeeded
from beszel_hub.accounts.mailroom import Mailroom
from beszel_hub.accounts.methods import describe_methods, describe_profile
from beszel_hub.accounts.outsiders import Answer, Outsiders
from beszel_hub.accounts.recovery import Recovery
from beszel_hub.accounts.service import Accounts, Login, bare
from beszel_hub.accounts.sessions import Visitor
from beszel_hub.accounts.tokens import COLLECTION_IDS, peek
from beszel_hub.actions import Action
from beszel_hub.errors import BadRequest, FieldError, Forbidden, NotFound, Unauthorized
from beszel_hub.live.realtime import Realtime
from beszel_hub.live.subscriptions import LOGIN_TOPIC
from beszel_hub.permissions import Actor, Decision, decide, require
from beszel_hub.records.response import JsonResponse, read_object
from beszel_hub.records.service import Records

MAX_TEXT_LENGTH: Final = 4096
Handler = Callable[[Request], Awaitable[Response]]


async def auth_methods(request: Request) -> Response:
    return JsonResponse(describe_methods(_logins(request).policy, await _outsiders(request).ways()))


async def auth_with_password(request: Request) -> Response:
    body = await read_object(request)
    identity, password = _required_text(body, "identity"), _required_text(body, "password")
    return await _answer(request, _logins(request).with_password(identity, password, _attempt(request, body)))


async def request_otp(request: Request) -> Response:
    body = await read_object(request)
    email = _required_text(body, "email")
    if not _logins(request).policy.has_codes:
        raise Forbidden("This hub sends no codes.")
    code_id = _mailroom(request).request_code(email, _visitor(request).address, _collection(request))
    return JsonResponse({"otpId": code_id})


async def auth_with_otp(request: Request) -> Response:
    body = await read_object(request)
    code_id, code = _required_text(body, "otpId"), _required_text(body, "password")
    return await _answer(request, _logins(request).with_code(code_id, code, _attempt(request, body)))


async def auth_with_oauth2(request: Request) -> Response:
    body = await read_object(request)
    redirect_url = body.get("redirectURL") or body.get("redirectUrl")
    answer = Answer(
        _required_text(body, "provider"), _required_text(body, "code"), _required_text(body, "codeVerifier"),
        _required_text({"redirectURL": redirect_url}, "redirectURL"),
    )  # fmt: skip
    try:
        welcome = await _outsiders(request).log_in(request.state.actor, answer, _attempt(request, body))
    except SecondMethodNeeded as needed:
        return JsonResponse({"mfaId": needed.mfa_id}, status_code=needed.status)
    record = await _show_user(request, welcome.login)
    meta = describe_profile(welcome.profile, is_new=welcome.is_new)
    return JsonResponse({"token": welcome.login.token, "record": record, "meta": meta})


async def come_back(request: Request) -> Response:
    """Where a provider sends browsers back to, for clients that wait at the event stream by the id in `state`.

    Anybody can send people to the provider with a `state` of their own and wait for what those come back with. So what
    came goes on by itself only to a client at the same address; else the person is asked.
    """
    realtime: Realtime = request.app.state.realtime
    stream = realtime.streams.find(request.query_params.get("state", ""))
    if stream is not None and stream.address != _visitor(request).address:
        return _html(CONFIRM)
    return _html(LANDED if _tell_client(request) else LOST)


async def confirm_coming_back(request: Request) -> Response:
    """Somebody says that the client which waits for them at another address is theirs."""
    if not _tell_client(request):
        raise NotFound
    return Response(status_code=204)


def _tell_client(request: Request) -> bool:
    """Send the client that waits what the browser has brought; whether that is what it waits for."""
    query = request.query_params
    found = {name: str(query.get(name, ""))[:MAX_TEXT_LENGTH] for name in ("state", "code", "error")}
    realtime: Realtime = request.app.state.realtime
    is_told = bool(found["state"]) and realtime.send(found["state"], LOGIN_TOPIC, found)
    return is_told and not found["error"]


async def reset_page(_: Request) -> Response:
    """Where the link of a mail leads; the token in it never comes here."""
    return _html(RESET)


async def auth_refresh(request: Request) -> Response:
    actor: Actor = request.state.actor
    if decide(actor, Action.AUTH_REFRESH) is not Decision.ALLOW:
        raise Unauthorized
    token, collection = request.headers.get("authorization", ""), _collection(request)
    claims = peek(bare(token))
    if claims is not None and claims.collectionId != COLLECTION_IDS[collection]:
        raise Forbidden("This token is of another collection.")
    accounts: Accounts = request.app.state.accounts
    return await _answer(request, accounts.refresh(actor, token, _visitor(request), collection))


async def request_password_reset(request: Request) -> Response:
    body = await read_object(request)
    email = _required_text(body, "email")
    if not _logins(request).policy.password:
        raise Forbidden("This hub does not take passwords.")
    _mailroom(request).request_reset(email, _visitor(request).address, _collection(request))
    return Response(status_code=204)


async def confirm_password_reset(request: Request) -> Response:
    body = await read_object(request)
    token, password = _required_text(body, "token"), _required_text(body, "password")
    if not _logins(request).policy.password:
        raise Forbidden("This hub does not take passwords.")
    recovery: Recovery = request.app.state.recovery
    await recovery.confirm(token, password, _required_text(body, "passwordConfirm"), _visitor(request).address)
    return Response(status_code=204)


async def request_verification(request: Request) -> Response:
    body = await read_object(request)
    email = _required_text(body, "email")
    _mailroom(request).request_verification(email, _visitor(request).address)
    return Response(status_code=204)


async def confirm_verification(request: Request) -> Response:
    token = _required_text(await read_object(request), "token")
    await _addresses(request).confirm(token, _visitor(request).address)
    return Response(status_code=204)


async def request_email_change(request: Request) -> Response:
    """For a login only: neither an API token nor a proxy's word moves an account to another mailbox."""
    actor: Actor = request.state.actor
    require(actor, Action.REQUEST_EMAIL_CHANGE)
    if actor.session_id is None:
        raise Forbidden("This needs a login.")
    if not _logins(request).policy.password:
        raise Forbidden("This hub does not take passwords.")
    new_email = _required_text(await read_object(request), "newEmail")
    _mailroom(request).request_change(actor.user_id or "", new_email, _visitor(request).address, _collection(request))
    return Response(status_code=204)


async def confirm_email_change(request: Request) -> Response:
    body = await read_object(request)
    token, password = _required_text(body, "token"), _required_text(body, "password")
    if not _logins(request).policy.password:
        raise Forbidden("This hub does not take passwords.")
    await _addresses(request).change(token, password, _visitor(request).address)
    return Response(status_code=204)


async def verify_page(_: Request) -> Response:
    """Like `reset_page`."""
    return _html(VERIFY)


async def change_page(_: Request) -> Response:
    """Like `reset_page`."""
    return _html(CHANGE)


async def log_out(request: Request) -> Response:
    """End the login that asks; with `everywhere` every token of its user."""
    actor: Actor = request.state.actor
    require(actor, Action.LOG_OUT)
    body = await read_object(request)
    accounts: Accounts = request.app.state.accounts
    await accounts.log_out(actor, everywhere=body.get("everywhere") is True)
    return Response(status_code=204)


async def _answer(request: Request, login: Awaitable[Login]) -> Response:
    try:
        done = await login
    except SecondMethodNeeded as needed:
        return JsonResponse({"mfaId": needed.mfa_id}, status_code=needed.status)
    record = await _show_user(request, done)
    # What PocketBase called superusers before it had collections of them is what its older clients read.
    name = "admin" if request.url.path.startswith(_OLD_PREFIX) else "record"
    return JsonResponse({"token": done.token, name: record})


async def _show_user(request: Request, login: Login) -> dict[str, Any]:
    records: Records = request.app.state.records
    return await records.render_one(login.actor, _collection(request), login.actor.user_id or "", request.query_params)


def _html(page: Page) -> Response:
    return Response(page.html, media_type="text/html", headers=page.headers)


def _required_text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT_LENGTH:
        raise BadRequest(data={name: FieldError("validation_required", "This cannot be empty.")})
    return value


def _attempt(request: Request, body: dict[str, Any]) -> Attempt:
    mfa_id = body.get("mfaId")
    return Attempt(_visitor(request), _collection(request), mfa_id if isinstance(mfa_id, str) else "")


def _visitor(request: Request) -> Visitor:
    address = request.client.host if request.client is not None else ""
    return Visitor(address=address, agent=request.headers.get("user-agent", ""))


def _collection(request: Request) -> str:
    path = request.url.path
    is_super = path.startswith((_OLD_PREFIX, f"{_COLLECTIONS}/_superusers/"))
    return "_superusers" if is_super else "users"


def _logins(request: Request) -> Logins:
    logins: Logins = request.app.state.logins
    return logins


def _outsiders(request: Request) -> Outsiders:
    outsiders: Outsiders = request.app.state.outsiders
    return outsiders


def _addresses(request: Request) -> Addresses:
    addresses: Addresses = request.app.state.addresses
    return addresses


def _mailroom(request: Request) -> Mailroom:
    mailroom: Mailroom = request.app.state.mailroom
    return mailroom


_COLLECTIONS: Final = "/api/collections"
_OLD_PREFIX: Final = "/api/admins/"

_OF_A_COLLECTION: Final[tuple[tuple[str, Handler, str], ...]] = (
    ("auth-methods", auth_methods, "GET"),
    ("auth-with-password", auth_with_password, "POST"),
    ("request-otp", request_otp, "POST"),
    ("auth-with-otp", auth_with_otp, "POST"),
    ("auth-with-oauth2", auth_with_oauth2, "POST"),
    ("auth-refresh", auth_refresh, "POST"),
    ("request-password-reset", request_password_reset, "POST"),
    ("confirm-password-reset", confirm_password_reset, "POST"),
    ("request-email-change", request_email_change, "POST"),
    ("confirm-email-change", confirm_email_change, "POST"),
)

ROUTES: Final[tuple[BaseRoute, ...]] = (
    *(
        Route(f"{_COLLECTIONS}/{collection}/{name}", handler, methods=[method])
        for collection in COLLECTION_IDS
        for name, handler, method in _OF_A_COLLECTION
    ),
    Route(f"{_OLD_PREFIX}auth-with-password", auth_with_password, methods=["POST"]),
    Route(f"{_OLD_PREFIX}auth-refresh", auth_refresh, methods=["POST"]),
    # Superusers are verified from the beginning, or none.
    Route(f"{_COLLECTIONS}/users/request-verification", request_verification, methods=["POST"]),
    Route(f"{_COLLECTIONS}/users/confirm-verification", confirm_verification, methods=["POST"]),
    Route(RESET_PATH, reset_page, methods=["GET"]),
    Route(VERIFY_PATH, verify_page, methods=["GET"]),
    Route(CHANGE_PATH, change_page, methods=["GET"]),
    Route("/api/oauth2-redirect", come_back, methods=["GET"]),
    Route("/api/oauth2-redirect", confirm_coming_back, methods=["POST"]),
    Route("/api/beszel/log-out", log_out, methods=["POST"]),
)
