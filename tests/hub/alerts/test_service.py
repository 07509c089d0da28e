"""Alerts of a running hub: real agents, a real database, restarts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.tables import HistoryRow, StateRow
from beszel_hub.alerts.transition import Transition
from beszel_hub.errors import Unavailable
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.messages import Configure, Containers, Event, Welcome
from beszel_protocol.sample import ProcessCounts
from tests.support.alertwatch import Watch as Site
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import running_hub

RULES = "/api/collections/alert_rules/records"
QUIET = "/api/collections/quiet_hours/records"
HISTORY = "/api/collections/alerts_history/records"
NOW_BUSY = {"target": "cpu.usage_percent", "value": 80, "window_seconds": 0}


def test_a_rule_made_over_the_api_fires_recovers_and_is_in_the_history(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        user_id = running.create_user("uma@example.org")
        system_id, agent_token = running.create_system("web1", user_id)
        with site.client(user_id) as client:
            made = client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY], "severity": "critical"})
            assert made.status_code == 200, made.text
            site.send(agent_token, 10.0, 91.5, 97.25, 12.0, until=lambda: len(site.told) == 2)
            (record,) = client.get(HISTORY).json()["items"]
    fired, recovered = site.told
    assert (fired.kind, recovered.kind) == ("fired", "recovered")
    assert fired.user_ids == (user_id,)
    assert fired.text == "web1: CPU at 91.5%, above 80.0%"
    assert recovered.text == "web1: CPU at 12.0%, no longer above 80.0% (after 0s)"
    assert (fired.system_id, fired.rule_id, fired.threshold) == (system_id, made.json()["id"], 80.0)
    assert record["id"] == fired.alert_id
    assert (record["value"], record["peak"], record["threshold"]) == (91.5, 97.25, 80)
    assert (record["outcome"], record["severity"], record["alert_id"]) == ("recovered", "critical", fired.rule_id)
    assert record["resolved"] >= record["created"]


def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        user_id = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", user_id)
        with site.client(user_id) as client:
            client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY]})
        agent = LinkAgent(running.link_url, agent_token)

        async def fire() -> None:
            async with agent.enrolled() as connection:
                await connection.send(agent.sample(1, cpu_percent=95.0))
                await site.until(lambda: len(site.told) == 1)

        asyncio.run(fire())
    with running_hub(tmp_path) as running:
        site2 = Site(running)
        agent.url = running.link_url

        async def recover() -> None:
            async with agent.enrolled() as connection:
                for sequence, percent in enumerate((96.0, 97.0, 5.0), 2):
                    await connection.send(agent.sample(sequence, cpu_percent=percent))
                await site2.until(lambda: bool(site2.told))

        asyncio.run(recover())
        assert [transition.kind for transition in site2.told] == ["recovered"]
        assert site2.told[0].alert_id == site.told[0].alert_id
        assert site2.told[0].peak == 97.0


def test_what_delivery_cannot_store_is_tried_again_and_told_once(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        user_id = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", user_id)
        failures = iter([True, True])
        tries: list[Transition] = []

        def deliver(transition: Transition) -> None:
            tries.append(transition)
            if next(failures, False):
                raise Unavailable

        running.hub.alerts.on_transition = deliver
        with site.client(user_id) as client:
            client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY]})
            site.send(agent_token, 95.0, until=lambda: bool(site.told))
            assert client.get(HISTORY).json()["totalItems"] == 1
    assert len(site.told) == 1
    assert len({transition.id for transition in tries}) == 1
    assert len(tries) == 3


def test_quiet_hours_hold_back_and_a_summary_follows(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma, otto = running.create_user("uma@example.org"), running.create_user("otto@example.org")
        admin = running.create_user("ada@example.org", "admin")
        _, agent_token = running.create_system("web1", uma, otto)
        with site.client(uma) as client, site.client(admin) as for_everybody:
            made = for_everybody.post(RULES, json={"name": "busy", "user": "", "conditions": [NOW_BUSY]})
            assert made.json()["user"] == ""
            quiet = client.post(
                QUIET, json={"type": "one-time", "start": "2020-01-01", "end": "2999-01-01", "rule": made.json()["id"]}
            )
            assert quiet.status_code == 200, quiet.text
            site.send(agent_token, 95.0, until=lambda: len(site.told) == 1)
            assert site.told[0].user_ids == (otto,)
            running.call(running.hub.alerts.tell_held())
            assert len(site.told) == 1
            assert client.delete(f"{QUIET}/{quiet.json()['id']}").status_code == 204
            running.call(running.hub.alerts.tell_held())
            running.call(running.hub.alerts.tell_held())
    (_, summary) = site.told
    assert (summary.kind, summary.user_ids) == ("summary", (uma,))
    assert "1 still wrong, 0 over" in summary.text
    assert "web1: CPU at 95.0%" in summary.text
    assert summary.lasting == (site.told[0].alert_id,)


def test_a_summary_calls_nothing_lasting_that_is_over(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", uma)
        with site.client(uma) as client:
            made = client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY]}).json()
            quiet = client.post(QUIET, json={"type": "one-time", "start": "2020-01-01", "end": "2999-01-01"}).json()
            site.send(agent_token, 95.0, until=lambda: len(site.told) == 1)
            client.delete(f"{RULES}/{made['id']}")
            running.call(running.hub.alerts.save())
            client.delete(f"{QUIET}/{quiet['id']}")
            running.call(running.hub.alerts.tell_held())
    _, closed, summary = site.told
    assert (closed.kind, summary.kind, summary.lasting) == ("closed", "summary", ())
    assert "0 still wrong, 1 over" in summary.text


def test_acknowledged(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma, otto = running.create_user("uma@example.org"), running.create_user("otto@example.org")
        _, agent_token = running.create_system("web1", uma)
        with site.client(uma) as client, site.client(otto) as other:
            client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY], "repeat_seconds": 60})
            site.send(agent_token, 95.0, until=lambda: len(site.told) == 1)
            body = {"id": site.told[0].alert_id}
            assert other.post("/api/beszel/alerts/acknowledge", json=body).status_code == 404
            assert client.post("/api/beszel/alerts/acknowledge", json=body).status_code == 200
            (record,) = client.get(HISTORY).json()["items"]
            assert record["acknowledged_by"] == uma
        (state,) = running.hub.database.read_now(lambda: [row.body for row in StateRow.select()])
        assert state["is_acknowledged"] is True


def test_what_somebody_took_on_is_stored_as_a_whole_and_told_no_more(tmp_path: Path) -> None:
    ended: list[str] = []
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", uma)

        def fail(_: str) -> None:
            raise Unavailable

        with site.client(uma) as client:
            client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY], "repeat_seconds": 60})
            site.send(agent_token, 95.0, until=lambda: len(site.told) == 1)
            body = {"id": site.told[0].alert_id}
            running.hub.alerts.end_plans = fail
            assert client.post("/api/beszel/alerts/acknowledge", json=body).status_code == 503
            (record,) = client.get(HISTORY).json()["items"]
            assert record["acknowledged_by"] == ""
            running.hub.alerts.end_plans = ended.append
            assert client.post("/api/beszel/alerts/acknowledge", json=body).status_code == 200
    assert ended == [body["id"]]


def test_beszels_alert_is_triggered_and_a_deleted_one_ends(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma = running.create_user("uma@example.org")
        system_id, agent_token = running.create_system("web1", uma)
        with site.client(uma) as client:
            body = {"name": "Status", "value": 0, "min": 1, "systems": [system_id]}
            assert client.post("/api/beszel/user-alerts", json=body).json() == {"success": True, "count": 1}
            again = client.post("/api/beszel/user-alerts", json=body)
            assert again.json()["count"] == 0
            (alert,) = client.get("/api/collections/alerts/records").json()["items"]
            assert (alert["name"], alert["min"], alert["triggered"], alert["user"]) == ("Status", 1, False, uma)
            rule = f"{RULES}/{alert['id']}"
            assert client.patch(rule, json={"conditions": [NOW_BUSY], "for_seconds": 0}).status_code == 200
            site.send(agent_token, 95.0, until=lambda: len(site.told) == 1)
            assert client.get("/api/collections/alerts/records").json()["totalItems"] == 0
            assert client.delete(rule).status_code == 204
            asyncio.run(site.until(lambda: len(site.told) == 2))
            (record,) = client.get(HISTORY).json()["items"]
        assert (site.told[1].kind, record["outcome"], record["reason"]) == ("closed", "closed", "the rule is gone")


def test_backfill_alarms_nobody(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        uma = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", uma)
        with site.client(uma) as client:
            client.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY]})
        agent = LinkAgent(running.link_url, agent_token)

        async def run() -> None:
            async with agent.enrolled() as connection:
                await connection.send_batch(*(agent.sample(number, cpu_percent=99.0) for number in range(1, 20)))
                await connection.await_stored((1, 19))

        asyncio.run(run())
    assert site.told == []


def test_containers_alarm_by_what_their_engine_tells(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        user_id = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", user_id)
        with site.client(user_id) as client:
            for target, value in (("container_down[d*]", 0), ("container_oom", 0), ("container_oom[*]", 1)):
                rule = {"name": target, "conditions": [{"target": target, "value": value, "window_seconds": 600}]}
                made = client.post(RULES, json=rule)
                assert made.status_code == 200, made.text
        agent = LinkAgent(running.link_url, agent_token)
        made_then = agent.sample(2)
        killed = Event(
            sequence=2, timestamp=made_then.timestamp, boot_ms=made_then.boot_ms, kind="container_oom", subject="db"
        )

        async def run() -> None:
            async with agent.enrolled() as connection:
                await connection.send(containers("running"))
                await connection.send(agent.sample(1))
                await connection.send(killed)
                await connection.send(containers("exited"))
                await connection.send(agent.sample(3))
                await site.until(lambda: len(site.told) == 2)
                await connection.send(containers("running"))
                await connection.send(agent.sample(4))
                await site.until(lambda: len(site.told) == 3)
                await connection.await_stored((1, 4))
            async with agent.enrolled() as connection:
                await connection.send(killed)  # an agent that heard no acknowledgement sends again
                await connection.send(containers("exited"))
                await connection.send(agent.sample(5))
                await site.until(lambda: len(site.told) == 4)

        asyncio.run(run())
    assert sorted(transition.text for transition in site.told[:2]) == [
        "web1: Container down [db]", "web1: Container out of memory [db] once in 10m, above 0",
    ]  # fmt: skip
    assert site.told[2].text == "web1: Container down [db] is over (after 0s)"
    assert site.told[3].text == "web1: Container down [db]"


def test_agents_count_the_processes_that_rules_name(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        site = Site(running)
        user_id = running.create_user("uma@example.org")
        _, agent_token = running.create_system("web1", user_id)
        gone = {"target": "processes.by_name[worker*]", "comparison": "below", "value": 1, "window_seconds": 0}
        with site.client(user_id) as client:
            made = client.post(RULES, json={"name": "gone", "conditions": [gone]}).json()
            agent = LinkAgent(running.link_url, agent_token)

            async def run() -> None:
                async with agent.connect() as connection:
                    welcome = await connection.enrol()
                    assert isinstance(welcome, Welcome)
                    assert welcome.configuration.processes == ["worker*"]
                    counts = ProcessCounts(by_name={"worker*": 0, "worker": 5})
                    sample = agent.sample(1)
                    metrics = msgspec.structs.replace(sample.metrics, processes=counts)
                    await connection.send(msgspec.structs.replace(sample, metrics=metrics))
                    await site.until(lambda: len(site.told) == 1)
                    assert (await asyncio.to_thread(client.delete, f"{RULES}/{made['id']}")).status_code == 204
                    running.call(running.hub.duties.follow())
                    changed = (await connection.receive_until(Configure)).configuration
                    assert (changed.processes, changed.revision) == ([], welcome.configuration.revision + 1)

            asyncio.run(run())
    assert site.told[0].text == "web1: Processes by name [worker*] at 0, below 1"


def containers(state: str) -> Containers:
    return Containers(containers=[ContainerFacts(id="0123456789ab", name="db", engine="docker", state=state)])


def test_history_of_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        uma = running.create_user("uma@example.org")
        system_id, _ = running.create_system("web1", uma)
        alerts: Alerts = running.hub.alerts
        for number, place in enumerate((system_id, "x" * 15)):
            running.hub.database.write_now(
                lambda number=number, place=place: HistoryRow.insert(  # type: ignore[misc]
                    id=f"alert{number}", rule_id="r", system_id=place, name="n", target="t", severity="info",
                    outcome="", reason="", created=running.hub.clock(),
                ).execute()
            )  # fmt: skip
        running.call(alerts.tidy())
        left = running.hub.database.read_now(lambda: [row.id for row in HistoryRow.select()])
    assert left == ["alert0"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conditions": [{"target": "cpu.nothing", "value": 1}]}, "target"),
        ({"conditions": [{"target": "uptime_seconds", "value": 1}]}, "target"),
        ({"conditions": [{"target": "cpu.usage_percent", "comparison": "near"}]}, "conditions"),
        ({"conditions": [{"target": "cpu.usage_percent", "typo": 1}]}, "conditions"),
        ({"conditions": []}, "conditions"),
        ({"conditions": [NOW_BUSY, {"target": "status"}]}, "conditions"),
        ({"conditions": [{**NOW_BUSY, "recover_value": 90}]}, "recover_value"),
        ({"conditions": [{"target": "bandwidth", "aggregate": "forecast", "value": 1}]}, "aggregate"),
        ({"severity": "loud"}, "severity"),
        ({"repeat_seconds": 5}, "repeat_seconds"),
        ({"escalate_value": 10}, "escalate_value"),
        ({"name": ""}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused(refusing: httpx2.Client, change: dict[str, object], field: str) -> None:
    answer = refusing.post(RULES, json={"name": "busy", "conditions": [NOW_BUSY], **change})
    assert answer.status_code == 400, answer.text
    assert list(answer.json()["data"]) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end": "2019-01-01"}, "end"),
        ({"type": "daily", "end": "9999-12-31", "timezone": "Pacific/Auckland"}, "end"),
        ({"type": "weekly"}, "days"),
        ({"type": "weekly", "days": ["someday"]}, "days"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"type": "sometimes"}, "type"),
        ({"start": ""}, "start"),
        ({"rule": "x" * 15}, "rule"),
        ({"system": "x" * 15}, "system"),
    ],
)
def test_quiet_hours_that_make_no_sense_are_refused(
    refusing: httpx2.Client, change: dict[str, object], field: str
) -> None:
    answer = refusing.post(QUIET, json={"type": "one-time", "start": "2020-01-01", "end": "2020-01-02", **change})
    assert answer.status_code == 400, answer.text
    assert list(answer.json()["data"]) == [field]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        site = Site(running)
        with site.client(running.create_user("uma@example.org")) as client:
            yield client
