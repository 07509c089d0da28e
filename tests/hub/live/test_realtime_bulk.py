"""Many alerts set in one request: each is told to who listens, and noted in the audit log, as one set alone."""

import asyncio
from typing import Any

import httpx2

from beszel_hub.alerts.templates import TEMPLATES
from tests.support.eventstream import EventStream, event_stream
from tests.support.listeners import new_user, request
from tests.support.runninghub import RunningHub

USER_ALERTS = "/api/beszel/user-alerts"
TEMPLATES_PATH = "/api/beszel/alerts/templates"


def audited(hub: RunningHub, *, by: str, collection: str) -> list[tuple[str, str]]:
    """What the audit log says that a user did to a collection, oldest first: actions and records."""
    _, admin_token = new_user(hub, "admin")
    parameters = {"filter": f"user = '{by}' && collection = '{collection}'", "sort": "created"}
    url = f"{hub.url}/api/collections/audit_log/records"
    answer = httpx2.get(url, params=parameters, headers={"Authorization": admin_token})
    return [(entry["action"], entry["record"]) for entry in answer.json()["items"]]


async def receive(stream: EventStream, count: int) -> list[Any]:
    return [(await stream.receive()).data for _ in range(count)]


def test_alerts_on_many_systems(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    _, other_token = new_user(hub)
    systems = [hub.create_system(name, user_id)[0] for name in ("one", "two")]
    hub.refresh()
    body = {"name": "CPU", "value": 80, "min": 5, "systems": systems}

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "alerts/*") as stream,
            event_stream(hub.url, other_token, "alerts/*") as other,
        ):
            await request(hub, "POST", USER_ALERTS, token, body)
            made = await receive(stream, 2)
            assert [event["action"] for event in made] == ["create", "create"]
            assert {event["record"]["system"] for event in made} == set(systems)
            await request(hub, "POST", USER_ALERTS, token, body | {"value": 90, "overwrite": True})
            changed = await receive(stream, 2)
            assert [(event["action"], event["record"]["value"]) for event in changed] == [("update", 90)] * 2
            await request(hub, "DELETE", USER_ALERTS, token, body)
            gone = await receive(stream, 2)
            assert [event["action"] for event in gone] == ["delete", "delete"]
            assert {event["record"]["id"] for event in gone} == {event["record"]["id"] for event in made}
            assert await stream.is_quiet()
            assert await other.is_quiet(0.1)

    asyncio.run(run())
    actions = [action for action, _ in audited(hub, by=user_id, collection="alerts")]
    assert actions == ["alerts.create"] * 2 + ["alerts.update"] * 2 + ["alerts.delete"] * 2


def test_what_is_refused_is_neither_told_nor_noted(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    mine, _ = hub.create_system("mine", user_id)
    hidden, _ = hub.create_system("hidden")
    hub.refresh()
    body = {"name": "CPU", "value": 80, "systems": [mine, hidden]}

    async def run() -> None:
        async with event_stream(hub.url, token, "alerts/*") as stream:
            async with httpx2.AsyncClient(base_url=hub.url) as client:
                answer = await client.post(USER_ALERTS, json=body, headers={"Authorization": token})
            assert answer.status_code == 404
            assert await stream.is_quiet()

    asyncio.run(run())
    assert audited(hub, by=user_id, collection="alerts") == []


def test_rules_of_a_template(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    count = len(TEMPLATES["hardware"].rules)

    async def run() -> set[str]:
        async with event_stream(hub.url, token, "alert_rules/*") as stream:
            await request(hub, "POST", TEMPLATES_PATH, token, {"template": "hardware"})
            events = await receive(stream, count)
            assert {event["action"] for event in events} == {"create"}
            return {event["record"]["id"] for event in events}

    ids = asyncio.run(run())
    assert sorted(audited(hub, by=user_id, collection="alert_rules")) == [
        ("alert_rules.create", rule_id) for rule_id in sorted(ids)
    ]
