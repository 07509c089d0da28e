"""Getting a session of a hub: password, a code by e-mail where the hub wants one, and the very first user."""

from typing import Final, TypeVar

import msgspec

from beszel_tui.client.http import HubHttp
from beszel_tui.errors import CodeNeeded, HubRefused, HubUnreachable, Unauthorized

_USERS: Final = "/api/collections/users"
_FIRST_RUN: Final = "/api/beszel/first-run"
_CREATE_USER: Final = "/api/beszel/create-user"

AnswerT = TypeVar("AnswerT")


class _Token(msgspec.Struct, frozen=True):
    token: str


class _CodeSent(msgspec.Struct, frozen=True):
    otpId: str  # noqa: N815 (PocketBase's name)


class _SecondMethod(msgspec.Struct, frozen=True):
    mfaId: str = ""  # noqa: N815 (PocketBase's name)


class _FirstRun(msgspec.Struct, frozen=True):
    firstRun: bool  # noqa: N815 (Beszel's name)


class _Done(msgspec.Struct, frozen=True):
    """An answer of which nothing is needed."""


async def log_in(http: HubHttp, identity: str, password: str) -> str:
    """The session token.

    Raises `CodeNeeded` if the password is right and not enough, `Unauthorized` if it is wrong, else `ClientError`.
    """
    body = {"identity": identity, "password": password}
    return await _token(http, "auth-with-password", body, "wrong e-mail or password")


async def request_code(http: HubHttp, email: str) -> str:
    """Have the hub mail a code; the id to show with it. Raises `ClientError`."""
    sent = await http.create(_CodeSent, f"{_USERS}/request-otp", {"email": email})
    return sent.otpId


async def log_in_with_code(http: HubHttp, code_id: str, code: str, mfa_id: str) -> str:
    """The session token. Raises `Unauthorized` for a wrong code, else `ClientError`."""
    body = {"otpId": code_id, "password": code, "mfaId": mfa_id}
    return await _token(http, "auth-with-otp", body, "this code is wrong, or no longer valid")


async def renew(http: HubHttp) -> str:
    """Another token for the session whose token is used. Raises `Unauthorized` if it has ended, else `ClientError`."""
    status, content = await http.exchange("POST", f"{_USERS}/auth-refresh")
    if status == 401:
        raise Unauthorized("the session has ended")
    if status >= 400:
        raise http.refusal(status, content)
    return _decode(content, _Token).token


async def is_first_run(http: HubHttp) -> bool:
    """Whether the hub has no user yet; raises `ClientError` if it cannot be reached."""
    try:
        answer = await http.read(_FirstRun, _FIRST_RUN, {})
    except (HubRefused, Unauthorized):
        return False  # it does not make users this way, or not from here
    return answer.firstRun


async def create_first_user(http: HubHttp, email: str, password: str) -> None:
    """Make the first administrator; raises `ClientError`, with what is wrong about address or password."""
    await http.create(_Done, _CREATE_USER, {"email": email, "password": password})


async def _token(http: HubHttp, method: str, body: dict[str, str], wrong: str) -> str:
    status, content = await http.exchange("POST", f"{_USERS}/{method}", body=body)
    if status == 401:
        raise _second_method(content)
    if status == 400:
        raise Unauthorized(wrong)
    if status >= 400:
        raise http.refusal(status, content)
    return _decode(content, _Token).token


def _second_method(content: bytes) -> CodeNeeded | Unauthorized:
    mfa_id = _decode(content, _SecondMethod).mfaId
    return CodeNeeded(mfa_id) if mfa_id else Unauthorized("the hub does not let you in")


def _decode(content: bytes, answer_type: type[AnswerT]) -> AnswerT:
    try:
        return msgspec.json.decode(content, type=answer_type)
    except msgspec.DecodeError as error:
        raise HubUnreachable(f"this is not the answer of a hub: {error}") from error
