"""An agent that sends as fast as it can is slowed to its share, and keeps nobody else waiting."""

import asyncio
import time

import pytest

from beszel_hub.agents import link
from beszel_hub.agents.pace import FRAME_COST_BYTES, Pace
from beszel_protocol.messages import Ack, encode
from tests.support.bareagent import Connection, LinkAgent
from tests.support.runninghub import RunningHub

RATE, BURST = 64 << 10, 256 << 10
"""Small, so that a flood is one soon."""
FRIENDLY = 12


def test_a_flood_is_slowed_to_its_share_while_others_are_served(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "Pace", lambda now: Pace(now, rate=RATE, burst=BURST))
    (_, hostile_token), (_, friendly_token) = hub.create_system("floods"), hub.create_system("behaves")
    hostile, friendly = LinkAgent(hub.link_url, hostile_token), LinkAgent(hub.link_url, friendly_token)

    async def run() -> tuple[int, float, int]:
        begin = time.monotonic()
        async with hostile.enrolled() as attacker, friendly.enrolled() as victim:
            async with asyncio.TaskGroup() as group:
                flood = group.create_task(flood_forever(attacker))
                counting = group.create_task(count_acknowledged(attacker))
                for sequence in range(1, FRIENDLY + 1):
                    await victim.send(friendly.sample(sequence))
                    await victim.await_stored((sequence, sequence))
                flood.cancel()
                counting.cancel()
            attacker.websocket.transport.abort()  # a close would wait behind what the hub has not read yet
            stored = sum(last - first + 1 for first, last in attacker.stored)
            return stored, time.monotonic() - begin, len(encode(hostile.sample(1)))

    stored, elapsed, size = asyncio.run(run())
    assert stored > 0
    assert stored <= (BURST + RATE * elapsed) / (FRAME_COST_BYTES + size) + 2  # one is read and waits, one is late


async def flood_forever(connection: Connection) -> None:
    sequence = 0
    while True:
        sequence += 1
        await connection.send(connection.agent.sample(sequence))  # waits only while the hub does not read
        await asyncio.sleep(0)


async def count_acknowledged(connection: Connection) -> None:
    while True:
        message = await connection.receive_forever()
        if isinstance(message, Ack):
            for first, last in message.stored:
                connection.stored.add_range(first, last)
