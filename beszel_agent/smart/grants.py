"""What the agent may not do, and the exact grant that would let it: SMART needs the device and a capability."""

import grp
import os
import stat
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from beszel_agent.paths import HostPaths, read_text_or_none

_READ_SEARCH: Final = "CAP_DAC_READ_SEARCH"
_RAW_IO: Final = "CAP_SYS_RAWIO"
_ADMIN: Final = "CAP_SYS_ADMIN"
_BITS: Final[Mapping[str, int]] = {"CAP_DAC_OVERRIDE": 1, _READ_SEARCH: 2, _RAW_IO: 17, _ADMIN: 21}
"""As numbered in capability.h."""


class Node(NamedTuple):
    """A device file as far as it matters who may open it."""

    path: str
    readable: bool
    group: str | None
    """Whoever is in it may read the device; None if no group may."""


def capabilities(paths: HostPaths) -> frozenset[str]:
    """Those that a command gets which the agent starts: of root all of its own, of others the ambient ones."""
    status = read_text_or_none(paths.proc("self/status")) or ""
    wanted = "CapEff:" if os.geteuid() == 0 else "CapAmb:"
    words = next((line.split() for line in status.splitlines() if line.startswith(wanted)), [])
    try:
        mask = int(words[1], 16) if len(words) == 2 else 0
    except ValueError:
        mask = 0
    return frozenset(name for name, bit in _BITS.items() if mask >> bit & 1)


def has_own_privileges(program: str) -> bool:
    """Whether the program brings what it needs: it is set-user-ID, or has capabilities of its own."""
    try:
        if os.stat(program).st_mode & stat.S_ISUID:  # noqa: PTH116 - one call, as the next has no Path either
            return True
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False


def read_node(path: str) -> Node | None:
    """None if there is no such device here."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    group = None
    if status.st_mode & stat.S_IRGRP and status.st_gid:
        try:
            group = grp.getgrgid(status.st_gid).gr_name
        except KeyError:
            group = str(status.st_gid)
    return Node(path, os.access(path, os.R_OK), group)


def missing_grants(node: Node, held: frozenset[str]) -> list[str]:
    """For SMART of this device, in the words of systemd and of container engines."""
    missing = []
    if not node.readable and not held & {"CAP_DAC_OVERRIDE", _READ_SEARCH}:
        missing.append(f"the group {node.group}" if node.group else _READ_SEARCH)
    capability = _ADMIN if node.path.startswith("/dev/nvme") else _RAW_IO
    if capability not in held:
        missing.append(capability)
    return missing


def describe_shortfall(devices: Iterable[str], program: str, paths: HostPaths) -> str | None:
    """One sentence for `beszel-agent collectors`; None if nothing is missing."""
    if has_own_privileges(program):
        return None
    held = capabilities(paths)
    lacking: dict[str, list[str]] = {}
    for device in devices:
        node = read_node(device)
        if node is None:
            wants = f"the device itself, which is not in this container (--device={device})"
        else:
            wants = " and ".join(missing_grants(node, held))
        if wants:
            lacking.setdefault(wants, []).append(device)
    if not lacking:
        return None
    return "; ".join(f"SMART of {', '.join(names)} needs {wants}" for wants, names in lacking.items())
