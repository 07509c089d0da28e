"""Alerts of a real hub: what forms make, how it is read back, and what fires."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC

import pytest

from beszel_hub.clock import system_clock
from beszel_hub.notifications.message import Step
from beszel_hub.notifications.tables import DeliveryRow
from beszel_hub.permissions import Role, Scope
from beszel_protocol.feed import Alerts
from beszel_tui.client.alerts import HubAlerts, claims_of
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable, Unauthorized
from beszel_tui.state.alertbook import AlertBook, Condition
from beszel_tui.state.alertforms import TEMPLATES, rule_form, set_form
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.channelforms import channel_form
from beszel_tui.state.conditionforms import read_target
from beszel_tui.state.model import State
from beszel_tui.state.quietforms import quiet_form
from tests.support.bareagent import LinkAgent
from tests.support.feedclient import feed
from tests.support.receiver import receiving
from tests.support.runninghub import RunningHub, running_hub
from tests.support.scriptedsource import make_row
from tests.support.transitions import make_transition
from tests.tui.client.test_http import answering, ask

_DEAD_ID = "dead00000000001"
Work = Callable[[HubAlerts], Awaitable[None]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


def as_user(hub: RunningHub, name: str, work: Work, *, role: Role = "user", scope: Scope = "write") -> None:
    """Do something with the alerts of a new user."""
    with_token(hub, hub.create_token(hub.create_user(f"{name}@example.org", role), scope), work)


def with_token(hub: RunningHub, token: str, work: Work) -> None:
    async def run() -> None:
        http = HubHttp(hub.url, token)
        try:
            await work(HubAlerts(http, token))
        finally:
            await http.close()

    asyncio.run(run())


def give_up(hub: RunningHub, channel_id: str, reason: str) -> None:
    """Leave a message that a channel would not take."""
    now_ms = system_clock()
    row = DeliveryRow.insert(
        id=_DEAD_ID, channel_id=channel_id, position=1, transition_id="t1", alert_id="alert1", system_id="",
        status="dead", step=Step(transition=make_transition()), message="", attempts=3, due=now_ms, reason=reason,
        created=now_ms, updated=now_ms,
    )  # fmt: skip
    hub.hub.database.write_now(row.execute)


def view_of(book: AlertBook, *names: str) -> AlertView:
    rows = {row.id: row for row in map(make_row, names)}
    return AlertView(State(now_ms=1_795_343_071_000, systems=rows), book, UTC)


def test_every_template_is_a_rule_that_the_hub_takes(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        view = view_of(await desk.read())
        form = rule_form(view)
        assert not view.book.rules
        for key, (_, values) in TEMPLATES.items():
            if values:
                (record,) = form.read({**form.values, "template": key, **values})
                await desk.save("rules", None, record)
        book = await desk.read()
        names = {values["name"] for _, values in TEMPLATES.values() if values}
        assert {rule.name for rule in book.rules.values()} == names
        for rule in book.rules.values():
            assert rule.user == book.account.id
            (again,) = rule_form(view_of(book), rule).read(rule_form(view_of(book), rule).values)
            await desk.save("rules", rule.id, again)
        assert (await desk.read()).rules == book.rules, "what a form shows is what it stores"

    as_user(hub, "ada", work)


def test_the_sets_of_the_hub_are_made(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        form = set_form(view_of(await desk.read()))
        await desk.save("sets", None, form.read(form.values)[0])
        book = await desk.read()
        made = next(found for found in book.sets if found.name == form.values["set"])
        assert {rule.name for rule in book.rules.values()} == set(made.rules)
        for target in ("container_down[web-*]", "traffic_month[15]", "disk[/a*].usage_percent", "container_down"):
            assert read_target(target, view_of(book)) == target

    as_user(hub, "alan", work)


def test_quiet_hours_and_channels_come_back_as_they_went(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        view = view_of(await desk.read())
        quiet = quiet_form(view, "Europe/Amsterdam")
        (record,) = quiet.read({**quiet.values, "type": "weekly", "note": "weekends"})
        await desk.save("quiet", None, record)
        channel = channel_form(view)
        (record,) = channel.read(
            {**channel.values, "name": "mail", "url": "ops@example.net", "after": "30m", "group": "10s"}
        )
        await desk.save("channels", None, record)
        book = await desk.read()
        (held,), (mail,) = book.quiet, book.channels
        assert (held.type, held.days, held.timezone, held.note) == (
            "weekly", ["sat", "sun"], "Europe/Amsterdam", "weekends",
        )  # fmt: skip
        assert quiet_form(view_of(book), "UTC", held).values["start"] == "22:00"
        assert (mail.name, mail.kind, mail.escalate_after, mail.group, mail.per_hour) == (
            "mail", "email", 1800, 10, 60,
        )  # fmt: skip
        await desk.delete("quiet", held.id)
        await desk.delete("channels", mail.id)
        book = await desk.read()
        assert not book.quiet
        assert not book.channels

    as_user(hub, "grace", work)


def test_a_rule_of_several_conditions_is_stored_as_it_was_entered(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        view = view_of(await desk.read())
        form = rule_form(view)
        values = {**form.values, "name": "both", "match": "any", "worse": "97.5", "calm": "2m"}
        values = dict(form.follow("at", {**values, "at": "2"}))
        values |= {"target": "memory.usage_percent", "comparison": "below", "value": "3", "recover": "4.5"}
        (record,) = form.read(values)
        await desk.save("rules", None, record)
        (rule,) = (await desk.read()).rules.values()
        assert (rule.match, rule.escalate_value, rule.recover_seconds) == ("any", 97.5, 120)
        assert rule.conditions == [
            Condition(target="cpu.usage_percent", value=80.0, recover_value=70.0, window_seconds=600),
            Condition(target="memory.usage_percent", comparison="below", value=3.0, recover_value=4.5),
        ]
        again = rule_form(view, rule)
        (record,) = again.read(again.follow("match", {**again.values, "match": "alone", "worse": ""}))
        await desk.save("rules", rule.id, record)
        (changed,) = (await desk.read()).rules.values()
        assert (changed.conditions, changed.escalate_value) == (rule.conditions[:1], None)

    as_user(hub, "edsger", work)


@pytest.mark.parametrize(
    ("kind", "url", "template"),
    [
        ("email", "ops@example.net", "${system}\n\n${text}:" + " words" * 80),
        ("webhook", "https://example.net/hook", '{"usage": "${value}",\n    "is": "' + "a" * 3000 + '"}'),
    ],
    ids=["email", "webhook"],
)
def test_a_template_comes_back_whole(hub: RunningHub, kind: str, url: str, template: str) -> None:
    async def work(desk: HubAlerts) -> None:
        form = channel_form(view_of(await desk.read()))
        (record,) = form.read(
            {**form.values, "name": "words", "kind": kind, "url": url, "template": template, "subject": "${rule}"}
        )
        await desk.save("channels", None, record)
        (channel,) = (await desk.read()).channels
        assert (channel.template, channel.subject_template) == (template, "${rule}")
        form = channel_form(view_of(await desk.read()), channel)
        await desk.save("channels", channel.id, form.read({**form.values, "template": ""})[0])
        assert (await desk.read()).channels[0].template == ""

    as_user(hub, f"tony-{kind}", work)


def test_a_test_tells_what_became_of_it(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        form = channel_form(view_of(await desk.read()))
        with receiving() as received:
            values = {**form.values, "kind": "webhook", "name": "hook", "url": f"{received.url}/hook"}
            await desk.save("channels", None, form.read(values)[0])
            (channel,) = (await desk.read()).channels
            reason = await desk.try_channel(channel.id)
        assert bool(reason) != bool(received.requests), "either it arrived, or there is a reason"
        with pytest.raises(HubRefused):
            await desk.try_channel("nosuchchannel00")

    as_user(hub, "linus", work)


def test_what_was_given_up_is_told_again(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        form = channel_form(view_of(await desk.read()))
        with receiving() as received:
            values = {**form.values, "kind": "webhook", "name": "barbara's", "url": f"{received.url}/hook"}
            await desk.save("channels", None, form.read(values)[0])
            channel = next(channel for channel in (await desk.read()).channels if channel.name == "barbara's")
            give_up(hub, channel.id, "HTTP 410")
            (dead,) = (await desk.read()).deliveries["alert1"]
            assert (dead.id, dead.status, dead.reason) == (_DEAD_ID, "dead", "HTTP 410")
            await desk.tell_again(dead.id)
            await asyncio.to_thread(received.await_requests, 1)

    as_user(hub, "barbara", work, role="admin")


def test_the_hub_says_what_is_wrong_with_a_rule(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        with pytest.raises(HubRefused, match="There is no metric"):
            await desk.save("rules", None, {"name": "x", "conditions": [{"target": "no.such_thing"}]})
        with pytest.raises(HubUnreachable, match="impossible id"):
            await desk.delete("rules", "../users")

    as_user(hub, "mallory", work)


def test_who_may_only_read_reads(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        book = await desk.read()
        assert book.account.id
        assert not book.account.is_admin
        with pytest.raises(HubRefused):
            await desk.save("rules", None, {"name": "x", "conditions": [{"target": "status"}]})

    as_user(hub, "rea", work, role="readonly", scope="read")


def test_an_administrator_makes_rules_for_everybody(hub: RunningHub) -> None:
    async def work(desk: HubAlerts) -> None:
        view = view_of(await desk.read())
        assert view.book.account.is_admin
        form = rule_form(view)
        (record,) = form.read({**form.values, "name": "for all", "tells": "all"})
        await desk.save("rules", None, record)
        rule = next(rule for rule in (await desk.read()).rules.values() if rule.name == "for all")
        assert not rule.user
        await desk.delete("rules", rule.id)

    as_user(hub, "root", work, role="admin")


def test_what_fires_is_acknowledged_and_becomes_history(hub: RunningHub) -> None:
    user = hub.create_user("otto@example.org")
    system_id, agent_token = hub.create_system("web-1", user)
    token = hub.create_token(user, "write")

    async def work(desk: HubAlerts) -> None:
        agent = LinkAgent(hub.link_url, agent_token)
        condition = {"target": "cpu.usage_percent", "value": 80, "window_seconds": 0}
        await desk.save("rules", None, {"name": "busy", "conditions": [condition]})
        async with feed(hub.feed_url, token) as client, agent.enrolled() as connection:
            await client.subscribe("alerts")
            await connection.send(agent.sample(1, cpu_percent=95.0))
            (alert,) = (await client.receive_until(Alerts, lambda frame: bool(frame.alerts))).alerts
            await desk.acknowledge(alert.id)
            await client.receive_until(Alerts, lambda frame: any(told.acknowledged for told in frame.alerts))
            (past,) = (await desk.read()).history
            assert (past.id, past.system, past.value, past.until_ms) == (alert.id, system_id, 95.0, None)
            assert past.acknowledged_ms is not None
            await connection.send(agent.sample(2, cpu_percent=5.0))
            await client.receive_until(Alerts, lambda frame: alert.id in frame.removed)
        (past,) = (await desk.read()).history
        assert past.until_ms is not None
        trial = await desk.try_rule(past.rule, system_id, 86_400)
        assert trial.fired == sum(step.kind == "fired" for step in trial.steps)

    with_token(hub, token, work)


def test_a_token_that_is_none_says_nothing_of_whose_it_is() -> None:
    for text in ("", "a.b.c", "x" * 100, "a.%%%.c", "..", "a.eyJpZCI6MX0.c"):
        assert not claims_of(text).id


@pytest.mark.parametrize(("status", "error"), [(200, HubUnreachable), (401, Unauthorized), (403, HubRefused)])
def test_what_is_no_hub_is_said(status: int, error: type[Exception]) -> None:
    with answering(status, {"items": 7}) as server, pytest.raises(error):
        ask(server, lambda http: HubAlerts(http, "token").read())
