"""The published clients of PocketBase, for JavaScript and for Python, as independent judges of the API."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import npm
from tests.support.bareagent import LinkAgent
from tests.support.programs import clean_environment, run
from tests.support.runninghub import FAST_COST, PASSWORD, RunningHub, running_hub

pytestmark = pytest.mark.system

HERE = Path(__file__).parent
EMAIL = "uma@example.org"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path / "hub") as running:
        running.hub.accounts.hasher.cost = FAST_COST
        running.create_user(EMAIL)
        yield running


def user_id(hub: RunningHub) -> str:
    from beszel_hub.accounts.queries import find_identity  # noqa: PLC0415  # runs on the hub's own thread

    account = hub.hub.database.read_now(lambda: find_identity(EMAIL))
    assert account is not None
    return account.id


async def stream_until(agent_token: str, hub: RunningHub, argv: list[str], home: Path) -> Any:
    """Run a program while an agent sends a sample every tenth of a second; what the program tells."""
    async with LinkAgent(hub.link_url, agent_token).enrolled() as agent, asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            *argv, env=clean_environment(home), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        telling = asyncio.create_task(process.communicate())
        sequence = 0
        while not telling.done():
            sequence += 1
            await agent.send(agent.agent.sample(sequence, cpu_percent=42.0))
            await asyncio.wait([telling], timeout=0.1)
        output, errors = telling.result()
        assert process.returncode == 0, errors.decode()
        return json.loads(output)


def test_the_client_for_javascript(hub: RunningHub, tmp_path: Path) -> None:
    modules = npm.install(HERE / "package.json")
    system_id, agent_token = hub.create_system("streaming", user_id(hub))
    argv = [
        npm.node(), "--experimental-eventsource", "--disable-warning=ExperimentalWarning", str(HERE / "journey.mjs"),
        str(modules), hub.url, EMAIL, PASSWORD, system_id,
    ]  # fmt: skip
    told = asyncio.run(stream_until(agent_token, hub, argv, tmp_path))
    assert told == {
        "health": 200,
        "methods": {"enabled": True, "identityFields": ["email", "username"]},
        "wrong": {"status": 400, "data": {}},
        "login": {"email": EMAIL, "collection": "users", "valid": True},
        "refresh": EMAIL,
        "before": ["streaming"],
        "made": {"port": "45876", "status": "pending", "users": 1, "id": 15},
        "updated": ["a", "b"],
        "one": {"name": "renamed", "expand": {"users": [{"email": EMAIL}]}},
        "filtered": 1,
        "first": "renamed",
        "missing": {"status": 404, "data": {}},
        "invalid": {
            "status": 400,
            "data": {"name": {"code": "validation_required", "message": "This cannot be empty."}},
        },
        "badFilter": 400,
        "batch": [[200, "one"], [200, "two"], [200, "in a batch"], [204, None]],
        "badBatch": ["1"],
        "afterBadBatch": "in a batch",
        "heard": ["update", "heard"],
        "deleted": ["delete", "heard"],
        "afterUnsubscribe": "nothing",
        "sample": {"cpu": 42, "info": 42, "container": []},
        "connected": False,
        "oldToken": 401,
        "left": EMAIL,
        "loggedOut": 0,
    }


def test_the_client_for_python(hub: RunningHub, tmp_path: Path) -> None:
    argv = [sys.executable, str(HERE / "journey.py"), hub.url, EMAIL, PASSWORD]
    assert json.loads(run(argv, clean_environment(tmp_path))) == {
        "health": 200,
        "wrong": 400,
        "login": EMAIL,
        "refresh": EMAIL,
        "made": ["45876", "pending", True],
        "updated": "renamed",
        "all": ["renamed"],
        "filtered": 1,
        "first": "renamed",
        "expanded": [EMAIL],
        "missing": 404,
        "batch": [200, 204],
        "heard": ["update", "heard"],
        "deleted": True,
        "after_unsubscribe": "nothing",
        "logged_out": 0,
    }
