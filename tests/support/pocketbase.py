"""A real PocketBase with the collections `users` and `systems`, to hold our answers beside."""

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


class PocketBase:
    """Made by `pocketbase`."""

    def __init__(self, url: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=10)
        login = self._send(
            "POST", "/api/collections/_superusers/auth-with-password", {"identity": EMAIL, "password": PASSWORD}
        )
        self.client.headers["Authorization"] = login["token"]

    def create_collections(self) -> None:
        users = self._send("GET", "/api/collections/users", None)
        added = [{"name": "username", "type": "text"}, {"name": "role", "type": "text"}]
        self._send("PATCH", "/api/collections/users", {"fields": [*users["fields"], *added]})
        statuses = {"type": "select", "maxSelect": 1, "values": ["up", "down", "paused", "pending"]}
        members = {"type": "relation", "collectionId": USERS_ID, "maxSelect": 999}
        fields: list[dict[str, Any]] = [
            {"name": "name", "type": "text"}, {"name": "host", "type": "text"}, {"name": "port", "type": "text"},
            {"name": "status", **statuses}, {"name": "info", "type": "json"}, {"name": "users", **members},
            {"name": "tags", "type": "json"}, {"name": "interval", "type": "number"},
            {"name": "retention", "type": "json"},
            {"name": "created", "type": "date"}, {"name": "updated", "type": "date"},
        ]  # fmt: skip
        self._send("POST", "/api/collections", {"id": SYSTEMS_ID, "name": "systems", "type": "base", "fields": fields})

    def create(self, collection: str, **record: Any) -> None:
        self._send("POST", f"/api/collections/{collection}/records", record)

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self.client.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def pocketbase(directory: Path) -> Iterator[PocketBase]:
    """Serve one from `directory` until the block ends."""
    environment, port = clean_environment(directory), free_port()
    data = ["--dir", str(directory / "pb")]
    run([program("pocketbase"), "superuser", "upsert", EMAIL, PASSWORD, *data], environment)
    argv = [program("pocketbase"), "serve", "--http", f"127.0.0.1:{port}", *data]
    with running(argv, environment, directory / "pocketbase.log"):
        url = f"http://127.0.0.1:{port}"
        wait_until("PocketBase answers", lambda: _is_healthy(url))
        opened = PocketBase(url)
        try:
            yield opened
        finally:
            opened.client.close()


def _is_healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/api/health").status_code == 200
    except httpx2.TransportError:
        return False
