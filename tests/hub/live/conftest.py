from collections.abc import Iterator

import pytest

from tests.support.runninghub import RunningHub, running_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """One hub for a module; tests use users and systems of their own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        running.create_user("ada@example.org", "admin")
        yield running
