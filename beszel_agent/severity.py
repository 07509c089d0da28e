"""How bad it is, on the one scale that arrays, pools, disks and checks share."""

from collections.abc import Iterable
from typing import Final, NamedTuple

SOUND: Final = 0
CONCERN: Final = 1
FAILED: Final = 2

WORDS: Final = ("sound", "of concern", "failed")


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    severity: int
    text: str


def worst(findings: Iterable[Finding]) -> int:
    """The severity of all of them together."""
    return max((finding.severity for finding in findings), default=SOUND)


def in_words(findings: Iterable[Finding], otherwise: str) -> str:
    """The worst first; `otherwise` if there is nothing to say."""
    ordered = sorted(findings, key=lambda finding: -finding.severity)
    return ", ".join(finding.text for finding in ordered) or otherwise
