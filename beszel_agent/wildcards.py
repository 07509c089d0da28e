"""Which names a list of patterns allows: `a*,b` names those that count, a leading `-` those that do not."""

from fnmatch import fnmatchcase
from typing import Final

_REFUSED: Final = "-"


def allows(name: str, rules: tuple[str, ...] | None) -> bool:
    """None allows everything, no rule nothing. A list that begins with `-` only leaves out, and all that it names."""
    if rules is None:
        return True
    leaves_out = bool(rules) and rules[0].startswith(_REFUSED)
    if any(fnmatchcase(name, rule.removeprefix(_REFUSED)) for rule in rules if leaves_out or rule.startswith(_REFUSED)):
        return False
    return leaves_out or any(fnmatchcase(name, rule) for rule in rules)
