from collections.abc import Iterator

import httpx2
import pytest

from tests.support.exports import Shelf, fill_history
from tests.support.runninghub import RunningHub, running_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """One hub for a module; tests use systems of their own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    admin = hub.create_user("grace@example.org", "admin")
    with httpx2.Client(base_url=hub.url, headers={"Authorization": hub.create_token(admin)}, timeout=20) as opened:
        yield opened


@pytest.fixture(scope="module")
def shelf(hub: RunningHub) -> Shelf:
    """Two systems with six minutes of samples each, the first five of them sealed."""
    return fill_history(hub)
