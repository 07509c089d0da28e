"""The live feed over real sockets: who sees what, and when that ends."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from beszel_hub.accounts import queries as account_queries
from beszel_hub.live import feed as feed_module
from beszel_hub.live.feed import CLOSE_TRY_AGAIN, MAX_UNAUTHENTICATED_OF_ADDRESS
from beszel_hub.systems import queries
from beszel_hub.systems.tables import SystemRow
from beszel_protocol.feed import Auth, FeedError, Fleet, Jobs, Pace, SystemSample, Unsubscribe
from beszel_protocol.messages import Interval
from tests.support.bareagent import LinkAgent
from tests.support.containers import until
from tests.support.feedclient import feed
from tests.support.runninghub import RunningHub

numbers = itertools.count(1)


def new_user(hub: RunningHub) -> tuple[str, str]:
    """A user's id and a token of theirs, known to the hub."""
    user_id = hub.create_user(f"user{next(numbers)}@example.org")
    token = hub.create_token(user_id)
    hub.refresh()
    return user_id, token


async def change(hub: RunningHub, write: Callable[[], object]) -> None:
    """Write past the hub, as the command line does, and let the hub see it."""
    await asyncio.to_thread(hub.hub.database.write_now, write)
    await asyncio.to_thread(hub.refresh)


def test_the_first_fleet_frame_comes_at_once_and_has_all_that_one_sees(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    mine, _ = hub.create_system("mine", user_id)
    foreign, _ = hub.create_system("foreign")

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.subscribe("fleet")
            frame = await client.receive_until(Fleet)
            assert [row.id for row in frame.systems] in ([mine], [])
            rows = await client.fleet_until(lambda rows: mine in rows)
            assert set(rows) == {mine}
            assert rows[mine].status == "pending"
            assert foreign not in rows

    asyncio.run(run())


def test_a_client_may_want_to_hear_less_often(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    hub.create_system("before", user_id)

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.send(Pace(seconds=60))
            await client.subscribe("fleet")
            await client.receive_until(Fleet)
            later, _ = hub.create_system("later", user_id)
            await change(hub, lambda: None)
            async with feed(hub.feed_url, token) as other:
                await other.subscribe("fleet")
                await other.fleet_until(lambda rows: later in rows)
            await client.send(Pace(seconds=1))
            frame = await client.receive_until(Fleet)
            assert frame.sequence == 2
            assert later in client.rows

    asyncio.run(run())


def test_numbers_move_once_an_agent_streams(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("streaming", user_id)

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.subscribe("fleet", f"system:{system_id}")
            async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
                await agent.send(agent.agent.sample(1, cpu_percent=42.0))
                sample = await client.receive_until(SystemSample)
                assert sample.system == system_id
                assert sample.metrics.cpu is not None
                assert sample.metrics.cpu.usage_percent == 42.0
                rows = await client.fleet_until(lambda rows: system_id in rows and rows[system_id].status == "up")
                row = rows[system_id]
                assert (row.cpu_percent, row.memory_percent, row.disk_percent) == (42.0, 25.0, 30.0)
                assert (row.cores, row.encrypted, row.agent_version) == (4, False, "0.1.0")
            await client.fleet_until(lambda rows: rows[system_id].encrypted is None)

    asyncio.run(run())


def test_a_late_subscriber_gets_the_newest_sample_at_once(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("late", user_id)

    async def run() -> None:
        async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
            await agent.send(agent.agent.sample(1, cpu_percent=7.0))
            await agent.await_stored((1, 1))
            async with feed(hub.feed_url, token) as client:
                await client.subscribe(f"system:{system_id}")
                sample = await client.receive_until(SystemSample)
                assert sample.metrics.cpu is not None
                assert sample.metrics.cpu.usage_percent == 7.0

    asyncio.run(run())


def test_other_peoples_systems_never_appear(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    mine, my_token = hub.create_system("visible", user_id)
    foreign, foreign_token = hub.create_system("hidden")

    async def run() -> None:
        async with (
            feed(hub.feed_url, token) as client,
            LinkAgent(hub.link_url, my_token).enrolled() as my_agent,
            LinkAgent(hub.link_url, foreign_token).enrolled() as foreign_agent,
        ):
            await client.subscribe("fleet", f"system:{mine}", f"system:{foreign}", "system:nonsense", "poems")
            errors = [(await client.receive_until(FeedError)).code for _ in range(3)]
            assert errors == ["not_found"] * 3
            for sequence in range(1, 4):
                await foreign_agent.send(foreign_agent.agent.sample(sequence))
                await my_agent.send(my_agent.agent.sample(sequence))
                sample = await client.receive_until(SystemSample)
                assert sample.system == mine
            await client.fleet_until(lambda rows: mine in rows and rows[mine].status == "up")
            assert set(client.rows) == {mine}

    asyncio.run(run())


def test_who_loses_a_membership_is_told_so_and_gets_nothing_more(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("shared", user_id)

    async def run() -> None:
        async with (
            feed(hub.feed_url, token) as client,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            await client.subscribe("fleet", f"system:{system_id}")
            await client.fleet_until(lambda rows: system_id in rows)
            await change(hub, lambda: queries.set_members(system_id, []))
            removed = await client.receive_until(Fleet, lambda frame: system_id in frame.removed)
            assert not removed.systems
            await agent.send(agent.agent.sample(1))
            assert (await client.receive_until(FeedError)).code == "not_found"
            await agent.send(agent.agent.sample(2))
            await agent.await_stored((1, 2))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.receive()
            await change(hub, lambda: queries.set_members(system_id, [user_id]))
            await client.fleet_until(lambda rows: system_id in rows)

    asyncio.run(run())


def test_a_deleted_system_is_removed_and_its_agent_sent_away(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("doomed", user_id)

    async def run() -> None:
        async with (
            feed(hub.feed_url, token) as client,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            await client.subscribe("fleet", f"system:{system_id}")
            await client.fleet_until(lambda rows: system_id in rows)
            await change(hub, lambda: queries.delete_system(system_id))
            await client.fleet_until(lambda rows: system_id not in rows)
            assert await agent.close_code() == 4403

    asyncio.run(run())


def test_a_pause_shows_and_samples_do_not(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("resting", user_id)

    async def run() -> None:
        async with (
            feed(hub.feed_url, token) as client,
            LinkAgent(hub.link_url, agent_token).enrolled() as agent,
        ):
            await client.subscribe("fleet", f"system:{system_id}")
            await agent.send(agent.agent.sample(1))
            await client.fleet_until(lambda rows: system_id in rows and rows[system_id].status == "up")
            await change(hub, lambda: queries.set_paused(system_id, 1, is_paused=True))
            await client.fleet_until(lambda rows: rows[system_id].status == "paused")
            await agent.send(agent.agent.sample(2))
            await agent.await_stored((1, 2))
            await change(hub, lambda: queries.set_paused(system_id, 2, is_paused=False))
            await client.fleet_until(lambda rows: rows[system_id].status == "pending")
            await agent.send(agent.agent.sample(3))
            sample = await client.receive_until(SystemSample)
            assert sample.system == system_id
            await client.fleet_until(lambda rows: rows[system_id].status == "up")

    asyncio.run(run())


def test_watching_lowers_a_slow_interval(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("slow", user_id)
    hub.hub.database.write_now(
        lambda: SystemRow.update(interval_seconds=60.0).where(SystemRow.id == system_id).execute()
    )
    hub.refresh()

    async def run() -> None:
        async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
            async with feed(hub.feed_url, token) as client:
                await client.subscribe(f"system:{system_id}")
                assert await agent.receive_until(Interval) == Interval(seconds=1.0)
                await client.send(Unsubscribe(topics=[f"system:{system_id}"]))
                assert await agent.receive_until(Interval) == Interval(seconds=60.0)
                await client.subscribe(f"system:{system_id}")
                assert await agent.receive_until(Interval) == Interval(seconds=1.0)
            assert await agent.receive_until(Interval) == Interval(seconds=60.0)

    asyncio.run(run())


def test_a_token_in_the_first_frame(hub: RunningHub) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with feed(hub.feed_url, None) as client:
            await client.send(Auth(token=token))
            await client.subscribe("fleet")
            await client.receive_until(Fleet)

    asyncio.run(run())


@pytest.mark.parametrize("token", ["", "nonsense", "Bearer x.y.z", "eyJhbGciOiJub25lIn0.e30."])
@pytest.mark.parametrize("in_header", [True, False])
def test_a_bad_token_ends_the_connection(hub: RunningHub, token: str, in_header: bool) -> None:
    async def run() -> None:
        async with feed(hub.feed_url, token if in_header else None) as client:
            if not in_header:
                await client.send(Auth(token=token))
            error = await client.receive_until(FeedError)
            assert error.code == "unauthorized"
            assert await client.close_code() == 4401

    asyncio.run(run())


def test_who_says_nothing_is_sent_away(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beszel_hub.live.feed.AUTH_TIMEOUT_SECONDS", 0.1)

    async def run() -> None:
        async with feed(hub.feed_url, None) as client:
            assert await client.close_code() == 4401

    asyncio.run(run())


def test_the_stream_ends_with_its_token(hub: RunningHub) -> None:
    user_id, token = new_user(hub)

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.subscribe("fleet")
            await client.receive_until(Fleet)
            await change(hub, lambda: account_queries.end_tokens(user_id))
            assert await client.close_code() == 4401

    asyncio.run(run())


def test_a_web_page_of_another_origin_is_turned_away(hub: RunningHub) -> None:
    _, token = new_user(hub)

    async def run(origin: str) -> int:
        try:
            async with feed(hub.feed_url, token, origin=origin) as client:
                await client.subscribe("fleet")
                await client.receive_until(Fleet)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        return 101

    assert asyncio.run(run("https://evil.example")) == 403
    assert asyncio.run(run(f"http://127.0.0.1:{hub.port}")) == 101


@pytest.mark.parametrize(
    ("frame", "code"),
    [("garbage", 1007), ("[]", 1007), ('{"type":"poem"}', 1007), ("[" * 9000, 1007), ("x" * 20_000, 1009)],
)
def test_garbage_ends_the_connection(hub: RunningHub, frame: str, code: int) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.websocket.send(frame)
            assert await client.close_code() == code

    asyncio.run(run())


def test_too_many_topics(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    systems = [hub.create_system(f"topic{index}", user_id)[0] for index in range(65)]

    async def run() -> None:
        async with feed(hub.feed_url, token) as client:
            await client.subscribe(*(f"system:{system_id}" for system_id in systems))
            assert (await client.receive_until(FeedError)).code == "too_many_topics"

    asyncio.run(run())


def test_connections_without_a_token_are_few_from_one_address(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger who opens them all day keeps no browser out, which has a token and an address of its own."""
    monkeypatch.setattr(feed_module, "AUTH_TIMEOUT_SECONDS", 60.0)
    _, token = new_user(hub)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(MAX_UNAUTHENTICATED_OF_ADDRESS):
                await stack.enter_async_context(feed(hub.feed_url, None))
            await until(lambda: hub.hub.feed.unauthenticated == MAX_UNAUTHENTICATED_OF_ADDRESS)
            one_more = await stack.enter_async_context(feed(hub.feed_url, None))
            assert await one_more.close_code() == CLOSE_TRY_AGAIN
            elsewhere = await stack.enter_async_context(feed(hub.feed_url, None, address="127.0.0.2"))
            await elsewhere.send(Auth(token=token))
            await elsewhere.subscribe("fleet")
            await elsewhere.receive_until(Fleet)

    asyncio.run(run())


def test_an_administrator_follows_the_hubs_jobs_while_being_one(hub: RunningHub) -> None:
    ada = hub.create_user(f"ada{next(numbers)}@example.org", role="admin")
    token = hub.create_token(ada)
    _, other_token = new_user(hub)

    async def run() -> None:
        async with feed(hub.feed_url, token) as client, feed(hub.feed_url, other_token) as other:
            await other.subscribe("jobs")
            assert (await other.receive_until(FeedError)).code == "not_found"
            await client.subscribe("jobs")
            first = await client.receive_until(Jobs, lambda frame: "fleet" in {job.name for job in frame.jobs})
            (before,) = [job for job in first.jobs if job.name == "fleet"]
            later = await client.receive_until(Jobs, lambda frame: "fleet" in {job.name for job in frame.jobs})
            (after,) = [job for job in later.jobs if job.name == "fleet"]
            assert after.runs > before.runs
            assert after.last_error == ""
            await change(hub, lambda: account_queries.update_user(ada, {"role": "user"}, 0))
            assert (await client.receive_until(FeedError)).code == "not_found"

    asyncio.run(run())
