"""What the hub itself makes, changes and removes: told to who listens and may see it, and to nobody else."""

import asyncio
from typing import Any

import msgspec

from beszel_hub.systems import queries
from beszel_protocol.messages import Containers, Event
from beszel_protocol.sample import Metrics, ServiceMetrics, ServiceUnitMetrics
from tests.support.bareagent import Connection, LinkAgent
from tests.support.containers import DB_ID, make_facts
from tests.support.eventstream import EventStream, event_stream, with_options
from tests.support.listeners import SYSTEMS, change, new_user, request
from tests.support.runninghub import RunningHub
from tests.support.transitions import make_transition

CHANNELS = "/api/collections/notification_channels/records"


async def receive(stream: EventStream) -> tuple[str, Any]:
    event = await stream.receive()
    return event.data["action"], event.data["record"]


async def send_services(agent: Connection, sequence: int, hub: RunningHub, **states: str) -> None:
    units = {name: ServiceUnitMetrics(state=state, sub_state="running") for name, state in states.items()}
    metrics = Metrics(services=ServiceMetrics(units=units))
    await agent.send(msgspec.structs.replace(agent.agent.sample(sequence), metrics=metrics))
    await agent.await_stored((1, sequence))
    await asyncio.to_thread(hub.call, hub.hub.components.save())


def test_containers_come_change_and_go(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    system_id, agent_token = hub.create_system("engine", user_id)
    only_database = with_options("containers/*", filter=f"name = 'db' && system.name = 'engine' && id = '{DB_ID}'")

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "containers/*") as stream,
            event_stream(hub.url, token, only_database) as filtered,
            event_stream(hub.url, other_token, "containers/*") as other,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            await agent.send(Containers(containers=[make_facts(), make_facts(DB_ID, "db")]))
            made = [await receive(stream), await receive(stream)]
            assert {(action, row["name"], row["system"]) for action, row in made} == {
                ("create", "web", system_id), ("create", "db", system_id),
            }  # fmt: skip
            assert (await receive(filtered))[1]["name"] == "db"
            await agent.send(Containers(containers=[make_facts(state="exited"), make_facts(DB_ID, "db")]))
            action, row = await receive(stream)
            assert (action, row["name"], row["state"]) == ("update", "web", "exited")
            await agent.send(Containers(containers=[make_facts(state="exited")]))
            assert [(action, row["name"]) for action, row in [await receive(stream)]] == [("delete", "db")]
            assert [(action, row["id"]) for action, row in [await receive(filtered)]] == [("delete", DB_ID)]
            assert await stream.is_quiet()
            assert await other.is_quiet(0.1)
            assert await filtered.is_quiet(0.1)

    asyncio.run(run())


def test_services_come_change_and_go(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    _, agent_token = hub.create_system("serving", user_id)

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systemd_services/*") as stream,
            event_stream(hub.url, other_token, "systemd_services/*") as other,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            await send_services(agent, 1, hub, nginx="active")
            action, made = await receive(stream)
            assert (action, made["name"], made["state"]) == ("create", "nginx", 0)
            await send_services(agent, 2, hub, nginx="failed")
            action, changed = await receive(stream)
            assert (action, changed["id"], changed["state"]) == ("update", made["id"], 2)
            await send_services(agent, 3, hub, nginx="failed")
            await send_services(agent, 4, hub)
            action, gone = await receive(stream)
            assert (action, gone["id"], gone.keys()) == ("delete", made["id"], made.keys())
            assert await stream.is_quiet()
            assert await other.is_quiet(0.1)

    asyncio.run(run())


def test_details_and_events_of_a_host(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    system_id, agent_token = hub.create_system("telling", user_id)
    topics = ("system_details/*", "events/*")

    async def run() -> None:
        async with (
            event_stream(hub.url, token, *topics) as stream,
            event_stream(hub.url, other_token, *topics) as other,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            event = await stream.receive()
            assert (event.name, event.data["action"], event.data["record"]["system"]) == (
                "system_details/*", "create", system_id,
            )  # fmt: skip
            sample = agent.agent.sample(1)
            await agent.send(
                Event(sequence=1, kind="container_died", subject="web", timestamp=sample.timestamp,
                      boot_ms=sample.boot_ms)
            )  # fmt: skip
            event = await stream.receive()
            assert (event.name, event.data["action"]) == ("events/*", "create")
            (listed,) = (await request(hub, "GET", "/api/collections/events/records", token))["items"]
            assert event.data["record"] == listed
            assert await stream.is_quiet()
            assert await other.is_quiet(0.1)

    asyncio.run(run())


def test_deliveries_are_told_to_whose_channel_it_is(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    topic = "notification_deliveries/*"

    async def run() -> None:
        channel = {"name": "ops", "kind": "webhook", "url": "https://example.org/", "group": 3600}
        async with (
            event_stream(hub.url, token, topic) as stream,
            event_stream(hub.url, other_token, topic) as other,
        ):
            await request(hub, "POST", CHANNELS, token, channel)
            transition = make_transition(user_ids=(user_id,))
            await change(hub, lambda: hub.hub.notifications.on_transition(transition))
            action, made = await receive(stream)
            assert (action, made["collectionName"]) == ("create", "notification_deliveries")
            assert await other.is_quiet(0.1)

    asyncio.run(run())


def test_a_system_that_a_command_deletes_is_told_once_to_who_saw_it(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    by_command, _ = hub.create_system("by command", user_id)
    by_request, _ = hub.create_system("by request", user_id)
    hub.refresh()

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*") as stream,
            event_stream(hub.url, token, f"systems/{by_command}") as single,
            event_stream(hub.url, other_token, "systems/*", f"systems/{by_command}") as other,
        ):
            await change(hub, lambda: queries.delete_system(by_command))
            for listening in (stream, single):
                action, gone = await receive(listening)
                assert (action, gone["id"], gone["name"], gone["users"]) == (
                    "delete", by_command, "by command", [user_id],
                )  # fmt: skip
            await request(hub, "DELETE", f"{SYSTEMS}/{by_request}", token)
            assert (await receive(stream))[1]["id"] == by_request
            assert await stream.is_quiet()
            assert await other.is_quiet(0.1)

    asyncio.run(run())
