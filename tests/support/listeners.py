"""People who listen to a hub's event stream, and the changes that they hear of."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import httpx2

from tests.support.runninghub import PASSWORD, RunningHub

SYSTEMS = "/api/collections/systems/records"
numbers = itertools.count(1)


def new_user(hub: RunningHub, role: Any = "user") -> tuple[str, str]:
    """A user's id and a login of theirs."""
    email = f"listener{next(numbers)}@example.org"
    user_id = hub.create_user(email, role)
    hub.refresh()
    return user_id, log_in(hub, email)


def log_in(hub: RunningHub, email: str) -> str:
    body = {"identity": email, "password": PASSWORD}
    token: str = httpx2.post(f"{hub.url}/api/collections/users/auth-with-password", json=body).json()["token"]
    return token


async def request(hub: RunningHub, method: str, path: str, token: str, body: object = None) -> Any:
    async with httpx2.AsyncClient(base_url=hub.url) as client:
        answer = await client.request(method, path, json=body, headers={"Authorization": token})
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


async def change(hub: RunningHub, write: Callable[[], object]) -> None:
    """Write past the hub, as the command line does, and let the hub see it."""
    await asyncio.to_thread(hub.hub.database.write_now, write)
    await asyncio.to_thread(hub.refresh)
