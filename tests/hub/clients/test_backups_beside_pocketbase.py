"""Backups over HTTP, here and at a real PocketBase: the same requests, answered alike but where the table says not."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.backups import needs_file
from tests.support.pocketbase import pocketbase
from tests.support.runninghub import PASSWORD, running_hub

pytestmark = [pytest.mark.system, needs_file]

KEY = "one.zip"
ONE = f"/api/backups/{KEY}"
STEPS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/api/backups", None),
    ("POST", "/api/backups", {"name": KEY}),
    ("POST", "/api/backups", {"name": KEY}),
    ("POST", "/api/backups", {"name": "A.zip"}),
    ("POST", "/api/backups", {"name": "../a.zip"}),
    ("POST", "/api/backups", {"name": "a" * 200 + ".zip"}),
    ("GET", "/api/backups", None),
    ("GET", f"{ONE}?token=none", None),
    ("POST", "/api/files/token", None),
    ("DELETE", ONE, None),
    ("GET", "/api/backups", None),
    ("POST", "/api/backups/none.zip/restore", None),
    ("DELETE", ONE, None),
)
DIFFERENT = {
    ("GET", f"{ONE}?token=none"): (401, 403),
    ("POST", "/api/backups/none.zip/restore"): (404, 400),
    ("DELETE", ONE): (404, 400),
}
"""What we say of nobody and of nothing is what we say of them everywhere; the second time, of the last."""


def _answers(client: httpx2.Client) -> list[tuple[int, Any]]:
    """Statuses, codes of refused fields, and how listed backups look."""
    told: list[tuple[int, Any]] = []
    for method, path, body in STEPS:
        answer = client.request(method, path, json=body)
        content: Any = answer.json() if answer.content else None
        if answer.status_code >= 400:
            content = {field: complaint["code"] for field, complaint in content["data"].items()}
        elif isinstance(content, list):
            content = [(entry["key"], entry["size"] > 0, len(entry["modified"])) for entry in content]
        elif content is not None:
            content = sorted(content)
        told.append((answer.status_code, content))
    return told


def test_answers_are_alike(tmp_path: Path) -> None:
    with pocketbase(tmp_path) as theirs, running_hub(tmp_path / "hub") as hub:
        hub.create_user("ada@example.org", "admin")
        with httpx2.Client(base_url=hub.url, timeout=20) as ours:
            login = {"identity": "ada@example.org", "password": PASSWORD}
            answer = ours.post("/api/collections/_superusers/auth-with-password", json=login)
            ours.headers["Authorization"] = answer.json()["token"]
            pairs = list(zip(STEPS, _answers(ours), _answers(theirs.client), strict=True))
        told = {(method, path): (mine, other) for (method, path, _), mine, other in pairs if mine != other}
        strangers = [
            [httpx2.request(method, f"{url}{path}", json=body).status_code for method, path, body in STEPS[:2]]
            for url in (hub.url, str(theirs.client.base_url).rstrip("/"))
        ]
    assert strangers == [[401, 401], [401, 401]]
    assert {request: (mine[0], other[0]) for request, (mine, other) in told.items()} == DIFFERENT, told
