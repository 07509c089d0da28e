"""The data directory of a Beszel as a real PocketBase writes it: its collections, users with bcrypt hashes, records."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.programs import Process, clean_environment, free_port, program, run, running, wait_until

SUPERUSER: Final = "root@example.org"
PASSWORD: Final = "correct horse battery"


def _text(name: str) -> dict[str, Any]:
    return {"name": name, "type": "text"}


def _json(name: str) -> dict[str, Any]:
    return {"name": name, "type": "json"}


def _number(name: str) -> dict[str, Any]:
    return {"name": name, "type": "number"}


def _date(name: str) -> dict[str, Any]:
    return {"name": name, "type": "date"}


_STAMPS: Final = [
    {"name": "created", "type": "autodate", "onCreate": True},
    {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
]
_COLLECTIONS: Final[dict[str, list[dict[str, Any]]]] = {
    "systems": [_text("name"), _text("status"), _text("host"), _text("port"), _json("info"), _json("users"), *_STAMPS],
    "system_details": [
        _text("system"), _text("hostname"), _number("os"), _text("os_name"), _text("kernel"), _text("cpu"),
        _text("arch"), _number("cores"), _number("threads"), _number("memory"),
        {"name": "podman", "type": "bool"},
    ],
    "system_stats": [_text("system"), _json("stats"), _text("type"), _date("created")],
    "container_stats": [_text("system"), _json("stats"), _text("type"), _date("created")],
    "fingerprints": [_text("system"), _text("token"), _text("fingerprint")],
    "universal_tokens": [_text("user"), _text("token")],
    "alerts": [_text("user"), _text("system"), _text("name"), _number("value")],
    "quiet_hours": [_text("user"), _text("type")],
}  # fmt: skip


class PocketBase:
    """Made by `running_pocketbase`."""

    def __init__(self, url: str, process: Process, data_dir: Path, token: str) -> None:
        self.process = process
        self.data_dir = data_dir
        self._client = httpx2.Client(base_url=url, headers={"Authorization": token}, timeout=10)

    def create(self, collection: str, **fields: Any) -> str:
        """A record's id."""
        answer = self._client.post(f"/api/collections/{collection}/records", json=fields)
        assert answer.status_code == 200, answer.text
        created: str = answer.json()["id"]
        return created

    def create_user(self, email: str, role: str = "user", password: str = PASSWORD, **fields: Any) -> str:
        return self.create(
            "users", email=email, role=role, password=password, passwordConfirm=password, verified=True, **fields
        )

    def set_up(self) -> None:
        """Beszel's collections."""
        users = self._client.get("/api/collections/users").raise_for_status().json()
        users["fields"] += [_text("username"), _text("role")]
        self._client.patch("/api/collections/users", json={"fields": users["fields"]}).raise_for_status()
        for name, fields in _COLLECTIONS.items():
            made = self._client.post("/api/collections", json={"name": name, "type": "base", "fields": fields})
            assert made.status_code == 200, made.text

    def close(self) -> None:
        self._client.close()


@contextmanager
def running_pocketbase(directory: Path) -> Iterator[PocketBase]:
    """A server with Beszel's collections and its key; killed at the end, so that what it wrote last is in the WAL."""
    data_dir = directory / "beszel_data"
    environment = clean_environment(directory)
    options = ["--dir", str(data_dir), "--migrationsDir", str(directory / "none"), "--hooksDir", str(directory / "no")]
    run([program("pocketbase"), "superuser", "upsert", SUPERUSER, PASSWORD, *options], environment)
    url = f"http://127.0.0.1:{free_port()}"
    argv = [program("pocketbase"), "serve", "--http", url.removeprefix("http://"), *options]
    with running(argv, environment, directory / "pocketbase.log") as process:
        server = PocketBase(url, process, data_dir, wait_until("PocketBase answers", lambda: _log_in(url)))
        write_key(data_dir)
        server.set_up()
        try:
            yield server
        finally:
            server.close()
            process.kill()


def write_key(data_dir: Path) -> bytes:
    """The hub's key as Beszel keeps it."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (data_dir / "id_ed25519").write_bytes(key)
    return key


def _log_in(url: str) -> str | None:
    try:
        answer = httpx2.post(
            f"{url}/api/collections/_superusers/auth-with-password",
            json={"identity": SUPERUSER, "password": PASSWORD}, timeout=5,
        )  # fmt: skip
    except httpx2.TransportError:
        return None
    return str(answer.json()["token"]) if answer.status_code == 200 else None
