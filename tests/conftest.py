"""What holds for every test: which database the hubs have, where files are, and that certificates are read once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import IS_POSTGRESQL, drop_below
from tests.support.memory import keep_files_in_memory
from tests.support.trust import read_trust_once

keep_files_in_memory()
read_trust_once()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if IS_POSTGRESQL and item.get_closest_marker("sqlite") is not None:
        pytest.skip("about the file of SQLite")


if IS_POSTGRESQL:

    @pytest.fixture(autouse=True)
    def _drop_databases(tmp_path: Path) -> Iterator[None]:
        yield
        drop_below(tmp_path)
