"""Logs and configuration of containers, asked of an agent over a real link by clients over real HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.agents import requests as agent_requests
from beszel_hub.inventory import details, routes
from beszel_hub.inventory.details import clean_document
from beszel_protocol.containers import LogBatch
from tests.support.containers import WEB_ID, ContainerAgent, container_agent, make_facts, make_log_line
from tests.support.runninghub import RunningHub, running_hub

LOGS = "/api/beszel/containers/logs"
INFO = "/api/beszel/containers/info"
FULL_ID = WEB_ID + "0" * 52


def lines(*texts: str, truncated: bool = False) -> Any:
    made = [make_log_line(text, timestamp="2026-11-22T10:00:00.000Z") for text in texts]
    return msgspec.to_builtins(LogBatch(lines=made, truncated=truncated))


def converse(
    hub: RunningHub, token: str, talk: Callable[[ContainerAgent, httpx2.AsyncClient, dict[str, str]], Awaitable[None]]
) -> None:
    """With a connected agent and a client; the dictionary names system and container."""
    system = hub.create_system("conversing")

    async def run() -> None:
        headers = {"Authorization": token}
        async with (
            container_agent(hub, system, make_facts()) as agent,
            httpx2.AsyncClient(base_url=hub.url, headers=headers, timeout=20) as client,
        ):
            await talk(agent, client, {"system": system[0], "container": WEB_ID})

    asyncio.run(run())


def test_logs_as_beszels_clients_read_them(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        asking = asyncio.create_task(client.get(LOGS, params=named | {"container": FULL_ID.upper()}))
        request = await agent.requests.get()
        assert (request.action, request.params) == ("container_logs", {"id": WEB_ID})
        await agent.answer(
            request, lines("one", "\x1b[31mtwo\x1b[0m\x1b]0;title\x07"), lines("three\x1b[2J\r\n\x9b1m"), None
        )
        answer = await asking
        assert answer.json() == {"logs": "one\ntwo\nthree\n"}
        assert answer.headers["cache-control"] == "no-store"

    converse(hub, token, talk)


def test_logs_with_streams_and_colours(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        options = {"format": "lines", "tail": "5", "since": "2026-11-22T10:00:00+00:00"}
        asking = asyncio.create_task(client.get(LOGS, params=named | options))
        request = await agent.requests.get()
        assert request.params == {"id": WEB_ID, "tail": 5, "since": "2026-11-22T10:00:00.000Z"}
        await agent.answer(request, lines("\x1b[31mred\x1b[5mblink", truncated=True), lines())
        document = (await asking).json()
        assert document["truncated"] is True
        assert document["lines"][0]["text"] == "redblink"
        assert document["lines"][0]["ansi"] == "\x1b[0;31mredblink"

    converse(hub, token, talk)


def test_following_ends_when_the_client_leaves(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        async with client.stream("GET", LOGS, params=named | {"follow": "1"}) as stream:
            request = await agent.requests.get()
            assert request.params["follow"] is True
            received = stream.aiter_lines()
            for text in ("first", "second"):
                await agent.answer(request, lines(text), more=True)
                batch = msgspec.json.decode(await anext(received), type=LogBatch)
                assert [line.text for line in batch.lines] == [text]
        async with asyncio.timeout(5):
            assert await agent.cancelled.get() == request.id

    converse(hub, token, talk)


def test_a_quiet_stream_shows_that_it_lives(hub: RunningHub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(routes, "FIRST_WORD_SECONDS", 0.05)

    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        async with client.stream("GET", LOGS, params=named | {"follow": "true"}) as stream:
            received = stream.aiter_lines()
            assert [await anext(received) for _ in range(3)] == ["", "", ""]
            await agent.fail(await agent.requests.get(), "failed", "the engine is gone\x1b[2J")
            told = [line async for line in received if line]
            assert json.loads(told[-1]) == {
                "error": {"code": "agent_failed", "message": "The agent says: the engine is gone[2J"}
            }

    converse(hub, token, talk)


def test_who_loses_sight_of_the_system_follows_no_longer(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(routes, "FIRST_WORD_SECONDS", 0.05)
    user = hub.create_user("uma@example.org")
    token = hub.create_token(user)
    system = hub.create_system("left", user)

    async def run() -> None:
        async with (
            container_agent(hub, system, make_facts()) as agent,
            httpx2.AsyncClient(base_url=hub.url, headers={"Authorization": token}, timeout=20) as client,
            client.stream("GET", LOGS, params={"system": system[0], "container": WEB_ID, "follow": "1"}) as stream,
        ):
            received = stream.aiter_lines()
            assert await anext(received) == ""
            request = await agent.requests.get()
            await asyncio.to_thread(hub.hub.database.write_now, lambda: _set_members(system[0]))
            await asyncio.to_thread(hub.refresh)
            told = [line async for line in received if line]
            assert json.loads(told[-1])["error"]["code"] == "unauthorized"
            assert await agent.cancelled.get() == request.id

    asyncio.run(run())


def _set_members(system_id: str) -> None:
    from beszel_hub.systems.queries import set_members  # noqa: PLC0415

    set_members(system_id, [])


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("timeout", 504, "did not answer in time"),
        ("busy", 503, "8 requests are at work"),
        ("actions_off", 403, "The agent says: switched off"),
        ("details_off", 403, "The agent says: switched off"),
        ("not_found", 404, "The agent says: switched off"),
        ("engine_failed", 502, "The agent says: switched off"),
    ],
)
def test_what_the_agent_refuses_is_told(hub: RunningHub, token: str, code: str, status: int, says: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        for follow in ("0", "1"):
            asking = asyncio.create_task(client.get(LOGS, params=named | {"follow": follow}))
            message = "8 requests are at work" if code == "busy" else "switched off"
            await agent.fail(await agent.requests.get(), code, message)
            answer = await asking
            if (code, follow) == ("timeout", "1"):
                assert (answer.status_code, answer.text) == (200, "")  # its time is over; who wants more asks again
                continue
            assert answer.status_code == status
            assert says in answer.json()["message"]

    converse(hub, token, talk)


def test_an_agent_that_never_answers(hub: RunningHub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(agent_requests, "GRACE_SECONDS", 0.05)

    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        answer = await client.get(INFO, params=named)
        assert answer.status_code == 504
        request = await agent.requests.get()
        assert await agent.cancelled.get() == request.id
        await agent.answer(request, {"container": {}})  # too late: nobody minds
        asking = asyncio.create_task(client.get(INFO, params=named))
        await agent.answer(await agent.requests.get(), {"container": {"Id": WEB_ID}})
        assert json.loads((await asking).json()["info"]) == {"Id": WEB_ID}

    converse(hub, token, talk)


def test_an_agent_that_goes_away_in_the_middle(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        asking = asyncio.create_task(client.get(INFO, params=named))
        await agent.requests.get()
        await agent.connection.websocket.close()
        answer = await asking
        assert answer.status_code == 503
        assert "went away" in answer.json()["message"]

    converse(hub, token, talk)


@pytest.mark.parametrize("result", [7, {"container": "text"}, {"lines": {}}, {"container": [1]}])
def test_an_answer_that_makes_no_sense(hub: RunningHub, token: str, result: Any) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        for path in (LOGS, INFO):
            asking = asyncio.create_task(client.get(path, params=named))
            await agent.answer(await agent.requests.get(), result)
            answer = await asking
            assert answer.status_code == 502
            assert "something else than was asked" in answer.json()["message"]

    converse(hub, token, talk)


def test_no_more_than_one_answer_may_hold(hub: RunningHub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "MAX_LOG_BYTES", 100)

    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        asking = asyncio.create_task(client.get(LOGS, params=named | {"format": "lines"}))
        request = await agent.requests.get()
        await agent.answer(request, lines("x" * 60), lines("y" * 60), lines("z"), more=True)
        document = (await asking).json()
        assert [line["text"] for line in document["lines"]] == ["x" * 60]
        assert document["truncated"] is True
        assert await agent.cancelled.get() == request.id

    converse(hub, token, talk)


def test_places_are_kept_for_short_questions(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        follow = named | {"follow": "1"}
        tasks = [asyncio.create_task(client.get(LOGS, params=follow)) for _ in range(agent_requests.MAX_LONG_IN_FLIGHT)]
        requests = [await agent.requests.get() for _ in tasks]
        assert (await client.get(LOGS, params=follow)).status_code == 503
        asking = asyncio.create_task(client.get(INFO, params=named))
        await agent.answer(await agent.requests.get(), {"container": {}})
        assert (await asking).status_code == 200
        for request in requests:
            await agent.answer(request, lines())
        assert {(await task).status_code for task in tasks} == {200}

    converse(hub, token, talk)


@pytest.mark.parametrize(
    "wrong", [{"tail": "0x5"}, {"tail": "5001"}, {"tail": "-1"}, {"since": "yesterday"}, {"since": "1" * 500}]
)
def test_parameters_are_checked(client: httpx2.Client, wrong: dict[str, str]) -> None:
    answer = client.get(LOGS, params={"system": "x", "container": WEB_ID} | wrong)
    assert answer.status_code == 400
    assert set(answer.json()["data"]) == set(wrong)


@pytest.mark.parametrize(
    "container",
    ["", "../../version", "..%2f..%2finfo", f"{WEB_ID}/../json", f"{WEB_ID}?all=1", "web", "f" * 65, "f" * 11],
)
def test_an_id_is_no_path(client: httpx2.Client, container: str) -> None:
    """Nothing but hexadecimal digits ever reaches an agent, which has them in a path of its engine's API."""
    for path in (LOGS, INFO):
        assert client.get(path, params={"system": "x", "container": container}).status_code == 400


@pytest.fixture
def closed_hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path / "closed", container_details=False) as running:
        yield running


def test_details_can_be_switched_off(closed_hub: RunningHub) -> None:
    token = closed_hub.create_token(closed_hub.create_user("ada@example.org", "admin"))

    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, named: dict[str, str]) -> None:
        for path in (LOGS, INFO):
            answer = await client.get(path, params=named)
            assert (answer.status_code, "switched off" in answer.json()["message"]) == (404, True)
        assert agent.requests.empty()

    converse(closed_hub, token, talk)


def test_a_hub_stops_although_somebody_follows(tmp_path: Path) -> None:
    async def run(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
        async with container_agent(hub, system, make_facts()) as agent:
            client = httpx2.AsyncClient(base_url=hub.url, headers={"Authorization": token}, timeout=20)
            named = {"system": system[0], "container": WEB_ID, "follow": "1"}
            following = asyncio.create_task(client.get(LOGS, params=named))
            await agent.requests.get()
            await asyncio.to_thread(stack.__exit__, None, None, None)
            await asyncio.wait([following], timeout=10)
            assert following.done()
            following.exception()
            await client.aclose()

    stack = running_hub(tmp_path / "stopping")
    hub = stack.__enter__()
    token = hub.create_token(hub.create_user("ada@example.org", "admin"))
    asyncio.run(run(hub, token, hub.create_system("stopping")))


def test_documents_are_cleaned_and_bounded() -> None:
    deep: Any = "bottom"
    for _ in range(100):
        deep = [deep]
    assert "bottom" not in str(clean_document(deep))
    assert clean_document({"a\x1b[2J": ["\x07b", 1, None, True]}) == {"a[2J": ["b", 1, None, True]}
    assert len(clean_document(["x"] * 100_000)) <= details.MAX_NODES
    assert len(clean_document("x" * 10_000)) == details.MAX_TEXT_LENGTH
