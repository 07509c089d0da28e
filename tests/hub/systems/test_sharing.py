"""Who sees a system besides its members: teams by tag, and everybody where that is set."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.runninghub import RunningHub, running_hub

SYSTEMS = "/api/collections/systems/records"
TEAMS = "/api/collections/teams/records"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def admin(hub: RunningHub) -> Iterator[httpx2.Client]:
    hub.create_user("ada@example.org", "admin")
    with log_in(hub, "ada@example.org") as client:
        yield client


def log_in(hub: RunningHub, identity: str) -> httpx2.Client:
    body = {"identity": identity, "password": "correct horse battery"}
    answer = httpx2.post(f"{hub.url}/api/collections/users/auth-with-password", json=body).json()
    return httpx2.Client(base_url=hub.url, headers={"Authorization": answer["token"]}, timeout=10)


def names(client: httpx2.Client) -> list[str]:
    return [system["name"] for system in client.get(SYSTEMS, params={"sort": "name"}).json()["items"]]


def test_a_team_sees_what_has_its_tags(hub: RunningHub, admin: httpx2.Client) -> None:
    uma_id = hub.create_user("uma@example.org")
    made = {
        name: admin.post(SYSTEMS, json={"name": name, "tags": tags}).json()["id"]
        for name, tags in (("db-1", ["db", "prod"]), ("db-2", ["db"]), ("web", ["prod"]), ("nas", []))
    }
    with log_in(hub, "uma@example.org") as uma:
        assert names(uma) == []
        team = admin.post(TEAMS, json={"name": "databases", "tags": ["db"], "users": [uma_id]}).json()
        assert names(uma) == ["db-1", "db-2"]
        entry = hub.hub.systems.directory.get(made["db-1"])
        assert entry is not None
        assert uma_id in entry.members, "live feeds decide by the directory"
        admin.patch(f"{SYSTEMS}/{made['nas']}", json={"tags": ["db"]})
        assert names(uma) == ["db-1", "db-2", "nas"]
        admin.patch(f"{SYSTEMS}/{made['db-1']}", json={"tags": ["prod"]})
        assert names(uma) == ["db-2", "nas"]
        admin.patch(f"{TEAMS}/{team['id']}", json={"tags": ["prod"]})
        assert names(uma) == ["db-1", "web"]
        record = uma.get(f"{SYSTEMS}/{made['web']}").json()
        assert uma_id not in record["users"], "a member of the team is no member by name"
        admin.delete(f"{TEAMS}/{team['id']}")
        assert names(uma) == []


def test_a_new_system_joins_by_its_tags(hub: RunningHub, admin: httpx2.Client) -> None:
    otto_id = hub.create_user("otto@example.org")
    admin.post(TEAMS, json={"name": "edge", "tags": ["edge"], "users": [otto_id]})
    admin.post(SYSTEMS, json={"name": "edge-1", "tags": ["edge"]})
    with log_in(hub, "otto@example.org") as otto:
        assert names(otto) == ["edge-1"]


def test_team_names_are_their_own(admin: httpx2.Client) -> None:
    assert admin.post(TEAMS, json={"name": "same"}).status_code == 200
    assert admin.post(TEAMS, json={"name": "Same"}).status_code == 400


def test_everybody_sees_everything_where_that_is_set(tmp_path: Path) -> None:
    with running_hub(tmp_path, share_all_systems=True) as hub:
        owner, rea = hub.create_user("owner@example.org"), hub.create_user("rea@example.org", "readonly")
        hub.create_user("uma@example.org")
        system_id, _ = hub.create_system("web", owner)
        with log_in(hub, "uma@example.org") as uma:
            assert names(uma) == ["web"]
            assert uma.patch(f"{SYSTEMS}/{system_id}", json={"name": "renamed"}).status_code == 200
        with log_in(hub, "rea@example.org") as reader:
            assert names(reader) == ["renamed"]
            assert reader.patch(f"{SYSTEMS}/{system_id}", json={"name": "no"}).status_code == 404
        assert httpx2.get(f"{hub.url}{SYSTEMS}").json()["items"] == []
        token = hub.create_token(rea)
        headers = {"Authorization": token}
        assert len(httpx2.get(f"{hub.url}{SYSTEMS}", headers=headers).json()["items"]) == 1
