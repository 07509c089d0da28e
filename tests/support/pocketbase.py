"""A real PocketBase, to hold our answers beside, and to write what is taken over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.programs import clean_environment, free_port, program, run, running, wait_until

EMAIL = "root@example.org"
PASSWORD = "correct horse battery"
USERS_ID = "_pb_users_auth_"
SYSTEMS_ID = "2hz5ncl8tizk5nx"
ALERTS_ID = "elngm8x1l60zi2v"


class PocketBase:
    """Made by `pocketbase`."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.client = httpx2.Client(base_url=url, timeout=10)
        login = self._send(
            "POST", "/api/collections/_superusers/auth-with-password", {"identity": EMAIL, "password": PASSWORD}
        )
        self.client.headers["Authorization"] = login["token"]

    def create_collections(self) -> None:
        """Of ours the ones that answers are compared of: `users`, `systems` and `alerts`."""
        self.add_fields("users", {"name": "username", "type": "text"}, {"name": "role", "type": "text"})
        statuses = {"type": "select", "maxSelect": 1, "values": ["up", "down", "paused", "pending"]}
        members = {"type": "relation", "collectionId": USERS_ID, "maxSelect": 999}
        fields: list[dict[str, Any]] = [
            {"name": "name", "type": "text"}, {"name": "host", "type": "text"}, {"name": "port", "type": "text"},
            {"name": "status", **statuses}, {"name": "info", "type": "json"}, {"name": "users", **members},
            {"name": "tags", "type": "json"}, {"name": "interval", "type": "number"},
            {"name": "retention", "type": "json"},
            {"name": "created", "type": "date"}, {"name": "updated", "type": "date"},
        ]  # fmt: skip
        self.create_collection("systems", fields, id=SYSTEMS_ID)
        fields = [
            {"name": "user", "type": "relation", "collectionId": USERS_ID, "maxSelect": 1},
            {"name": "system", "type": "relation", "collectionId": SYSTEMS_ID, "maxSelect": 1},
            {"name": "name", "type": "text"}, {"name": "value", "type": "number"}, {"name": "min", "type": "number"},
            {"name": "triggered", "type": "bool"},
            {"name": "created", "type": "date"}, {"name": "updated", "type": "date"},
        ]  # fmt: skip
        self.create_collection("alerts", fields, id=ALERTS_ID)

    def add_fields(self, collection: str, *fields: dict[str, Any]) -> None:
        before = self._send("GET", f"/api/collections/{collection}", None)["fields"]
        self._send("PATCH", f"/api/collections/{collection}", {"fields": [*before, *fields]})

    def create_collection(self, name: str, fields: list[dict[str, Any]], **others: str) -> None:
        self._send("POST", "/api/collections", {"name": name, "type": "base", "fields": fields, **others})

    def create(self, collection: str, **record: Any) -> str:
        """A record's id."""
        return str(self._send("POST", f"/api/collections/{collection}/records", record)["id"])

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self.client.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def pocketbase(directory: Path) -> Iterator[PocketBase]:
    """Serve one from `directory` until the block ends, and then kill it."""
    environment, port = clean_environment(directory), free_port()
    data_dir = directory / "pb"
    data = ["--dir", str(data_dir), "--migrationsDir", str(directory / "none"), "--hooksDir", str(directory / "no")]
    run([program("pocketbase"), "superuser", "upsert", EMAIL, PASSWORD, *data], environment)
    argv = [program("pocketbase"), "serve", "--http", f"127.0.0.1:{port}", *data]
    with running(argv, environment, directory / "pocketbase.log"):
        url = f"http://127.0.0.1:{port}"
        wait_until("PocketBase answers", lambda: _is_healthy(url))
        opened = PocketBase(url, data_dir)
        try:
            yield opened
        finally:
            opened.client.close()


def _is_healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/api/health").status_code == 200
    except httpx2.TransportError:
        return False
