"""Every route of the application, by every sort of caller: what each gets, and what nobody may get."""

import asyncio
import importlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import websockets
from starlette.routing import BaseRoute, Route, WebSocketRoute

from beszel_hub.actions import Action
from beszel_hub.app import ROUTES
from beszel_hub.permissions import RULES
from tests.support.eventstream import EventStreamEnded, event_stream
from tests.support.scenario import SECRETS, Scenario, fill
from tests.support.world import SECRETS_OF, Caller, World, open_world

TABLES = (
    "accounts", "alerts", "audit", "backups", "batch", "checks", "components", "containers", "door", "enrolment",
    "events", "export", "live", "logins", "metrics", "notifications", "preferences", "systems", "web",
)  # fmt: skip
"""The modules of this folder, sorted; each has its `SCENARIOS`."""
CALLERS_AT_ONCE = 6
"""That hold a connection; of one address the hub lets only so many say hello at a time."""
FRAME_TIMEOUT_SECONDS = 0.3
EVENT_TIMEOUT_SECONDS = 3.0
"""Until the first event of those who must hear one."""


def _load() -> list[Scenario]:
    modules = [importlib.import_module(f"tests.hub.scenarios.{name}") for name in TABLES]
    return [scenario for module in modules for scenario in module.SCENARIOS]


ALL = _load()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=world.running.url, timeout=10) as opened:
        yield opened


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: f"{scenario.method} {scenario.name}")
def test_scenario(world: World, client: httpx2.Client, scenario: Scenario) -> None:
    answers = asyncio.run(_converse(world, scenario)) if scenario.is_live else _ask(world, client, scenario)
    complaints = [complaint for caller, answer in answers for complaint in _check(scenario, caller, *answer)]
    assert not complaints, "\n".join(complaints)


def test_every_route_is_in_the_tables() -> None:
    served = {entry for route in ROUTES for entry in _served(route)}
    assert served == {(scenario.method, scenario.route) for scenario in ALL}


def test_every_collection_action_is_in_the_tables(world: World) -> None:
    verbs = {"list": "GET", "view": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}
    for name in world.running.hub.records.registry.collections:
        tried = {
            (scenario.method, scenario.route.endswith("{id}"))
            for scenario in ALL
            if scenario.path.startswith(f"/api/collections/{name}/records")
        }
        expected = {(method, verb in {"view", "update", "delete"}) for verb, method in verbs.items()}
        assert tried == expected, name


def test_every_action_has_a_rule() -> None:
    assert set(RULES) == set(Action)


def test_folder_and_tables_agree() -> None:
    found = {path.stem for path in Path(__file__).parent.glob("*.py")} - {"test_scenarios"}
    assert found == set(TABLES)


def _served(route: BaseRoute) -> set[tuple[str, str]]:
    if isinstance(route, WebSocketRoute):
        return {("WS", route.path)}
    assert isinstance(route, Route)
    return {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}


def _check(scenario: Scenario, caller: Caller, status: int, text: str) -> Iterator[str]:
    expected = scenario.expect[caller]
    if status != expected.status:
        yield f"{caller}: {status} instead of {expected.status}: {text[:300]}"
    yield from (f"{caller}: no {shown!r} in {text[:300]}" for shown in fill(expected.shows) if shown not in text)
    foreign = [secret for secret, owners in SECRETS_OF.items() if caller not in owners and secret not in scenario.path]
    hidden = (*fill(expected.hides), *SECRETS, *foreign)
    yield from (f"{caller}: {word!r} in {text[:300]}" for word in hidden if word in text)


def _ask(world: World, client: httpx2.Client, scenario: Scenario) -> Iterator[tuple[Caller, tuple[int, str]]]:
    """One caller after the other, each in the world as it was at first."""
    for caller in Caller:
        headers = _headers(world.token(caller))
        answer = client.request(scenario.method, fill(scenario.path), json=fill(scenario.body), headers=headers)
        if scenario.changes and answer.status_code < 300:
            world.reset()
        world.forget_attempts()
        yield caller, (answer.status_code, answer.text)


async def _converse(world: World, scenario: Scenario) -> list[tuple[Caller, tuple[int, str]]]:
    """Callers beside each other: each listens until nothing more comes, and none of them changes anything."""
    places = asyncio.Semaphore(CALLERS_AT_ONCE)

    async def converse(caller: Caller) -> tuple[int, str]:
        token = world.token(caller)
        is_told = bool(scenario.expect[caller].shows) and scenario.expect[caller].status == 200
        async with places:
            if scenario.method == "WS":
                return await _talk(world.running.url, scenario, _headers(token))
            return await _listen(world, scenario, token, EVENT_TIMEOUT_SECONDS if is_told else FRAME_TIMEOUT_SECONDS)

    answers = await asyncio.gather(*map(converse, Caller))
    world.forget_attempts()
    return list(zip(Caller, answers, strict=True))


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": token}


async def _listen(world: World, scenario: Scenario, token: str | None, patience_seconds: float) -> tuple[int, str]:
    """The status of the request for the topics, and every event that follows a change of both systems."""
    async with event_stream(world.running.url, token) as stream:
        answer = await stream.subscribe(*fill(scenario.listens))
        await asyncio.to_thread(world.touch_systems)
        texts = [answer.text]
        try:
            while True:
                async with asyncio.timeout(patience_seconds if len(texts) == 1 else FRAME_TIMEOUT_SECONDS):
                    texts.append(str(await stream.receive()))
        except (TimeoutError, EventStreamEnded):
            return 200 if answer.status_code == 204 else answer.status_code, "\n".join(texts)


async def _talk(url: str, scenario: Scenario, headers: dict[str, str]) -> tuple[int, str]:
    """Send the frames and collect what comes until nothing more does: the close code (0 if still open), the texts."""
    address = url.replace("http", "ws", 1) + fill(scenario.path)
    subprotocols = None if scenario.subprotocol is None else [websockets.Subprotocol(scenario.subprotocol)]
    texts: list[str] = []
    try:
        async with websockets.connect(address, additional_headers=headers, subprotocols=subprotocols) as connection:
            for frame in scenario.frames:
                await connection.send(fill(frame))
            while True:
                try:
                    async with asyncio.timeout(FRAME_TIMEOUT_SECONDS if texts else 3):
                        texts.append(str(await connection.recv()))
                except TimeoutError:
                    return 0, "\n".join(texts)
    except websockets.InvalidStatus as refusal:
        return refusal.response.status_code, (refusal.response.body or b"").decode()
    except websockets.ConnectionClosed as end:
        return (end.rcvd.code if end.rcvd is not None else 1006), "\n".join(texts)
