"""Rules of a file may have the same name: a set of them is applied to more than one tag or system."""

from typing import Final

STATEMENTS: Final = ("DROP INDEX alert_rules_file",)
