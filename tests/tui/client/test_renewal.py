"""Sessions that are renewed: when, and what becomes of answers that are none."""

import asyncio
import itertools
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pytest

from beszel_tui.client import renewal
from beszel_tui.client.http import HubHttp
from beszel_tui.client.renewal import Renewal, expiry_of, seconds_until_due
from tests.support.scriptedserver import Answer, Conversation, page, says, scripted

DAY = 86_400.0
NOW = 1_795_343_071.0


def make_token(**claims: object) -> str:
    payload = urlsafe_b64encode(json.dumps({"id": "u", "refreshable": True} | claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


@pytest.mark.parametrize(
    ("left", "lifetime", "due"),
    [(7 * DAY, 7 * DAY, 3.5 * DAY), (3 * DAY, 7 * DAY, -0.5 * DAY), (600.0, 3600.0, -1200.0), (-5.0, 60.0, -35.0)],
)
def test_a_session_is_renewed_when_half_of_its_time_is_over(left: float, lifetime: float, due: float) -> None:
    assert seconds_until_due(NOW + left, lifetime, NOW) == due


@pytest.mark.parametrize(
    ("token", "expires"),
    [
        (make_token(exp=NOW, sessionId="s"), NOW),
        (make_token(exp=NOW, tokenId="t"), None),
        (make_token(exp=NOW, refreshable=False), None),
        (make_token(), None),
        ("an opaque token", None),
        ("a.b.c", None),
    ],
)
def test_only_a_session_is_renewed(token: str, expires: float | None) -> None:
    assert expiry_of(token) == expires


def renewed_by(answers: Sequence[Answer], token: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, list[str], int]:
    """Whether the session has ended, its new tokens, and how often the hub was asked."""
    for name in ("START_SECONDS", "RETRY_SECONDS", "_LEAST_PAUSE_SECONDS"):
        monkeypatch.setattr(renewal, name, 0.01)
    waiting, clock = iter(answers), itertools.count(NOW, 0.01)

    async def answer(conversation: Conversation) -> None:
        assert conversation.head.startswith(b"POST /api/collections/users/auth-refresh ")
        await next(waiting)(conversation)

    async def main() -> tuple[bool, list[str], int]:
        tokens: list[str] = []
        async with scripted(answer) as server, asyncio.timeout(10):
            http = HubHttp(server.url("").rstrip("/"), token)
            try:
                has_ended = await Renewal(http, token, tokens.append, lambda: next(clock)).run()
            finally:
                await http.close()
            return has_ended, tokens, len(server.heads)

    return asyncio.run(main())


def told(token: str) -> Answer:
    return says(page(json.dumps({"token": token, "record": {}}).encode()))


def test_a_hub_that_is_away_is_asked_again_and_one_that_refuses_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    new = make_token(exp=NOW + 0.5)
    answers = [
        says(page(b"{}", "503 Service Unavailable")), says(), says(page(b"<html>")), says(page(b"{}", "429 Too Many")),
        told(new), says(page(b'{"message": "no"}', "401 Unauthorized")),
    ]  # fmt: skip
    assert renewed_by(answers, make_token(exp=NOW - 10), monkeypatch) == (True, [new], 6)


def test_a_hub_that_renews_no_such_token_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [says(page(b'{"message": "no"}', "403 Forbidden"))]
    assert renewed_by(answers, make_token(exp=NOW), monkeypatch) == (False, [], 1)
    assert renewed_by([], make_token(exp=NOW, tokenId="t"), monkeypatch) == (False, [], 0)


def test_a_session_that_the_hub_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [says(page(b'{"message": "no"}', "401 Unauthorized"))]
    assert renewed_by(answers, make_token(exp=NOW), monkeypatch) == (True, [], 1)
