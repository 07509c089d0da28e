"""Who becomes which system, and which of two connections stays."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from beszel_hub.systems import tokens
from beszel_hub.systems.tables import AgentToken, DetailsRow, SystemRow
from beszel_protocol.messages import Interval, Refused, Welcome
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub, running_hub


def enrol(agent: LinkAgent) -> Welcome | Refused:
    async def run() -> Welcome | Refused:
        async with agent.connect() as connection:
            reply = await connection.enrol()
            assert isinstance(reply, Welcome | Refused)
            return reply

    return asyncio.run(run())


def system_of(agent: LinkAgent) -> str:
    reply = enrol(agent)
    assert isinstance(reply, Welcome), reply
    return reply.system_id


def test_a_token_belongs_to_the_first_agent_that_uses_it(hub: RunningHub) -> None:
    system_id, token = hub.create_system("web-1")
    agent = LinkAgent(hub.link_url, token)
    assert system_of(agent) == system_id
    assert system_of(agent) == system_id
    stranger = enrol(LinkAgent(hub.link_url, token))
    assert isinstance(stranger, Refused)
    assert stranger.code == "fingerprint_mismatch"


def test_two_agents_that_enrol_at_once_are_not_both_let_in(hub: RunningHub) -> None:
    _, token = hub.create_system("contested")

    async def run() -> list[str]:
        async def one() -> str:
            async with LinkAgent(hub.link_url, token).connect() as connection:
                reply = await connection.enrol()
                return "welcome" if isinstance(reply, Welcome) else "refused"

        return await asyncio.gather(*(one() for _ in range(6)))

    assert sorted(asyncio.run(run())) == ["refused"] * 5 + ["welcome"]


def test_enrolment_notes_host_and_details(hub: RunningHub) -> None:
    system_id, token = hub.create_system("web-2")
    agent = LinkAgent(hub.link_url, token, name="web-2.example.net")
    system_of(agent)
    row, details = hub.hub.database.read_now(lambda: (SystemRow.get_by_id(system_id), DetailsRow.get_by_id(system_id)))
    assert row.host == "127.0.0.1"
    assert (details.hostname, details.os, details.cores, details.threads) == ("web-2.example.net", 0, 2, 4)


def test_a_universal_token_makes_a_system_for_each_new_host(hub: RunningHub) -> None:
    owner = hub.create_user("grace@example.org")
    token = hub.hub.database.write_now(lambda: tokens.issue_universal_token(hub.hub.secret, owner, 1))
    first, second = (LinkAgent(hub.link_url, token, name=name) for name in ("alpha", "beta"))
    assert system_of(first) == system_of(first)
    assert system_of(second) != system_of(first)
    entry = hub.hub.systems.directory.get(system_of(second))
    assert entry is not None
    assert (entry.name, entry.members) == ("beta", frozenset((owner,)))


def test_a_universal_token_follows_its_owner_when_it_is_replaced(hub: RunningHub) -> None:
    owner = hub.create_user("linus@example.org")
    old, new = (
        hub.hub.database.write_now(lambda: tokens.issue_universal_token(hub.hub.secret, owner, 1)) for _ in range(2)
    )
    agent = LinkAgent(hub.link_url, old)
    before = system_of(agent)
    agent.token = new
    agent.shown_token_id = LinkAgent(hub.link_url, new).shown_token_id
    assert system_of(agent) == before


def test_an_expired_universal_token_is_unknown(hub: RunningHub) -> None:
    owner = hub.create_user("old@example.org")
    token = hub.hub.database.write_now(lambda: tokens.issue_universal_token(hub.hub.secret, owner, 1, expires_ms=2))
    reply = enrol(LinkAgent(hub.link_url, token))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown_token"


def test_the_token_of_the_settings_works_once_there_is_an_admin(tmp_path: Path) -> None:
    with running_hub(tmp_path, token="a universal token of the settings") as hub:
        agent = LinkAgent(hub.link_url, "a universal token of the settings")
        refusal = enrol(agent)
        assert isinstance(refusal, Refused)
        assert refusal.code == "unknown_token"
        hub.create_user("user@example.org")
        admin = hub.create_user("ada@example.org", "admin")
        entry = hub.hub.systems.directory.get(system_of(agent))
        assert entry is not None
        assert entry.members == frozenset((admin,))


def test_a_hub_that_requires_tls_says_so(tmp_path: Path) -> None:
    with running_hub(tmp_path, require_tls=True) as hub:

        async def run() -> None:
            async with LinkAgent(hub.link_url, "whatever").connect() as connection:
                assert await connection.refusal() == ("tls_required", 4403)

        asyncio.run(run())


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_trusted_proxy_tells_of_tls_and_the_agents_address(tmp_path: Path, is_trusted: bool) -> None:
    proxies = ("127.0.0.0/8",) if is_trusted else ("192.0.2.0/24",)
    with running_hub(tmp_path, trusted_proxies=proxies) as hub:
        system_id, token = hub.create_system("behind-a-proxy")
        agent = LinkAgent(hub.link_url, token)
        agent.headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}

        async def run() -> tuple[bool, str]:
            async with agent.enrolled():
                link = hub.hub.connections.get(system_id)
                assert link is not None
                return link.wire.is_encrypted, link.wire.address

        assert asyncio.run(run()) == ((True, "203.0.113.7") if is_trusted else (False, "127.0.0.1"))


def test_tokens_are_sealed_and_cannot_be_swapped(hub: RunningHub) -> None:
    system_id, token = hub.create_system("sealed")
    other_id, _ = hub.create_system("other")
    row, other = hub.hub.database.read_now(
        lambda: (AgentToken.get(AgentToken.system_id == system_id), AgentToken.get(AgentToken.system_id == other_id))
    )
    assert token.encode() not in bytes(row.sealed)
    hub.hub.database.write_now(lambda: AgentToken.update(sealed=row.sealed).where(AgentToken.id == other.id).execute())
    found = hub.hub.database.read_now(lambda: tokens.find_token(hub.hub.secret, other.token_id, 1))
    assert found is None


def test_a_new_connection_replaces_the_old_one(hub: RunningHub) -> None:
    _, token = hub.create_system("reconnecting")
    agent = LinkAgent(hub.link_url, token)

    async def run() -> None:
        async with agent.enrolled() as old, agent.enrolled() as new:
            assert await old.close_code() == 4409
            pong = await new.websocket.ping()
            await asyncio.wait_for(pong, 5)

    asyncio.run(run())


def test_of_two_clones_the_later_is_refused_and_the_other_streams_on(hub: RunningHub) -> None:
    _, token = hub.create_system("cloned")
    original = LinkAgent(hub.link_url, token)
    clone = LinkAgent(hub.link_url, token, fingerprint=original.fingerprint)
    clone.key = original.key

    async def run() -> None:
        async with original.enrolled(), clone.enrolled(), original.enrolled() as last:
            async with clone.connect() as connection:
                reply = await connection.enrol()
                assert isinstance(reply, Refused)
                assert reply.code == "duplicate_host"
                assert await connection.close_code() == 4409
            pong = await last.websocket.ping()
            await asyncio.wait_for(pong, 5)

    asyncio.run(run())


def test_a_new_interval_reaches_the_agent(hub: RunningHub) -> None:
    system_id, token = hub.create_system("interval")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as connection:
            await asyncio.to_thread(
                hub.hub.database.write_now,
                lambda: SystemRow.update(interval_seconds=30.0).where(SystemRow.id == system_id).execute(),
            )
            await asyncio.to_thread(hub.refresh)
            assert await connection.receive_until(Interval) == Interval(seconds=30.0)

    asyncio.run(run())


def test_a_client_without_the_subprotocol_is_told_what_is_missing(hub: RunningHub) -> None:
    async def run() -> None:
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(hub.link_url, proxy=None):
                pass
        assert refusal.value.response.status_code == 400
        assert "beszel.v1.json" in msgspec.json.decode(refusal.value.response.body)["message"]

    asyncio.run(run())
