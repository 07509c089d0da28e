"""What is said once in the repository stays true: lists, pages, commands."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("beszel_agent", "beszel_hub", "beszel_tui")


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_package_list_is_what_is_there() -> None:
    tool = project()["tool"]
    assert isinstance(tool, dict)
    listed = tool["setuptools"]["packages"]
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("beszel_protocol", *PROGRAMS)
        for path in (ROOT / top).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert listed == sorted(found | {"beszel_themes"})


def test_generated_pages_are_up_to_date() -> None:
    finished = subprocess.run(
        [sys.executable, "docs/reference/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if page not in navigation] == []


@pytest.mark.parametrize("readme", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_front_pages_lead_somewhere(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_what_troubleshooting_quotes_is_said_by_the_agent() -> None:
    page = (ROOT / "docs" / "guide" / "operation.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`([^`]*)`", "\n".join(re.findall(r"^\| (`.*?) \| ", page, re.MULTILINE)))
    source = "".join(
        path.read_text(encoding="utf-8")
        for top in ("beszel_agent", "beszel_protocol")
        for path in (ROOT / top).rglob("*.py")
    )
    said_by_others = {"WRONG_VERSION_NUMBER", "certificate verify failed", "externally-managed-environment"}
    parts = {part.strip(" ;") for text in quoted if text not in said_by_others for part in text.split("…")}
    assert len(parts) > 5
    assert {part for part in parts if part not in source} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_starts_without_what_the_others_need(program: str) -> None:
    """The independence of the programs at run time; import-linter proves it of the source."""
    others = [other for other in PROGRAMS if other != program]
    code = f"import sys, {program}.cli; print([name for name in sys.modules if name in {others!r}])"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_starting_the_agent_loads_nothing_heavy() -> None:
    heavy = {"starlette", "peewee", "textual", "docker", "pynvml", "cryptography"}
    code = f"import sys, beszel_agent.cli; print(sorted({heavy!r} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
