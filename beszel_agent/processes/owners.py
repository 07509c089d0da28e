"""Whose a process is: its user, and the container and systemd unit that its control group tells."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import ProcessMetrics

_KEPT_SECONDS: Final = 60.0
"""A process may change its user and be moved to another group; few do so often."""
_MAX_NAME_LENGTH: Final = 128
_CONTAINER_ID_LENGTH: Final = 64
_SHOWN_ID_LENGTH: Final = 12
_HEX: Final = frozenset("0123456789abcdef")
_UNIT_SUFFIXES: Final = (".service", ".scope")


class Place(NamedTuple):
    """Where in the tree of control groups."""

    container: str | None = None
    unit: str | None = None


class Owner(NamedTuple):
    user: str | None
    place: Place


class Owners:
    """Remembers for a while whose each process is."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._known: dict[tuple[int, int], tuple[float, Owner]] = {}
        self._users: dict[int, str] = {}
        self._users_at = float("-inf")

    def owner_of(self, pid: int, start: int, now: float) -> Owner:
        known = self._known.get((pid, start))
        if known is not None and now - known[0] < _KEPT_SECONDS:
            return known[1]
        owner = Owner(self._user_of(pid, now), parse_cgroup(read_text_or_none(self._paths.proc(f"{pid}/cgroup")) or ""))
        self._known[pid, start] = now, owner
        return owner

    def forget(self, now: float) -> None:
        """What was learned too long ago to be used again."""
        self._known = {key: known for key, known in self._known.items() if now - known[0] < _KEPT_SECONDS}

    def _user_of(self, pid: int, now: float) -> str | None:
        number = parse_user_number(read_text_or_none(self._paths.proc(f"{pid}/status")) or "")
        if number is None:
            return None
        if now - self._users_at >= _KEPT_SECONDS:
            # The file itself: asking the system's resolver may ask a directory server that does not answer.
            self._users = parse_passwd(read_text_or_none(self._paths.etc("passwd")) or "")
            self._users_at = now
        return self._users.get(number, str(number))


def name_containers(processes: Iterable[ProcessMetrics], names: Mapping[str, str]) -> list[ProcessMetrics]:
    """With the names of their containers, by their shortened ids; one that nobody has a name for keeps its id."""
    return [
        process
        if process.container is None or process.container not in names
        else msgspec.structs.replace(process, container=names[process.container])
        for process in processes
    ]


def parse_passwd(text: str) -> dict[int, str]:
    """Names by number, as passwd(5) has them."""
    users: dict[int, str] = {}
    for line in text.splitlines():
        fields = line.split(":", 3)
        if len(fields) == 4 and fields[2].isdecimal():
            users.setdefault(int(fields[2]), clean_text(fields[0], _MAX_NAME_LENGTH))
    return users


def parse_user_number(status: str) -> int | None:
    """The effective user of `/proc/<pid>/status`. The name before it may hold anything but a line break."""
    for line in status.splitlines():
        if line.startswith("Uid:\t"):
            words = line.split()
            return int(words[2]) if len(words) == 5 and words[2].isdecimal() else None
    return None


def parse_cgroup(text: str) -> Place:
    """Of the lines of cgroups(7) that of version 2 is asked first, then that of systemd, then any that tells."""
    paths = {}
    for line in text.splitlines():
        words = line.split(":", 2)
        if len(words) == 3:
            paths[words[1]] = words[2]
    for path in (paths.get("", ""), paths.get("name=systemd", ""), *paths.values()):
        place = place_of(path)
        if place != Place():
            return place
    return Place()


def place_of(path: str) -> Place:
    """The outermost container, and the innermost unit outside it."""
    unit = None
    steps = path.split("/")
    for position, step in enumerate(steps):
        container = _container_of(step, steps[position - 1] if position else "")
        if container is not None:
            return Place(container, unit)
        if step.endswith(_UNIT_SUFFIXES):
            unit = unescape(step)
    return Place(None, unit)


def unescape(unit: str) -> str:
    r"""The name of a unit as people wrote it: systemd escapes in it all but a few characters, a dash as `\x2d`.

    The escapes are those of systemd.unit(5).
    """
    if "\\x" not in unit:
        return clean_text(unit, _MAX_NAME_LENGTH)
    first, *rest = unit.encode("utf-8", "replace").split(b"\\x")
    name = first
    for part in rest:
        code = part[:2].decode("latin-1").lower()
        name += bytes([int(code, 16)]) + part[2:] if len(code) == 2 and _HEX.issuperset(code) else b"\\x" + part
    return clean_text(name.decode("utf-8", "replace"), _MAX_NAME_LENGTH)


def _container_of(step: str, above: str) -> str | None:
    name = step.removesuffix(".scope")
    number = name.replace(":", "-").rpartition("-")[2]
    # `docker-<id>.scope`, `libpod-<id>.scope`, `<slice>:cri-containerd:<id>`, `<id>`; conmon only watches over one.
    if len(number) == _CONTAINER_ID_LENGTH and _HEX.issuperset(number):
        return None if "conmon" in name else number[:_SHOWN_ID_LENGTH]
    if name.startswith(("lxc.payload.", "lxc.monitor.")):
        return clean_text(name[12:], _MAX_NAME_LENGTH)
    if above == "lxc" and name:
        return clean_text(name, _MAX_NAME_LENGTH)
    if above == "machine.slice" and name.startswith("machine-") and step.endswith(".scope"):
        return unescape(name.removeprefix("machine-"))
    return None
