"""A whole hub over HTTP: channels, the test button, Beszel's settings, the heartbeat, and what is sealed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.alerts.queries import insert_rule
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.notifications.tables import ChannelRow, PlanRow
from beszel_hub.store.ids import new_id
from tests.support.bareagent import LinkAgent
from tests.support.databases import contents
from tests.support.hookserver import receiving
from tests.support.programs import wait_until
from tests.support.runninghub import PASSWORD, RunningHub, running_hub
from tests.support.transitions import make_transition

CHANNELS = "/api/collections/notification_channels/records"
SETTINGS = "/api/collections/user_settings/records"
TEST = "/api/beszel/test-notification"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path, app_url="https://hub.example.org") as running:
        running.hub.notifications.postroom.tick_seconds = 0.02
        running.create_user("ada@example.org", "admin")
        running.create_user("uma@example.org")
        yield running


@contextmanager
def login(hub: RunningHub, name: str) -> Iterator[httpx2.Client]:
    credentials = {"identity": f"{name}@example.org", "password": PASSWORD}
    with httpx2.Client(base_url=hub.url, timeout=30) as client:
        answer = client.post("/api/collections/users/auth-with-password", json=credentials).json()
        client.headers["Authorization"] = answer["token"]
        yield client


def post(client: httpx2.Client, path: str, body: Any, status: int = 200) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_test_button_tells_the_true_result(hub: RunningHub) -> None:
    with receiving(200, 500) as receiver, login(hub, "ada") as ada, login(hub, "uma") as uma:
        url = f"generic+{receiver.url}"
        assert post(ada, TEST, {"url": url}) == {"err": False}
        assert post(ada, TEST, {"url": url}) == {"err": "it answers HTTP 500"}
        assert "private address" in post(uma, TEST, {"url": url}, 403)["message"]
        assert "private address" in post(uma, TEST, {"url": f"json://127.0.0.1:{receiver.port}"}, 403)["message"]
        assert receiver.requests[0].document["alerts"][0]["rule"] == "Test"
        assert len(receiver.requests) == 2


def test_tests_are_not_for_scanning(hub: RunningHub) -> None:
    with login(hub, "uma") as uma:
        for _ in range(10):
            post(uma, TEST, {"url": "generic://127.0.0.1:9/"}, 403)
        assert "retry-after" in uma.post(TEST, json={"url": "generic://127.0.0.1:9/"}).headers


def test_a_transition_goes_from_the_store_to_the_channel(hub: RunningHub) -> None:
    with receiving() as receiver, login(hub, "ada") as ada:
        channel = post(ada, CHANNELS, {"name": "ops", "kind": "webhook", "url": receiver.url, "group": 0})
        transition = make_transition(user_ids=(channel["user"],))
        hub.hub.database.write_now(lambda: hub.hub.notifications.on_transition(transition))
        (request,) = receiver.wait_for(1)
        assert request.document["alerts"][0]["id"] == "t1"
        deliveries = "/api/collections/notification_deliveries/records"
        wait_until("it is noted", lambda: ada.get(deliveries).json()["items"][0]["status"] == "sent")
        assert post(ada, TEST, {"channel": channel["id"]}) == {"err": False}


def test_an_alert_whose_rule_went_while_the_hub_was_away_is_told_no_more(tmp_path: Path) -> None:
    rules = tmp_path / "alerts.yml"
    rules.write_text("rules: [{name: busy, target: cpu.usage_percent, above: 80, window: 0s}]")
    with receiving() as receiver:
        with running_hub(tmp_path) as running:
            _, agent_token = running.create_system("web1", running.create_user("ada@example.org", "admin"))
            with login(running, "ada") as ada:
                post(ada, CHANNELS, {"name": "x", "kind": "webhook", "url": receiver.url, "group": 0, "repeat": 3600})

            async def fire() -> None:
                async with LinkAgent(running.link_url, agent_token).enrolled() as agent:
                    await agent.send(agent.agent.sample(1, cpu_percent=95.0))
                    await asyncio.to_thread(receiver.wait_for, 1)

            asyncio.run(fire())
            assert running.hub.database.read_now(lambda: PlanRow.select().count()) == 1
        rules.write_text("rules: []")
        with running_hub(tmp_path) as running:
            assert running.hub.database.read_now(lambda: PlanRow.select().count()) == 0


def test_apprise_is_asked_whether_there_is_such_a_service(hub: RunningHub) -> None:
    with login(hub, "uma") as uma:
        refused = post(uma, CHANNELS, {"name": "x", "kind": "apprise", "url": "nosuchservice://token"}, 400)
        assert "url" in refused["data"]
        made = post(
            uma, CHANNELS, {"name": "x", "kind": "apprise", "url": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"}
        )
        assert made["hint"] == "discord://…"


def test_targets_are_sealed_and_never_shown(hub: RunningHub, tmp_path: Path) -> None:
    secret = "s3cr3t-p4th-of-a-hook"
    with login(hub, "uma") as uma:
        post(uma, CHANNELS, {"name": "x", "kind": "webhook", "url": f"https://hooks.example.org/{secret}"})
        post(uma, SETTINGS, {"settings": {"webhooks": [f"discord://{secret}@123"], "emails": ["uma@example.org"]}})
        for path in (CHANNELS, SETTINGS, "/api/collections/audit_log/records"):
            assert secret not in uma.get(path).text
        with login(hub, "ada") as ada:
            for path in (CHANNELS, SETTINGS, "/api/collections/audit_log/records"):
                assert secret not in ada.get(path).text
    held = contents(tmp_path / "data.db")
    assert b"uma@example.org" in held
    assert secret.encode() not in held


def test_settings_of_beszels_clients_are_channels(hub: RunningHub) -> None:
    with receiving() as receiver, login(hub, "ada") as ada:
        url = f"generic+{receiver.url}"
        body = {"settings": {"chartTime": "1h", "emails": ["ada@example.org"], "webhooks": [url]}}
        record = post(ada, SETTINGS, body)
        (mark,) = record["settings"]["webhooks"]
        assert record["settings"]["chartTime"] == "1h"
        assert record["settings"]["emails"] == ["ada@example.org"]
        assert kinds(hub) == ["email", "webhook"]
        assert post(ada, TEST, {"url": mark}) == {"err": False}
        before = ids(hub)
        record = patch(ada, record, {**record["settings"], "chartTime": "12h"})
        assert (record["settings"]["webhooks"], ids(hub)) == ([mark], before)
        record = patch(ada, record, {**record["settings"], "webhooks": [mark, "ntfy://ntfy.sh/topic"], "emails": []})
        assert kinds(hub) == ["apprise", "webhook"]
        record = patch(ada, record, {"chartTime": "24h"})
        assert kinds(hub) == ["apprise", "webhook"]
        refused = ada.patch(f"{SETTINGS}/{record['id']}", json={"settings": {"webhooks": ["nonsense"]}})
        assert refused.status_code == 400
        assert kinds(hub) == ["apprise", "webhook"]
        patch(ada, record, {"webhooks": [], "emails": []})
        assert kinds(hub) == []


def test_a_mark_of_somebody_else_opens_nothing(hub: RunningHub) -> None:
    with login(hub, "ada") as ada, login(hub, "uma") as uma:
        (mark,) = post(ada, SETTINGS, {"settings": {"webhooks": ["ntfy://ntfy.sh/t"]}})["settings"]["webhooks"]
        post(uma, TEST, {"url": mark}, 404)
        assert uma.post(SETTINGS, json={"settings": {"webhooks": [mark]}}).status_code == 400
        assert len(ids(hub)) == 1


def test_the_heartbeat_goes_out_in_beszels_form(tmp_path: Path) -> None:
    with receiving() as receiver:
        url = f"{receiver.url}?ping=secret"
        with running_hub(tmp_path, heartbeat_url=url, heartbeat_interval_seconds=60) as hub:
            hub.create_user("ada@example.org", "admin")
            hub.create_system("web")
            receiver.wait_for(1)
            with login(hub, "ada") as ada:
                assert post(ada, "/api/beszel/test-heartbeat", {}) == {"err": False}
                status = ada.get("/api/beszel/heartbeat-status").json()
                assert (status["enabled"], status["url"], status["method"]) == (True, "127.0.0.1", "POST")
                assert "secret" not in str(status)
            request = receiver.wait_for(2)[1]
        assert request.path == "/hook?ping=secret"
        assert request.headers["User-Agent"].startswith("Beszel-Heartbeat")
        assert request.document["systems"] == {"total": 1, "up": 0, "down": 0, "paused": 0, "pending": 1}
        assert request.document["status"] == "ok"


def test_from_an_agents_sample_to_the_webhook_and_back_to_normal(hub: RunningHub) -> None:
    with receiving() as receiver, login(hub, "ada") as ada:
        channel = post(ada, CHANNELS, {"name": "ops", "kind": "webhook", "url": receiver.url, "group": 0})
        system_id, agent_token = hub.create_system("web1", channel["user"])
        condition = Condition(target="cpu.usage_percent", value=80, window_seconds=0)
        rule = Rule(id=new_id(), name="busy", conditions=(condition,), user_id=channel["user"])
        hub.hub.database.write_now(lambda: insert_rule(rule, hub.hub.clock()))
        hub.refresh()

        async def run() -> None:
            agent = LinkAgent(hub.link_url, agent_token)
            async with agent.enrolled() as connection:
                await connection.send(agent.sample(1, cpu_percent=95.0))
                await asyncio.to_thread(receiver.wait_for, 1)
                await connection.send(agent.sample(2, cpu_percent=5.0))
                await asyncio.to_thread(receiver.wait_for, 2)

        asyncio.run(run())
        alerts = [request.document["alerts"][0] for request in receiver.requests]
        assert [alert["kind"] for alert in alerts] == ["fired", "recovered"]
        assert alerts[0]["link"] == f"https://hub.example.org/system/{system_id}"
        assert alerts[0]["alert_id"] == alerts[1]["alert_id"]


def patch(client: httpx2.Client, record: Any, settings: Any) -> Any:
    answer = client.patch(f"{SETTINGS}/{record['id']}", json={"settings": settings})
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(hub: RunningHub) -> list[str]:
    return hub.hub.database.read_now(lambda: sorted(row.kind for row in ChannelRow.select()))


def ids(hub: RunningHub) -> list[str]:
    return hub.hub.database.read_now(lambda: sorted(row.id for row in ChannelRow.select()))
