"""Tokens and agents as records, by real connections: what is replaced shuts out, what has ended lets nobody new in."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import pytest

from beszel_hub.accounts.queries import update_user
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import TableSource
from beszel_hub.systems.enrolment_collection import make_universal_tokens_collection
from beszel_hub.systems.tables import AgentToken
from beszel_hub.systems.universal import EPHEMERAL_MS
from beszel_protocol.handshake import token_id
from beszel_protocol.messages import CLOSE_FORBIDDEN, Refused, Welcome
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub, running_hub

FINGERPRINTS = "/api/collections/fingerprints/records"
UNIVERSAL = "/api/beszel/universal-token"
NEW_TOKEN = "a-token-of-my-own-choice"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        running.create_user("first@example.org", "admin")
        yield running


@pytest.fixture
def uma(hub: RunningHub, request: pytest.FixtureRequest) -> str:
    return hub.create_user(f"{abs(hash(request.node.nodeid))}@example.org")


@pytest.fixture
def client(hub: RunningHub, uma: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": hub.create_token(uma, "write")}
    with httpx2.Client(base_url=hub.url, headers=headers, timeout=10) as opened:
        yield opened


def answer_to(agent: LinkAgent) -> Welcome | Refused:
    async def run() -> Welcome | Refused:
        async with agent.connect() as connection:
            reply = await connection.enrol()
            assert isinstance(reply, Welcome | Refused)
            return reply

    return asyncio.run(run())


def refusal_of(agent: LinkAgent) -> str:
    reply = answer_to(agent)
    assert isinstance(reply, Refused), reply
    return reply.code


def system_of(agent: LinkAgent) -> str:
    reply = answer_to(agent)
    assert isinstance(reply, Welcome), reply
    return reply.system_id


def give(agent: LinkAgent, token: str) -> LinkAgent:
    agent.token, agent.shown_token_id = token, token_id(token)
    return agent


def test_a_record_shows_token_and_agent(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    system_id, token = hub.create_system("web", uma)
    before = client.get(f"{FINGERPRINTS}/{system_id}").json()
    assert (before["system"], before["token"], before["fingerprint"]) == (system_id, token, "")
    agent = LinkAgent(hub.link_url, token)
    system_of(agent)
    after = client.get(f"{FINGERPRINTS}/{system_id}", params={"expand": "system"}).json()
    assert (after["fingerprint"], after["expand"]["system"]["name"]) == (agent.fingerprint, "web")


def test_a_new_token_shuts_the_connected_agent_out(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    system_id, token = hub.create_system("web", uma)
    agent = LinkAgent(hub.link_url, token)

    async def run() -> int | None:
        async with agent.enrolled() as connection:
            body = {"token": NEW_TOKEN + system_id}
            answer = await asyncio.to_thread(client.patch, f"{FINGERPRINTS}/{system_id}", json=body)
            assert answer.json()["token"] == NEW_TOKEN + system_id
            return await connection.close_code()

    assert asyncio.run(run()) == CLOSE_FORBIDDEN
    assert refusal_of(agent) == "unknown_token"
    assert system_of(give(agent, NEW_TOKEN + system_id)) == system_id, "the same agent, once it was told"
    stranger = LinkAgent(hub.link_url, NEW_TOKEN + system_id)
    assert refusal_of(stranger) == "fingerprint_mismatch", "a token alone takes no system over"


def test_a_forgotten_agent_makes_room_for_another(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    system_id, token = hub.create_system("web", uma)
    old, new = LinkAgent(hub.link_url, token), LinkAgent(hub.link_url, token)
    assert system_of(old) == system_id
    assert client.patch(f"{FINGERPRINTS}/{system_id}", json={"fingerprint": ""}).json()["fingerprint"] == ""
    assert system_of(new) == system_id
    assert refusal_of(old) == "fingerprint_mismatch"


def test_a_deleted_record_lets_no_agent_in(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    system_id, token = hub.create_system("web", uma)
    agent = LinkAgent(hub.link_url, token)
    system_of(agent)
    assert client.delete(f"{FINGERPRINTS}/{system_id}").status_code == 204
    assert refusal_of(agent) == "unknown_token"
    assert client.get(f"{FINGERPRINTS}/{system_id}").status_code == 404
    created = client.post(FINGERPRINTS, json={"system": system_id, "token": "another-token-of-" + system_id}).json()
    assert created["id"] == system_id
    assert system_of(give(agent, created["token"])) == system_id


def test_a_whole_record_sent_back_changes_nothing(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    system_id, token = hub.create_system("web", uma)
    agent = LinkAgent(hub.link_url, token)
    system_of(agent)
    record = client.get(f"{FINGERPRINTS}/{system_id}").json()
    assert client.patch(f"{FINGERPRINTS}/{system_id}", json=record).json() == record
    assert system_of(agent) == system_id


def test_a_token_in_use_is_refused(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    first, token = hub.create_system("one", uma)
    second, _ = hub.create_system("two", uma)
    assert client.patch(f"{FINGERPRINTS}/{second}", json={"token": token}).status_code == 400
    assert client.get(f"{FINGERPRINTS}/{first}").json()["token"] == token


def test_an_ended_universal_token_goes_on_for_its_agents(hub: RunningHub, client: httpx2.Client) -> None:
    """In an hour every ephemeral token ends; the agents it enrolled must come back all the same."""
    token = client.get(UNIVERSAL, params={"enable": 1}).json()["token"]
    agent = LinkAgent(hub.link_url, token, name="alpha")
    system_id = system_of(agent)
    assert client.get(UNIVERSAL, params={"enable": 0}).json()["active"] is False
    hub.call(hub.hub.systems.purge_tokens())
    assert system_of(agent) == system_id
    assert refusal_of(LinkAgent(hub.link_url, token)) == "unknown_token"


def test_ended_universal_tokens_of_nobody_are_forgotten(hub: RunningHub, client: httpx2.Client) -> None:
    token = client.get(UNIVERSAL, params={"enable": 1}).json()["token"]
    client.get(UNIVERSAL, params={"enable": 0})
    hub.call(hub.hub.systems.purge_tokens())
    ids = hub.hub.database.read_now(lambda: {row.token_id for row in AgentToken.select()})
    assert token_id(token) not in ids


def test_the_universal_token_as_beszels_client_switches_it(hub: RunningHub, client: httpx2.Client, uma: str) -> None:
    def ask(**parameters: Any) -> tuple[str, bool, bool]:
        answer = client.get(UNIVERSAL, params=parameters).raise_for_status().json()
        assert set(answer) == {"token", "active", "permanent"}
        return answer["token"], answer["active"], answer["permanent"]

    offered, *state = ask()
    assert state == [False, False]
    assert ask(token=offered) == (offered, False, False)
    assert ask(token=offered, enable=1) == (offered, True, False)
    assert ask() == (offered, True, False)
    mine = AgentToken.owner_id == uma
    (expires,) = hub.hub.database.read_now(lambda: [row.expires for row in AgentToken.select().where(mine)])
    assert 0 < expires - hub.hub.clock() <= EPHEMERAL_MS
    assert ask(token=offered, enable=1, permanent=1) == (offered, True, True)
    assert ask(token="another token altogether") == (offered, True, True)
    assert ask(token=offered, enable=0) == (offered, False, False)
    assert ask(token=offered) == (offered, False, False)
    assert client.get(UNIVERSAL, params={"token": "short", "enable": 1}).status_code == 400


@pytest.mark.parametrize("change", [{"role": "readonly"}, {"verified": False}])
def test_owners_who_may_only_look_or_are_blocked_enrol_nobody(
    hub: RunningHub, client: httpx2.Client, uma: str, change: dict[str, Any]
) -> None:
    token = client.get(UNIVERSAL, params={"enable": 1, "permanent": 1}).json()["token"]
    hub.hub.database.write_now(lambda: update_user(uma, change, 1))
    assert refusal_of(LinkAgent(hub.link_url, token)) == "unknown_token"


def test_universal_tokens_as_records(client: httpx2.Client) -> None:
    path = "/api/collections/universal_tokens/records"
    permanent = client.post(path, json={}).raise_for_status().json()
    brief = client.post(path, json={"expires": "2099-01-01 00:00:00.000Z"}).json()
    assert (permanent["expires"], brief["expires"]) == ("", "2099-01-01 00:00:00.000Z")
    assert len({permanent["token"], brief["token"]}) == 2
    assert client.post(path, json={"expires": "2001-01-01"}).status_code == 400
    assert client.delete(f"{path}/{permanent['id']}").status_code == 204
    assert [token["id"] for token in client.get(path).json()["items"]] == [brief["id"]]


def test_a_token_without_an_end_can_be_made_while_the_clock_goes_on(hub: RunningHub, uma: str) -> None:
    ticks = count(hub.hub.clock(), 10)
    source = make_universal_tokens_collection(hub.hub.secret, lambda: next(ticks)).source
    assert isinstance(source, TableSource)
    create = source.create
    assert create is not None
    made = hub.hub.database.write_now(lambda: create(Actor(user_id=uma, role="user", scope="full"), {}))
    assert made
