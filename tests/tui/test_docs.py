"""`docs/tui.md` has every key and command. Print what should stand there with `python tests/tui/test_docs.py`."""

import sys
from pathlib import Path

from beszel_tui.bindings.groups import GROUPS
from beszel_tui.commands.line import COMMANDS
from beszel_tui.config import ConfigFile
from beszel_tui.state.containers import VOCABULARY as CONTAINERS
from beszel_tui.state.numbers import NUMBERS

PAGE = Path(__file__).parents[2] / "docs" / "tui.md"


def keys_section() -> str:
    parts: list[str] = []
    for title, bindings in GROUPS.items():
        parts.append(f"**{title}**\n\n| key | |\n|---|---|")
        parts[-1] += "".join(f"\n| `{b.key_display or b.key}` | {_cell(b.tooltip)} |" for b in bindings)
    commands = "".join(f"\n| `:{_cell(f'{c.name} {c.argument}'.strip())}` | {c.help} |" for c in COMMANDS)
    parts.append(f"**Command line** (the first letters of a command will do)\n\n| command | |\n|---|---|{commands}")
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_has_every_key_and_command() -> None:
    between = PAGE.read_text().partition("<!-- keys -->\n")[2].partition("\n<!-- /keys -->")[0]
    assert between == keys_section()


def test_the_page_names_every_setting_and_number() -> None:
    text = PAGE.read_text()
    containers = {*CONTAINERS.numbers, *(f"{name}:" for name in CONTAINERS.fields)} - {"is:"}
    for name in {*ConfigFile.__struct_fields__, *NUMBERS, *containers} - {"profiles", "memory"}:
        assert name in text, name


if __name__ == "__main__":
    sys.stdout.write(keys_section() + "\n")
