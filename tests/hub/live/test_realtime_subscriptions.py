"""What may be subscribed to on a stream of events, by whom, and how much."""

import asyncio
from typing import Any

import httpx2
import pytest

from beszel_hub.live import realtime, streams
from tests.support.eventstream import event_stream, with_options
from tests.support.listeners import SYSTEMS, new_user, request
from tests.support.runninghub import RunningHub


def test_what_one_user_may_listen_to_is_counted_over_all_streams(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "MAX_SUBSCRIPTIONS_OF_USER", 5)
    _, token = new_user(hub)
    _, other_token = new_user(hub)

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*", "alerts/*", "users/*") as first,
            event_stream(hub.url, token) as second,
            event_stream(hub.url, other_token) as other,
        ):
            wanted = [f"systems/{number:015d}" for number in range(3)]
            assert (await second.subscribe(*wanted)).status_code == 429
            assert (await other.subscribe(*wanted)).status_code == 204
            assert (await first.subscribe("systems/*")).status_code == 204
            assert (await second.subscribe(*wanted)).status_code == 204

    asyncio.run(run())


def test_whose_stream_it_is_does_not_change(hub: RunningHub) -> None:
    _, token = new_user(hub)
    _, other_token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            for shown in (other_token, "garbage"):
                answer = await stream.subscribe("systems/*", token=shown)
                assert answer.status_code == answer.json()["status"] == 403
            assert (await stream.subscribe()).status_code == 204
            await request(hub, "POST", SYSTEMS, token, {"name": "unheard", "host": "h"})
            assert await stream.is_quiet()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"clientId": ""}, 400), ({"clientId": 5}, 400), ({"clientId": "x" * 300}, 404),
        ({"clientId": "nobody", "subscriptions": ["systems/*"]}, 404),
    ],
)  # fmt: skip
def test_unknown_clients(hub: RunningHub, body: object, status: int) -> None:
    answer = httpx2.post(f"{hub.url}/api/realtime", json=body)
    assert answer.status_code == answer.json()["status"] == status


@pytest.mark.parametrize(
    "topics",
    [
        ["x" * 2501], ["systems/*\ndata:forged"], ["systems/*\rid:x"], [""], [5], ["a\u2028b"], ["a"] * 0 + [None],
        ["systems/*?options={"], ["systems/*?options=[]"], ["systems/*?" + "a=1&" * 20],
        [with_options("systems/*", filter="nope = 1")], [with_options("systems/*", filter="users.email ~ 'x'")],
        [with_options("users/*", filter="password_hash ~ 'x'")], [f"systems/{number}" for number in range(201)],
        {"a": 1}, 7,
    ],
)  # fmt: skip
def test_subscriptions_that_cannot_be(hub: RunningHub, topics: Any) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            body = {"clientId": stream.client_id, "subscriptions": topics}
            answer = await stream.client.post("/api/realtime", json=body, headers={"Authorization": token})
            assert answer.status_code == answer.json()["status"] == 400

    asyncio.run(run())


def test_too_many_subscriptions_are_counted_before_they_are_read(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with event_stream(hub.url, "") as stream:
            monkeypatch.setattr(realtime, "parse_subscription", _fail)
            body = {"clientId": stream.client_id, "subscriptions": [f"users/{number}" for number in range(201)]}
            answer = await stream.client.post("/api/realtime", json=body)
            assert answer.json()["data"]["subscriptions"]["code"] == "validation_length_too_long"

    asyncio.run(run())


def _fail(_: str) -> None:
    raise AssertionError("a subscription was read")


def test_guests_are_not_asked_about_when_records_change(hub: RunningHub) -> None:
    async def run() -> None:
        async with event_stream(hub.url, "", "systems/*"):
            assert ("systems", "*") not in hub.hub.realtime._listeners

    asyncio.run(run())


def test_web_pages_of_other_origins_get_no_stream(hub: RunningHub) -> None:
    answer = httpx2.get(f"{hub.url}/api/realtime", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert httpx2.head(f"{hub.url}/api/realtime").status_code == 200


def test_guests_of_one_address_are_not_without_number(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_GUESTS_OF_ADDRESS", 2)
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, None), event_stream(hub.url, None):
            answer = httpx2.get(f"{hub.url}/api/realtime")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
            async with event_stream(hub.url, token, header=True):
                pass

    asyncio.run(run())
