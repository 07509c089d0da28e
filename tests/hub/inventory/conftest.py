from collections.abc import Iterator

import httpx2
import pytest

from tests.support.runninghub import RunningHub, running_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """One hub for a module; tests use systems of their own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def token(hub: RunningHub) -> str:
    """Of an administrator."""
    return hub.create_token(hub.create_user("ada@example.org", "admin"))


@pytest.fixture(scope="module")
def client(hub: RunningHub, token: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, headers={"Authorization": token}, timeout=20) as opened:
        yield opened
