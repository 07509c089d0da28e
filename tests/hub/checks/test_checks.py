"""From the API to the agent: bounds, revisions, and who is told when."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.checks.queries import insert_check, load_configuration, load_revisions
from beszel_hub.checks.service import Checks
from beszel_hub.checks.tables import CheckRow
from beszel_hub.errors import Unavailable
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import insert_system
from beszel_protocol.checks import MAX_CHECKS, CheckDefinition
from beszel_protocol.messages import Configuration, Configure, Configured, Welcome
from tests.support.bareagent import Connection, LinkAgent
from tests.support.databases import place_at, provide
from tests.support.runninghub import RunningHub, running_hub

CHECKS = "/api/collections/checks/records"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    token = hub.create_token(hub.create_user("ada@example.org", "admin"), "write")
    with httpx2.Client(base_url=hub.url, timeout=10, headers={"Authorization": token}) as opened:
        yield opened


def body(system_id: str, name: str = "web", **fields: Any) -> dict[str, Any]:
    return {"system": system_id, "name": name, "kind": "http", "target": "https://example.org/", **fields}


def create(client: httpx2.Client, system_id: str, name: str = "web", **fields: Any) -> dict[str, Any]:
    answer = client.post(CHECKS, json=body(system_id, name, **fields))
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


def configuration_of(hub: RunningHub, system_id: str) -> Configuration:
    return hub.call(hub.hub.checks.configuration_of(system_id))


def test_what_is_defined_is_what_the_agent_gets(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, _ = hub.create_system("whole")
    assert configuration_of(hub, system_id) == Configuration(revision=0)
    create(
        client, system_id, "page", interval=30, timeout=2.5, allow_private=True, keyword="is well", method="GET",
        expected_status="200,301", follow_redirects=False, verify_certificate=False,
    )  # fmt: skip
    create(client, system_id, "name", kind="dns", target="example.org", record="AAAA", server="192.0.2.1")
    create(client, system_id, "off", enabled=False)
    configuration = configuration_of(hub, system_id)
    assert configuration.revision == 3
    assert sorted(configuration.checks, key=lambda check: check.name) == [
        CheckDefinition(name="name", kind="dns", target="example.org", record="AAAA", server="192.0.2.1"),
        CheckDefinition(
            name="page", kind="http", target="https://example.org/", interval_seconds=30, timeout_seconds=2.5,
            allow_private=True, keyword="is well", expected_status="200,301", follow_redirects=False,
            verify_certificate=False,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "n" * 65}, {"name"}),
        ({"kind": "smtp"}, {"kind"}),
        ({"target": ""}, {"target"}),
        ({"target": "https://e.org/" + "a" * 2048}, {"target"}),
        ({"target": "https://user:word@example.org/"}, {"target"}),
        ({"interval": 4}, {"interval"}),
        ({"interval": 86401}, {"interval"}),
        ({"timeout": 0.01}, {"timeout"}),
        ({"timeout": 61}, {"timeout"}),
        ({"timeout": "soon"}, {"timeout"}),
        ({"keyword": "k" * 257}, {"keyword"}),
        ({"keyword": ["k"]}, {"keyword"}),
        ({"method": "DELETE"}, {"method"}),
        ({"record": "A", "server": "192.0.2.1"}, {"server"}),
        ({"kind": "ping", "target": "-c 1 x", "expected_status": "200"}, {"target", "expected_status"}),
        ({"allow_private": "perhaps"}, {"allow_private"}),
        ({"system": "nosuchsystem000"}, {"system"}),
        ({"system": None}, {"system"}),
    ],
)
def test_bounds(hub: RunningHub, client: httpx2.Client, fields: dict[str, Any], wrong: set[str]) -> None:
    system_id, _ = hub.create_system("bounds")
    answer = client.post(CHECKS, json={**body(system_id), **fields})
    assert (answer.status_code, set(answer.json()["data"])) == (400, wrong)
    assert configuration_of(hub, system_id) == Configuration(revision=0)


def test_what_is_left_empty_has_its_default(hub: RunningHub, client: httpx2.Client) -> None:
    """Clients send forms back as they are."""
    system_id, _ = hub.create_system("defaults")
    record = create(client, system_id, "web", method="", record="", interval=None, timeout="", server="")
    assert (record["method"], record["record"], record["interval"], record["timeout"]) == ("GET", "A", 60, 10)
    answer = client.patch(f"{CHECKS}/{record['id']}", json={**record, "name": "renamed", "method": ""})
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "renamed"
    assert configuration_of(hub, system_id).revision == 2
    assert client.patch(f"{CHECKS}/{record['id']}", json=answer.json()).status_code == 200
    assert configuration_of(hub, system_id).revision == 2  # nothing was changed


def test_a_change_is_checked_as_a_whole(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, _ = hub.create_system("whole change")
    record = create(client, system_id, "web", keyword="is well")
    answer = client.patch(f"{CHECKS}/{record['id']}", json={"kind": "tcp"})
    assert set(answer.json()["data"]) == {"target", "keyword"}
    change = {"kind": "tcp", "target": "example.org:443", "keyword": ""}
    assert client.patch(f"{CHECKS}/{record['id']}", json=change).status_code == 200
    assert client.patch(f"{CHECKS}/{record['id']}", json={"system": "anothersystem00"}).json()["system"] == system_id


def test_so_many_and_no_more(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, _ = hub.create_system("many")

    def fill() -> None:
        for number in range(MAX_CHECKS):
            check = CheckDefinition(name=f"check {number}", kind="ping", target="example.org")
            insert_check(system_id, check, is_enabled=True, now_ms=1)

    hub.hub.database.write_now(fill)
    answer = client.post(CHECKS, json=body(system_id))
    assert (answer.status_code, set(answer.json()["data"])) == (400, {"system"})
    assert len(configuration_of(hub, system_id).checks) == MAX_CHECKS


def test_names_are_free_again_and_free_elsewhere(hub: RunningHub, client: httpx2.Client) -> None:
    (one, _), (two, _) = hub.create_system("one"), hub.create_system("two")
    record = create(client, one)
    create(client, two)
    assert client.post(CHECKS, json=body(one)).json()["data"].keys() == {"name"}
    assert client.delete(f"{CHECKS}/{record['id']}").status_code == 204
    create(client, one)
    assert configuration_of(hub, one).revision == 3


def test_a_deleted_system_takes_its_checks_along(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, _ = hub.create_system("leaves")
    create(client, system_id)
    assert client.delete(f"/api/collections/systems/records/{system_id}").status_code == 204

    def look() -> tuple[int, bool]:
        return CheckRow.select().where(CheckRow.system_id == system_id).count(), system_id in load_revisions()

    assert hub.call(hub.hub.database.read(look)) == (0, False)


def test_an_agent_is_told_at_once_and_only_its_own(hub: RunningHub, client: httpx2.Client) -> None:
    (mine, token), (other, _) = hub.create_system("mine"), hub.create_system("other")
    first = create(client, mine, "first")

    async def next_names(agent: Connection) -> tuple[int, set[str]]:
        message = await agent.receive_until(Configure)
        await agent.send(Configured(revision=message.configuration.revision))
        return message.configuration.revision, {check.name for check in message.configuration.checks}

    async def main() -> None:
        async with LinkAgent(hub.link_url, token).connect() as agent:
            welcome = await agent.enrol()
            assert isinstance(welcome, Welcome)
            assert [check.name for check in welcome.configuration.checks] == ["first"]
            assert welcome.configuration.revision == 1
            await asyncio.to_thread(create, client, other, "not mine")
            second = await asyncio.to_thread(create, client, mine, "second")
            assert await next_names(agent) == (2, {"first", "second"})
            path = f"{CHECKS}/{second['id']}"
            await asyncio.to_thread(client.patch, path, json={"enabled": False})
            assert await next_names(agent) == (3, {"first"})
            await asyncio.to_thread(client.delete, f"{CHECKS}/{first['id']}")
            assert await next_names(agent) == (4, set())
            link = hub.hub.connections.get(mine)
            assert link is not None
            async with asyncio.timeout(5):
                while link.configured_revision != 4:  # noqa: ASYNC110 - in the hub's thread
                    await asyncio.sleep(0.01)
            assert link.ignored_frames == 0

    asyncio.run(main())


def test_what_another_process_writes_is_told_too(hub: RunningHub) -> None:
    system_id, token = hub.create_system("written beside")

    async def main() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            check = CheckDefinition(name="beside", kind="ping", target="example.org")
            hub.hub.database.write_now(lambda: insert_check(system_id, check, is_enabled=True, now_ms=1))
            await asyncio.wrap_future(_refresh(hub))
            message = await agent.receive_until(Configure)
            assert message.configuration.checks == [check]

    asyncio.run(main())


class OftenBusy(Checks):
    """Every other question is one too many for its database."""

    asked = 0

    async def configuration_of(self, system_id: str) -> Configuration:
        self.asked += 1
        if self.asked % 2 == 0:
            raise Unavailable
        return await super().configuration_of(system_id)


def test_whom_a_busy_database_kept_from_being_told_is_told_by_the_next_look(tmp_path: Path) -> None:
    database = Database(place_at(provide(tmp_path) / "data.db"))
    database.open()
    systems = [f"system{number:09}" for number in range(3)]
    check = CheckDefinition(name="web", kind="ping", target="example.org")
    told: list[str] = []

    def write() -> None:
        for system_id in systems:
            insert_system(name=system_id, now_ms=1, members=(), system_id=system_id)

    def define() -> None:
        for system_id in systems:
            insert_check(system_id, check, is_enabled=True, now_ms=1)

    async def main() -> None:
        checks = OftenBusy(database)
        checks.on_changed.append(lambda system_id, _: told.append(system_id))
        await checks.refresh()
        await database.write(define)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await checks.refresh()
        await checks.refresh()
        await checks.refresh()

    with closing(database):
        database.write_now(write)
        asyncio.run(main())
    assert sorted(told) == systems


def _refresh(hub: RunningHub) -> Any:
    assert hub.loop is not None
    return asyncio.run_coroutine_threadsafe(hub.hub.checks.refresh(), hub.loop)


def test_revisions_outlive_the_hub(tmp_path: Path) -> None:
    with running_hub(tmp_path) as first:
        system_id, _ = first.create_system("stays")
        checks = [CheckDefinition(name=name, kind="ping", target="example.org") for name in ("a", "b")]

        def write() -> None:
            for check in checks:
                insert_check(system_id, check, is_enabled=True, now_ms=1)

        first.hub.database.write_now(write)
    with running_hub(tmp_path) as second:
        configuration = second.call(second.hub.database.read(lambda: load_configuration(system_id)))
        assert configuration.revision == 2
        assert sorted(check.name for check in configuration.checks) == ["a", "b"]
