"""Keys that people gave other keys than ours."""

from collections.abc import Mapping

from beszel_tui.bindings.groups import GROUPS
from beszel_tui.state.settings import KeyLine


def key_lines(keymap: Mapping[str, str]) -> list[KeyLine]:
    """Every binding by its id, with the keys that `keymap` gives it in place of its own."""
    bindings = [binding for group in GROUPS.values() for binding in group if binding.id]
    return [
        KeyLine(
            str(binding.id), keymap.get(str(binding.id)) or binding.key_display or binding.key, binding.tooltip,
            str(binding.id) in keymap,
        )
        for binding in bindings
    ]  # fmt: skip


def keymap_problems(keymap: Mapping[str, str]) -> list[str]:
    """A sentence for each line of a keymap that does nothing."""
    known = {binding.id for group in GROUPS.values() for binding in group}
    problems: list[str] = []
    for name, keys in keymap.items():
        if name not in known:
            problems.append(f"no key is called {name!r} in the config file's [keys]; the settings list them")
        elif not keys.strip():
            problems.append(f"{name!r} has no keys in the config file's [keys]")
    return problems
