"""What SMART of a disk needs that the agent does not have: the device, and a capability."""

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from beszel_agent.grants import ADMIN, OVERRIDE, RAW_IO, READ_SEARCH, commands_capabilities, describe_need
from beszel_agent.paths import HostPaths


class Node(NamedTuple):
    """A device file as far as it matters who may open it."""

    path: str
    readable: bool
    group: str | None
    """Whoever is in it may read the device; None if no group may."""


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
        import grp  # noqa: PLC0415 - not on every system

        try:
            group = grp.getgrgid(status.st_gid).gr_name
        except KeyError:
            group = str(status.st_gid)
    return Node(path, os.access(path, os.R_OK), group)


def missing_grants(node: Node, held: frozenset[str]) -> list[str]:
    """For SMART of this device."""
    missing = []
    if not node.readable and not held & {OVERRIDE, READ_SEARCH}:
        missing.append(f"the group {node.group}" if node.group else READ_SEARCH)
    capability = ADMIN if node.path.startswith("/dev/nvme") else RAW_IO
    if capability not in held:
        missing.append(capability)
    return missing


def describe_shortfall(devices: Iterable[str], program: str, paths: HostPaths) -> str | None:
    """For `beszel-agent collectors`; None if nothing is missing."""
    if has_own_privileges(program):
        return None
    if not paths.is_linux:
        return _describe_missing_administrator(list(devices), paths)
    held = commands_capabilities(paths)
    lacking: dict[tuple[str, ...], list[str]] = {}
    for device in devices:
        node = read_node(device)
        if node is None:
            wants = [f"the device itself, which is not in this container (--device={device})"]
        else:
            wants = missing_grants(node, held)
        if wants:
            lacking.setdefault(tuple(wants), []).append(device)
    if not lacking:
        return None
    return "; ".join(describe_need(f"SMART of {', '.join(names)}", wants) for wants, names in lacking.items())


def _describe_missing_administrator(devices: list[str], paths: HostPaths) -> str | None:
    """Systems without capabilities ask for all or nothing; whether Windows has given it, only smartctl knows."""
    is_windows = paths.system == "windows"
    if not devices or (not is_windows and os.geteuid() == 0):
        return None
    return describe_need(f"SMART of {', '.join(devices)}", ["an administrator" if is_windows else "root"])
