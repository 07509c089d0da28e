"""The stream of events over real sockets: who hears what."""

import asyncio

from beszel_hub.systems import queries
from tests.support.bareagent import LinkAgent
from tests.support.eventstream import event_stream, with_options
from tests.support.listeners import SYSTEMS, change, new_user, request
from tests.support.runninghub import RunningHub


def test_the_life_of_a_record(hub: RunningHub) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            made = await request(hub, "POST", SYSTEMS, token, {"name": "nas", "host": "192.0.2.9"})
            event = await stream.receive()
            assert (event.id, event.name) == (stream.client_id, "systems/*")
            assert event.data == {"action": "create", "record": made}
            await request(hub, "PATCH", f"{SYSTEMS}/{made['id']}", token, {"port": "1"})
            event = await stream.receive()
            assert (event.data["action"], event.data["record"]["port"]) == ("update", "1")
            await request(hub, "DELETE", f"{SYSTEMS}/{made['id']}", token)
            event = await stream.receive()
            assert (event.data["action"], event.data["record"]["name"]) == ("delete", "nas")
            assert await stream.is_quiet()

    asyncio.run(run())


def test_events_of_one_record_and_in_the_way_that_was_asked_for(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    first, _ = hub.create_system("first", user_id)
    second, _ = hub.create_system("second", user_id)
    filtered = with_options("systems/*", filter="name ~ 'x'", fields="name,expand.users.id", expand="users")

    async def run() -> None:
        async with event_stream(hub.url, token, f"systems/{first}", filtered, "2hz5ncl8tizk5nx/*") as stream:
            await request(hub, "PATCH", f"{SYSTEMS}/{second}", token, {"name": "second x"})
            events = {event.name: event.data["record"] for event in [await stream.receive(), await stream.receive()]}
            assert events.keys() == {filtered, "2hz5ncl8tizk5nx/*"}
            assert events[filtered] == {"name": "second x", "expand": {"users": [{"id": user_id}]}}
            await request(hub, "PATCH", f"{SYSTEMS}/{first}", token, {"tags": ["a"]})
            names = {(await stream.receive()).name, (await stream.receive()).name}
            assert names == {f"systems/{first}", "2hz5ncl8tizk5nx/*"}
            assert await stream.is_quiet()

    asyncio.run(run())


def test_nobody_hears_of_what_is_not_theirs(hub: RunningHub) -> None:
    mine, my_token = new_user(hub)
    other, other_token = new_user(hub)
    _, admin_token = new_user(hub, "admin")
    hidden, _ = hub.create_system("hidden", other)
    shown, _ = hub.create_system("shown", mine, other)

    async def run() -> None:
        topics = [
            "systems/*",
            f"systems/{hidden}",
            "users/*",
            "api_tokens/*",
            with_options("rt_metrics", system=hidden),
        ]
        async with (
            event_stream(hub.url, my_token, *topics) as stream,
            event_stream(hub.url, None, *topics) as guest,
            event_stream(hub.url, admin_token, "systems/*") as admin,
        ):
            await request(hub, "PATCH", f"{SYSTEMS}/{hidden}", other_token, {"port": "9"})
            assert (await admin.receive()).data["action"] == "update"
            await request(hub, "PATCH", f"/api/collections/users/records/{other}", other_token, {"username": "someone"})
            await request(hub, "DELETE", f"{SYSTEMS}/{hidden}", other_token)
            await request(hub, "PATCH", f"{SYSTEMS}/{shown}", other_token, {"port": "9"})
            assert (await stream.receive()).data["record"]["id"] == shown
            assert await stream.is_quiet()
            assert await guest.is_quiet(0.1)
            assert {(await admin.receive()).data["action"] for _ in range(2)} == {"delete", "update"}

    asyncio.run(run())


def test_the_hubs_own_changes_are_told_too(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("streaming", user_id)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
                await agent.send(agent.agent.sample(1, cpu_percent=42.0))
                while (event := await stream.receive()).data["record"]["status"] != "up":
                    assert event.data["action"] == "update"
            new_id = await asyncio.to_thread(
                hub.hub.database.write_now, lambda: queries.insert_system(name="by hand", now_ms=0, members=[user_id])
            )
            await asyncio.to_thread(hub.refresh)
            while (event := await stream.receive()).data["record"]["id"] != new_id:
                assert event.data["record"]["id"] == system_id
            assert event.data["action"] == "create"

    asyncio.run(run())


def test_samples_come_every_time_the_agent_sends_one(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("watched", user_id)
    topic = with_options("rt_metrics", system=system_id)

    async def run() -> None:
        async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
            async with event_stream(hub.url, token, topic) as stream:
                await agent.send(agent.agent.sample(1, cpu_percent=42.0))
                event = await stream.receive()
                assert (event.name, event.data["stats"]["cpu"], event.data["info"]["cpu"]) == (topic, 42.0, 42.0)
                assert event.data["container"] == []
                assert hub.hub.realtime.watched == {system_id}
                await change(hub, lambda: queries.set_members(system_id, []))
                assert await stream.ends()
            assert hub.hub.realtime.watched == frozenset()

    asyncio.run(run())


def test_an_event_for_one_client_reaches_only_that(hub: RunningHub) -> None:
    """As somebody who signs in at a provider is waited for."""

    async def send(client_id: str, topic: str) -> bool:
        return hub.hub.realtime.send(client_id, topic, {"code": "c"})

    async def run() -> None:
        async with event_stream(hub.url, None, "@oauth2") as stream, event_stream(hub.url, None, "@oauth2") as other:
            assert not await asyncio.to_thread(hub.call, send(stream.client_id, "systems/*"))
            assert not await asyncio.to_thread(hub.call, send("nobody", "@oauth2"))
            assert await asyncio.to_thread(hub.call, send(stream.client_id, "@oauth2"))
            event = await stream.receive()
            assert (event.name, event.data) == ("@oauth2", {"code": "c"})
            assert await other.is_quiet(0.1)

    asyncio.run(run())
