"""The page about the agent says what the code does: every setting, every collector."""

from collections.abc import Iterator
from pathlib import Path

from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import FILE_SUFFIX, LATER, Config, settings

PAGE = (Path(__file__).parents[2] / "docs" / "agent.md").read_text(encoding="utf-8")


def setting_rows() -> Iterator[str]:
    """As they stand in the page; a test that fails prints what belongs there."""
    for name, setting in settings().items():
        default = getattr(Config(), name.lower())
        shown = "" if default in {None, ()} else f"`{str(default).lower()}`"
        names = f"`{name}`" + (f", `{name}{FILE_SUFFIX}`" if setting.secret else "")
        flags = ", ".join(f"`{flag}`" for flag in setting.flags)
        yield f"| {names} | {flags} | {setting.kind} | {shown} | {setting.help} |"


def test_every_setting_is_in_the_page() -> None:
    assert "\n".join(setting_rows()) in PAGE, "\n" + "\n".join(setting_rows())


def test_names_of_later_versions_are_in_the_page() -> None:
    names = " ".join(f"`{later.name}`" for later in LATER)
    assert names in PAGE.replace("\n", " "), names


def test_every_collector_is_in_the_page() -> None:
    assert [f"| `{collector.name}` |" for collector in COLLECTORS if f"| `{collector.name}` |" not in PAGE] == []
