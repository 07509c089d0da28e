"""Who looks at the feed's `alerts` sees what fires, and nothing of others."""

import asyncio
from pathlib import Path

from beszel_hub.alerts.queries import insert_rule
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.transition import Transition
from beszel_hub.store.ids import new_id
from beszel_protocol.feed import Alerts
from tests.support.bareagent import LinkAgent
from tests.support.eventstream import event_stream
from tests.support.feedclient import FeedClient, feed
from tests.support.runninghub import RunningHub, running_hub


def make_rule(running: RunningHub, user_id: str | None) -> str:
    condition = Condition(target="cpu.usage_percent", value=80, window_seconds=0)
    rule = Rule(id=new_id(), name="busy", conditions=(condition,), user_id=user_id)
    running.hub.database.write_now(lambda: insert_rule(rule, running.hub.clock()))
    running.refresh()
    return rule.id


async def until(client: FeedClient, ids: int) -> Alerts:
    return await client.receive_until(Alerts, lambda frame: len(frame.alerts) == ids)


def test_what_fires_is_seen_by_whom_it_concerns(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        told: list[Transition] = []
        running.hub.alerts.on_transition = told.append
        uma, rea, otto = (running.create_user(f"{name}@example.org") for name in ("uma", "rea", "otto"))
        _, agent_token = running.create_system("web1", uma, rea)
        make_rule(running, uma)
        for_all = make_rule(running, None)
        tokens = {name: running.create_token(name) for name in (uma, rea, otto)}
        running.refresh()

        async def run() -> None:
            agent = LinkAgent(running.link_url, agent_token)
            async with (
                feed(running.feed_url, tokens[uma]) as of_uma,
                feed(running.feed_url, tokens[rea]) as of_rea,
                feed(running.feed_url, tokens[otto]) as of_otto,
                agent.enrolled() as connection,
            ):
                for client in (of_uma, of_rea, of_otto):
                    await client.subscribe("alerts")
                    assert (await client.receive_until(Alerts)).alerts == []
                await connection.send(agent.sample(1, cpu_percent=95.0))
                assert len((await until(of_uma, 2)).alerts) == 2
                (alert,) = (await until(of_rea, 1)).alerts
                assert (alert.rule, alert.value, alert.text) == (for_all, 95.0, "web1: CPU at 95.0%, above 80.0%")
                await connection.send(agent.sample(2, cpu_percent=5.0))
                over = await of_rea.receive_until(Alerts, lambda frame: bool(frame.removed))
                assert over.removed == [alert.id]
                await of_otto.subscribe("fleet")  # an answer to something else comes, and no alerts before it
                assert not isinstance(await of_otto.receive(), Alerts)

        asyncio.run(run())


def test_what_fires_already_is_seen_after_a_restart(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        uma = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", uma)
        make_rule(running, uma)
        token = running.create_token(uma)
        running.refresh()
        agent = LinkAgent(running.link_url, agent_token)

        async def fire() -> Alerts:
            async with feed(running.feed_url, token) as client, agent.enrolled() as connection:
                await client.subscribe("alerts")
                await connection.send(agent.sample(1, cpu_percent=95.0))
                return await until(client, 1)

        before = asyncio.run(fire()).alerts
    with running_hub(tmp_path) as running:

        async def look() -> Alerts:
            async with feed(running.feed_url, token) as client:
                await client.subscribe("alerts")
                return await client.receive_until(Alerts)

        (after,) = asyncio.run(look()).alerts
    assert [(after.id, after.value, after.text)] == [(alert.id, alert.value, alert.text) for alert in before]


def test_beszels_clients_hear_that_their_alert_is_triggered(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        uma = running.create_user("uma@example.org")
        system_id, agent_token = running.create_system("web1", uma)
        condition = Condition(target="cpu.usage_percent", value=80, window_seconds=0)
        alert = Rule(id=new_id(), name="CPU", conditions=(condition,), user_id=uma, system_id=system_id)
        running.hub.database.write_now(
            lambda: insert_rule(alert, running.hub.clock(), preset="CPU", preset_value=80, preset_minutes=1)
        )
        token = running.create_token(uma)
        running.refresh()

        async def run() -> None:
            agent = LinkAgent(running.link_url, agent_token)
            async with event_stream(running.url, token, "alerts/*") as stream, agent.enrolled() as connection:
                await connection.send(agent.sample(1, cpu_percent=95.0))
                heard = await stream.receive()
                record = heard.data["record"]
                assert (heard.data["action"], record["id"], record["triggered"]) == ("update", alert.id, True)

        asyncio.run(run())
