"""Every line of docs/reference/api.md that can be copied to a terminal does what it says there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from beszel_hub.app import ROUTES
from tests.support.databases import IS_POSTGRESQL
from tests.support.programs import clean_environment
from tests.support.services import need_program
from tests.support.world import SYSTEM_IDS, USER_IDS, Caller, World, open_world

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
FENCED = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = [block for block in FENCED if not block.startswith("export ")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.sub(r"\W+", "-", block)[:60])
def test_lines_of_the_page_work(world: World, tmp_path: Path, block: str) -> None:
    need_program("curl")
    if IS_POSTGRESQL and "/api/backups" in block:
        pytest.skip("backups are of databases in a file")
    environment = clean_environment(
        tmp_path, HUB=world.running.url, TOKEN=str(world.token(Caller.ADMIN)), SYSTEM=SYSTEM_IDS["uma-web"],
        USER_ID=USER_IDS[Caller.USER],
    )  # fmt: skip
    done = subprocess.run(
        ["sh", "-euc", block], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    world.reset()
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert done.stdout
    assert '"items":[]' not in done.stdout or "/records?perPage=2" in block


def test_every_route_has_its_row_and_its_words() -> None:
    rows = dict(re.findall(r"^\| [A-Z]+ \| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    paths = {str(getattr(route, "path", "")) for route in ROUTES}
    assert paths == rows.keys()
    assert [path for path, words in rows.items() if not words] == []


def test_every_collection_has_its_chapter(world: World) -> None:
    chapters = re.findall(r"^### (\w+)\n\n(.*)$", PAGE, re.MULTILINE)
    assert [name for name, _ in chapters] == list(world.running.hub.records.registry.collections)
    assert [name for name, words in chapters if not words] == []
