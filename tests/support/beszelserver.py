"""The data directory of a Beszel as a real PocketBase writes it: its collections, users with bcrypt hashes, records."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.pocketbase import PASSWORD, PocketBase, pocketbase


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
    "user_settings": [_text("user"), _json("settings")],
    "alerts": [_text("user"), _text("system"), _text("name"), _number("value"), _number("min")],
    "alerts_history": [
        _text("user"), _text("system"), _text("alert_id"), _text("name"), _number("value"), _date("resolved"),
        _date("created"),
    ],
    "quiet_hours": [_text("user"), _text("system"), _text("type"), _date("start"), _date("end")],
}  # fmt: skip


class BeszelServer:
    """Made by `beszel_server`."""

    def __init__(self, server: PocketBase) -> None:
        self.data_dir = server.data_dir
        self._server = server

    def create(self, collection: str, **fields: Any) -> str:
        """A record's id."""
        return self._server.create(collection, **fields)

    def create_user(self, email: str, role: str = "user", password: str = PASSWORD, **fields: Any) -> str:
        return self.create(
            "users", email=email, role=role, password=password, passwordConfirm=password, verified=True, **fields
        )


@contextmanager
def beszel_server(directory: Path) -> Iterator[BeszelServer]:
    """A server with Beszel's collections and its key; killed at the end, so that what it wrote last is in the WAL."""
    with pocketbase(directory) as server:
        write_key(server.data_dir)
        server.add_fields("users", _text("username"), _text("role"))
        for name, fields in _COLLECTIONS.items():
            server.create_collection(name, fields)
        yield BeszelServer(server)


def write_key(data_dir: Path) -> bytes:
    """The hub's key as Beszel keeps it."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (data_dir / "id_ed25519").write_bytes(key)
    return key
