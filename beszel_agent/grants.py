"""What the agent may not do, and the grant that would let it, in the words of systemd and of container engines."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

from beszel_agent.paths import HostPaths, read_text_or_none

ADMIN: Final = "CAP_SYS_ADMIN"
OVERRIDE: Final = "CAP_DAC_OVERRIDE"
PTRACE: Final = "CAP_SYS_PTRACE"
RAW_IO: Final = "CAP_SYS_RAWIO"
READ_SEARCH: Final = "CAP_DAC_READ_SEARCH"

_BITS: Final[Mapping[str, int]] = {OVERRIDE: 1, READ_SEARCH: 2, RAW_IO: 17, PTRACE: 19, ADMIN: 21}
"""As numbered in capability.h."""


def describe_need(what: str, grants: Iterable[str]) -> str:
    """One sentence for `beszel-agent collectors`, the same wherever something is missing."""
    return f"{what} needs {' and '.join(grants)}"


def commands_capabilities(paths: HostPaths) -> frozenset[str]:
    """Those that a command gets which the agent starts: of root all of its own, of others the ambient ones."""
    status = read_text_or_none(paths.proc("self/status")) or ""
    return parse_capabilities(status, "CapEff" if os.geteuid() == 0 else "CapAmb")


def parse_capabilities(status: str, kind: str) -> frozenset[str]:
    """Of the set `kind` in `/proc/<pid>/status`, those that matter to an agent."""
    words = next((line.split() for line in status.splitlines() if line.startswith(f"{kind}:")), [])
    try:
        mask = int(words[1], 16) if len(words) == 2 else 0
    except ValueError:
        mask = 0
    return frozenset(name for name, bit in _BITS.items() if mask >> bit & 1)
