"""The audit log: in the transaction of what it tells of, without secrets, and never changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.audit import queries
from beszel_hub.audit.difference import MAX_VALUE_BYTES, find_changes
from beszel_hub.audit.journal import RETENTION_MS
from beszel_hub.audit.tables import AuditEntry
from beszel_hub.errors import Conflict
from beszel_hub.records.registry import Change, Collection
from tests.support.people import start_over
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

AUDIT = "/api/collections/audit_log/records"
SYSTEMS = "/api/collections/systems/records"
USERS = "/api/collections/users/records"
NEW_PASSWORD = "another horse battery"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def ada(hub: RunningHub) -> Iterator[httpx2.Client]:
    start_over(hub)
    hub.hub.database.write_now(lambda: AuditEntry.delete().execute())
    with httpx2.Client(base_url=hub.url, timeout=10) as client:
        client.headers["Authorization"] = log_in(client, "ada").json()["token"]
        yield client


def log_in(client: httpx2.Client, name: str, password: str = PASSWORD) -> httpx2.Response:
    return client.post("/api/collections/users/auth-with-password", json={"identity": name, "password": password})


def entries(client: httpx2.Client, **parameters: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(AUDIT, params={"sort": "created", **parameters}).json()["items"]
    return items


def test_who_did_what_to_which(ada: httpx2.Client) -> None:
    system_id = ada.post(SYSTEMS, json={"name": "web", "tags": ["prod"]}).json()["id"]
    ada.patch(f"{SYSTEMS}/{system_id}", json={"name": "web-1", "tags": ["prod"]})
    ada.delete(f"{SYSTEMS}/{system_id}")
    login, created, renamed, deleted = entries(ada)
    assert (login["action"], login["address"], login["changes"]) == (
        "auth.login", "127.0.0.1", {"method": [None, "password"]},
    )  # fmt: skip
    assert [entry["action"] for entry in (created, renamed, deleted)] == [
        "systems.create", "systems.update", "systems.delete",
    ]  # fmt: skip
    assert {entry["userName"] for entry in (created, renamed, deleted)} == {"ada@example.org"}
    assert {entry["session"] for entry in (created, renamed, deleted)} == {login["session"]}
    assert {entry["record"] for entry in (created, renamed, deleted)} == {system_id}
    assert renamed["changes"] == {"name": ["web", "web-1"]}
    assert deleted["changes"]["name"] == ["web-1", None]


def test_what_changes_nothing_is_not_noted(ada: httpx2.Client) -> None:
    system_id = ada.post(SYSTEMS, json={"name": "web"}).json()["id"]
    ada.patch(f"{SYSTEMS}/{system_id}", json={"name": "web"})
    assert ada.patch(f"{SYSTEMS}/{system_id}", json={"name": ""}).status_code == 400
    assert [entry["action"] for entry in entries(ada)] == ["auth.login", "systems.create"]


def test_every_write_of_a_batch_is_noted_or_none(ada: httpx2.Client) -> None:
    good = {"method": "POST", "url": SYSTEMS, "body": {"name": "one"}}
    bad = {"method": "POST", "url": SYSTEMS, "body": {"name": ""}}
    assert ada.post("/api/batch", json={"requests": [good, bad]}).status_code == 400
    assert ada.post("/api/batch", json={"requests": [good, good]}).status_code == 200
    assert [entry["action"] for entry in entries(ada)] == ["auth.login", "systems.create", "systems.create"]


def test_secrets_are_not_in_it(hub: RunningHub, ada: httpx2.Client) -> None:
    uma = ada.post(USERS, json={"email": "eve@example.org", "password": PASSWORD}).json()["id"]
    ada.patch(f"{USERS}/{uma}", json={"password": NEW_PASSWORD})
    token = ada.post("/api/collections/api_tokens/records", json={"name": "script", "scope": "read"}).json()["token"]
    system_id, agent_token = hub.create_system("web")
    fingerprint = f"/api/collections/fingerprints/records/{system_id}"
    assert ada.patch(fingerprint, json={"token": "a-token-of-my-own-choice"}).status_code == 200
    text = json.dumps(entries(ada))
    for secret in (PASSWORD, NEW_PASSWORD, token, agent_token, "a-token-of-my-own-choice", "argon2"):
        assert secret not in text
    assert [entry["action"] for entry in entries(ada)][1:] == [
        "users.create", "users.password", "api_tokens.create", "fingerprints.update",
    ]  # fmt: skip
    assert entries(ada)[-1]["changes"]["token"] == ["(not kept)", "(not kept)"]


def test_failed_logins_are_noted_without_what_was_typed(ada: httpx2.Client) -> None:
    log_in(ada, "uma", "a password of mine")
    log_in(ada, "my password by mistake", "x")
    failed = entries(ada, filter="action = 'auth.failed'")
    assert [bool(entry["record"]) for entry in failed] == [True, False]
    assert "mistake" not in json.dumps(failed)
    assert "a password of mine" not in json.dumps(failed)


def test_a_change_that_cannot_be_witnessed_is_not_made(
    hub: RunningHub, ada: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Collection, __: Change) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr(hub.hub.records, "witnesses", [refuse])
    assert ada.post(SYSTEMS, json={"name": "unseen"}).status_code == 500
    assert ada.get(SYSTEMS, params={"filter": "name = 'unseen'"}).json()["totalItems"] == 0


def test_nothing_in_it_can_be_changed(hub: RunningHub, ada: httpx2.Client) -> None:
    with pytest.raises(Conflict) as refusal:
        hub.hub.database.write_now(lambda: AuditEntry.update(action="nothing happened").execute())
    assert "only ever added to" in str(refusal.value.__cause__)
    assert entries(ada)[0]["action"] == "auth.login"


def test_the_old_goes_and_guesses_push_nothing_out(hub: RunningHub, ada: httpx2.Client) -> None:
    now_ms = hub.hub.clock()

    def fill() -> None:
        for number in range(6):
            _append(f"f{number}", queries.FAILED_LOGIN, now_ms + number)
            _append(f"u{number}", "systems.update", now_ms + number)
        _append("old", "systems.update", now_ms - RETENTION_MS - 1)
        queries.trim(now_ms - RETENTION_MS, max_entries=4, max_failures=2)

    hub.hub.database.write_now(fill)
    kept = {entry["id"] for entry in entries(ada, perPage="100")}
    assert kept == {"f4", "f5", "u2", "u3", "u4", "u5"}


def _append(entry_id: str, action: str, created_ms: int) -> None:
    queries.append(
        id=entry_id, user_id="", user_name="", session_id="", token_id="", address="", action=action, collection="",
        record_id="", changes={}, created=created_ms,
    )  # fmt: skip


def test_differences() -> None:
    before = {"id": "1", "name": "a", "updated": 1, "info": {"cpu": 1}, "token": b"x"}
    after = {"id": "1", "name": "b", "updated": 2, "info": {"cpu": 2}, "token": b"y"}
    assert find_changes(before, after) == {"name": ["a", "b"], "token": ["(not kept)", "(not kept)"]}
    assert find_changes(None, {"name": "a", "tags": []}) == {"name": [None, "a"], "tags": [None, []]}
    assert find_changes({"name": "x" * MAX_VALUE_BYTES}, None) == {"name": ["(not kept)", None]}
    assert find_changes(before, {**before, "updated": 9}) == {}


def test_a_file_of_rules_is_noted_where_it_changes_something(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text("rules: [{name: down, target: status}]", encoding="utf-8")
    for _ in range(2):
        with running_hub(tmp_path) as running:
            entries = running.hub.database.read_now(lambda: queries.newest(10))
            (applied,) = [entry for entry in entries if entry.action == "alerts_yml.applied"]
            assert applied.changes == {"created": ["down"], "updated": [], "removed": []}
