"""Logging in, against a server that answers what a test says; `screens/test_login.py` asks a real hub."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from beszel_tui.client.http import HubHttp
from beszel_tui.client.login import create_first_user, is_first_run, log_in, log_in_with_code, request_code
from beszel_tui.errors import CodeNeeded, HubRefused, HubUnreachable, Unauthorized
from tests.tui.client.test_http import Seen, Server, answering

AnswerT = TypeVar("AnswerT")


def ask(server: Server, question: Callable[[HubHttp], Awaitable[AnswerT]]) -> AnswerT:
    async def main() -> AnswerT:
        http = HubHttp(server.url)
        try:
            return await question(http)
        finally:
            await http.close()

    return asyncio.run(main())


def with_password(server: Server) -> str:
    return ask(server, lambda http: log_in(http, "ada@example.org", "pw"))


def test_a_password_that_is_enough() -> None:
    with answering(200, {"token": "new", "record": {"id": "x"}}) as server:
        assert with_password(server) == "new"
    body = {"identity": "ada@example.org", "password": "pw"}
    assert server.seen == [Seen("POST", "/api/collections/users/auth-with-password", None, body)]


def test_a_password_that_is_not_enough() -> None:
    with answering(401, {"mfaId": "m" * 15}) as server, pytest.raises(CodeNeeded) as needed:
        with_password(server)
    assert needed.value.mfa_id == "m" * 15


@pytest.mark.parametrize(
    ("status", "answer", "error", "says"),
    [
        (400, {"message": "Failed to authenticate."}, Unauthorized, "wrong e-mail"),
        (401, {"message": "No."}, Unauthorized, "does not let you in"),
        (401, b"<html>", HubUnreachable, "not the answer of a hub"),
        (403, {"message": "This hub does not take passwords."}, HubRefused, "does not take"),
        (429, {"message": "Too many attempts."}, HubRefused, "Too many"),
        (200, {"record": {}}, HubUnreachable, "not the answer of a hub"),
    ],
)
def test_no_way_in(status: int, answer: object, error: type[Exception], says: str) -> None:
    with answering(status, answer) as server, pytest.raises(error, match=says):
        with_password(server)


def test_a_code() -> None:
    with answering(200, {"otpId": "o" * 15}) as server:
        assert ask(server, lambda http: request_code(http, "ada@example.org")) == "o" * 15
    with answering(200, {"token": "new"}) as server:
        assert ask(server, lambda http: log_in_with_code(http, "o", "123456", "m")) == "new"
    assert server.seen[0].body == {"otpId": "o", "password": "123456", "mfaId": "m"}
    with answering(400, {"message": "Failed."}) as server, pytest.raises(Unauthorized, match="code is wrong"):
        ask(server, lambda http: log_in_with_code(http, "o", "123456", "m"))


@pytest.mark.parametrize(
    ("status", "answer", "due"),
    [(200, {"firstRun": True}, True), (200, {"firstRun": False}, False), (403, {}, False), (404, {}, False)],
)
def test_the_first_run(status: int, answer: object, due: bool) -> None:
    with answering(status, answer) as server:
        assert ask(server, is_first_run) is due


def test_what_is_wrong_about_the_first_user() -> None:
    answer = {"message": "Failed.", "data": {"password": {"message": "At least ten characters."}}}
    with answering(400, answer) as server, pytest.raises(HubRefused, match="password: At least ten"):
        ask(server, lambda http: create_first_user(http, "ada@example.org", "x"))
