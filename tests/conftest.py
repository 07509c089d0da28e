"""What holds for every test: which kind it is, the database of its hubs, where files are, certificates read once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import IS_POSTGRESQL, drop_below
from tests.support.kinds import mark_kinds
from tests.support.memory import keep_files_in_memory, keep_paths_short
from tests.support.trust import read_trust_once

LONG_FILES = ("tests/system/", "tests/tui/")
"""They come first, so that at the end no worker waits for another's long file."""

keep_files_in_memory()
read_trust_once()


@pytest.hookimpl(tryfirst=True)  # before pytest decides on it
def pytest_configure(config: pytest.Config) -> None:
    keep_paths_short(config)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_kinds(items)
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FILES))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if IS_POSTGRESQL and item.get_closest_marker("sqlite") is not None:
        pytest.skip("about the file of SQLite")


if IS_POSTGRESQL:

    @pytest.fixture(autouse=True)
    def _drop_databases(tmp_path: Path) -> Iterator[None]:
        yield
        drop_below(tmp_path)
