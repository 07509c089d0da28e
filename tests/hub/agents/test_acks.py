"""When an agent is told what is stored: live samples a few at a time, a batch at once."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from beszel_hub.agents import link
from beszel_protocol.messages import Ack, Samples, encode
from tests.support.bareagent import Connection, LinkAgent
from tests.support.runninghub import RunningHub


def converse(hub: RunningHub, name: str, talk: Callable[[Connection], Awaitable[None]]) -> None:
    _, token = hub.create_system(name)

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            await agent.send(agent.agent.sample(1))
            await talk(agent)

    asyncio.run(run())


def test_live_samples_share_an_ack(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.agents, "ack_pause_seconds", 1.0)

    async def talk(agent: Connection) -> None:
        for sequence in (2, 3, 4):
            await agent.send(agent.agent.sample(sequence))
        assert await agent.receive_until(Ack) == Ack(stored=[(1, 4)])

    converse(hub, "shares an ack", talk)


def test_a_batch_is_not_kept_waiting(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.agents, "ack_pause_seconds", 3600.0)

    async def talk(agent: Connection) -> None:
        await agent.send(agent.agent.sample(2))
        await agent.send(Samples(records=[msgspec.Raw(encode(agent.agent.sample(3)))]))
        await agent.await_stored((2, 3))

    converse(hub, "sends a batch", talk)


def test_an_ack_comes_when_the_agent_is_awake(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.agents, "ack_pause_seconds", 3600.0)
    monkeypatch.setattr(link, "_WITH_SAMPLE", 0.0)

    async def talk(agent: Connection) -> None:
        acknowledged = asyncio.create_task(agent.receive_until(Ack))
        sequence = 1
        while not acknowledged.done():
            sequence += 1
            await agent.send(agent.agent.sample(sequence))
            await asyncio.wait((acknowledged,), timeout=0.05)
        ((first, last),) = (await acknowledged).stored
        assert first == 1
        assert last < sequence  # what came before the one with which it was sent

    converse(hub, "is awake", talk)


def test_a_hub_that_does_not_gather_acknowledges_each_commit(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.agents, "ack_pause_seconds", 0)

    async def talk(agent: Connection) -> None:
        for sequence in (2, 3):
            await agent.await_stored((1, sequence - 1))
            await agent.send(agent.agent.sample(sequence))
        await agent.await_stored((1, 3))

    converse(hub, "acknowledges each commit", talk)
