"""The `events` collection over HTTP: what agents told between samples, and the gaps."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from beszel_hub.metrics import events
from beszel_protocol.messages import Event, Gap
from beszel_protocol.timestamps import format_timestamp
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub

EVENTS = "/api/collections/events/records"


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    admin = hub.create_user("hopper@example.org", "admin")
    with httpx2.Client(base_url=hub.url, headers={"Authorization": hub.create_token(admin)}, timeout=10) as opened:
        yield opened


@pytest.fixture(scope="module")
def system_id(hub: RunningHub) -> str:
    """Its agent told of three events and of a gap."""
    created, token = hub.create_system("eventful")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            sample = agent.agent.sample(1)
            told: dict[str, Any] = {"timestamp": sample.timestamp, "boot_ms": sample.boot_ms}
            await agent.send(
                Event(sequence=1, kind="container_died", subject="web\x1b[2J", **told, attributes={"exit_code": 137})
            )
            await agent.send(Event(sequence=2, kind="container_started", subject="db", text="again", **told))
            now = format_timestamp(hub.hub.clock() - 60_000)
            await agent.send(Gap(sequence=3, from_=now, to=now, reason="spool_full"))
            turned: dict[str, str | int | float | bool] = {
                "unit": "nginx.service",
                "before": "active",
                "after": "failed",
            }
            await agent.send(Event(sequence=4, kind="unit_failed", subject="nginx", **told, attributes=turned))
            await agent.await_stored((1, 4))

    asyncio.run(run())
    return created


def test_newest_first(client: httpx2.Client, system_id: str) -> None:
    items = client.get(EVENTS, params={"filter": f"system='{system_id}'"}).json()["items"]
    assert [item["kind"] for item in items] == ["unit_failed", "container_started", "container_died", "gap"]
    assert (items[0]["subject"], items[0]["attributes"]["unit"]) == ("nginx", "nginx.service")
    assert items[2]["subject"] == "web[2J"
    assert items[2]["attributes"] == {"exit_code": 137}
    assert items[3]["subject"] == "spool_full"
    assert len({item["id"] for item in items}) == 4


def test_filtered_and_bounded(client: httpx2.Client, system_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"system='{system_id}' && kind~'container' && attributes.exit_code>0"
    assert client.get(EVENTS, params={"filter": where}).json()["totalItems"] == 1
    where = f"system='{system_id}' && time<'2020-01-01'"
    assert client.get(EVENTS, params={"filter": where}).json()["totalItems"] == 0
    monkeypatch.setattr(events, "MAX_ROWS", 2)
    answer = client.get(EVENTS)
    assert answer.status_code == 400
    assert "narrower range" in answer.json()["message"]
