"""The environment variables that pages, units and help name are those that programs read."""

import re
from itertools import chain
from pathlib import Path

from beszel_agent.config import LATER
from beszel_agent.config import settings as agent_settings
from beszel_hub.setting_table import SETTINGS

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "guide").glob("*.md"),
    *(ROOT / "deploy" / "systemd").iterdir(),
]
OF_OTHERS = {"MALLOC_ARENA_MAX", "PGPASSWORD", "PYTHONPATH", "CONTAINERS", "EVENTS", "IMAGES", "INFO", "POST"}
"""Read by libraries, databases, and the proxy in front of a container engine."""


def names_of_hub() -> set[str]:
    return {name for row in SETTINGS for name in ((row.name, f"{row.name}_FILE") if row.is_secret else (row.name,))}


def names_of_agent() -> set[str]:
    found = {name for name, row in agent_settings().items()}
    secret = {f"{name}_FILE" for name, row in agent_settings().items() if row.secret}
    return found | secret | {later.name for later in LATER}


def names_in(*folders: str) -> set[str]:
    files = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)
    return {name for path in files for name in re.findall(r'"(BESZEL_[A-Z_]*[A-Z])"', path.read_text(encoding="utf-8"))}


def test_what_is_set_in_a_page_or_a_unit_is_read_by_a_program() -> None:
    known = names_of_hub() | names_of_agent() | OF_OTHERS
    unknown = {
        f"{path.name}: {name}"
        for path in PAGES
        for name in re.findall(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)=", path.read_text(encoding="utf-8"))
        if len(name) > 2 and not name.startswith("BESZEL_") and name not in known
    }
    assert unknown == set()


def test_names_with_our_prefix_are_known() -> None:
    prefixed = {f"BESZEL_HUB_{name}" for name in names_of_hub()} | {f"BESZEL_AGENT_{name}" for name in names_of_agent()}
    known = prefixed | names_in("beszel_tui", "tests/support") | {"BESZEL_REQUIRE_SERVICES"}
    told = {name for path in PAGES for name in re.findall(r"BESZEL_[A-Z0-9_]*[A-Z0-9]", path.read_text("utf-8"))}
    assert told - known - {"BESZEL_HUB", "BESZEL_AGENT"} == set()


def test_what_the_terminal_client_reads_is_in_its_page() -> None:
    page = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8")
    assert {name for name in names_in("beszel_tui") if f"`{name}`" not in page} == set()
