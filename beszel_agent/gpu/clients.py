"""Which processes use a GPU and how much, from `/proc/<pid>/fdinfo`; the format is the kernel's `drm-usage-stats`.

To find them means to look at every open file of a process, so that is done when the process is new and then rarely;
what was found is read every time. Files of other users' processes are only seen with CAP_SYS_PTRACE.
"""

import itertools
import os
import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from beszel_agent.deltas import gained
from beszel_agent.errors import ReadingFailed
from beszel_agent.gpu.cards import Card
from beszel_agent.hwmon import list_names
from beszel_agent.paths import HostPaths, read_text, read_text_or_none
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import GpuProcess

_LOOK_SECONDS: Final = 10.0
_LOOK_SHARE: Final = 0.0001
"""Looking at all processes may take this part of the time, so it is done less often the longer it takes."""
_LOOKS_AT_NEW: Final = 2
"""A process needs a moment until it uses a GPU."""
_MAX_FILES: Final = 1024
_MAX_ENGINES: Final = 32
_MAX_PROCESSES: Final = 8
_DEVICES: Final = "/dev/dri/"
_UNITS: Final = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_XE_NAMES: Final = {"rcs": "render", "bcs": "copy", "vcs": "video", "vecs": "video-enhance", "ccs": "compute"}


class Busy(NamedTuple):
    """How long one client kept one kind of engine at work."""

    spent: int
    """Nanoseconds, or cycles of the engine's clock if `total` is set."""
    total: int | None
    capacity: int
    """How many engines of the kind there are."""


class Client(NamedTuple):
    """One use of a GPU by a process; threads and children may share it."""

    pid: int
    engines: Mapping[str, Busy]
    memory_bytes: int | None


ClientKey = tuple[str, str]
"""PCI address of the GPU, and the number of the client on it."""
Clients = Mapping[ClientKey, Client]


class Look(NamedTuple):
    """One reading of all clients."""

    clients: Clients
    is_complete: bool
    """Every process could be looked at, so that what they spent is all that was spent."""


class Shares(NamedTuple):
    """Percent of the time that each kind of engine was at work."""

    by_engine: dict[str, float]
    highest: float | None
    """None if an engine is missing, which may be the one with the most to do."""


class DrmClients:
    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._files: dict[int, list[str]] = {}
        self._looks: dict[int, int] = {}
        self._forbidden: set[int] = set()
        self._look_at = self._look_at_all_at = float("-inf")
        self._last: tuple[float, Look] | None = None

    def read(self, now: float) -> Look:
        """The same for every reader that asks at the same instant."""
        if self._last is not None and self._last[0] == now:
            return self._last[1]
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._look(now)
        look = Look(self._read_clients(), is_complete=bool(self._looks) and not self._forbidden)
        self._last = (now, look)
        return look

    @property
    def sees_all(self) -> bool:
        """As far as was tried."""
        return not self._forbidden

    def processes(self, look: Look, card: Card) -> list[GpuProcess] | None:
        """Those with the most memory of this card, named; None if none holds any."""
        held: dict[int, int] = {}
        for (slot, _), client in look.clients.items():
            if slot == card.slot and client.memory_bytes:
                held[client.pid] = held.get(client.pid, 0) + client.memory_bytes
        return largest_processes(self._paths, held)

    def _look(self, now: float) -> None:
        """At the processes that are new, and now and then at all: an old one may start to use a GPU."""
        started = time.monotonic()
        running = {int(name) for name in list_names(self._paths.proc("")) if name.isdecimal()}
        looks_at_all = now >= self._look_at_all_at
        self._looks = {pid: looks for pid, looks in self._looks.items() if pid in running}
        self._files = {pid: files for pid, files in self._files.items() if pid in running}
        self._forbidden &= running
        for pid in running:
            looks = self._looks.get(pid, 0)
            if looks_at_all or looks < _LOOKS_AT_NEW:
                self._looks[pid] = looks + 1
                self._look_at_process(pid)
        if looks_at_all:
            self._look_at_all_at = now + max(_LOOK_SECONDS, (time.monotonic() - started) / _LOOK_SHARE)

    def _look_at_process(self, pid: int) -> None:
        self._files.pop(pid, None)
        self._forbidden.discard(pid)
        try:
            files = list(self._graphics_files(pid))
        except PermissionError:
            self._forbidden.add(pid)
        except OSError:
            pass  # it ended meanwhile
        else:
            if files:
                self._files[pid] = files

    def _graphics_files(self, pid: int) -> Iterator[str]:
        directory = self._paths.proc(f"{pid}/fd")
        for descriptor in os.listdir(directory):  # noqa: PTH208 - names are all that is wanted
            try:
                target = os.readlink(f"{directory}/{descriptor}")  # noqa: PTH115
            except FileNotFoundError:
                continue
            if target.startswith(_DEVICES):
                yield descriptor

    def _read_clients(self) -> dict[ClientKey, Client]:
        found: dict[ClientKey, Client] = {}
        files = ((pid, descriptor) for pid, descriptors in self._files.items() for descriptor in descriptors)
        for pid, descriptor in itertools.islice(files, _MAX_FILES):
            try:
                parsed = parse_fdinfo(pid, read_text(self._paths.proc(f"{pid}/fdinfo/{descriptor}")))
            except (OSError, ReadingFailed):
                continue
            if parsed is not None:
                found.setdefault(*parsed)  # a client that several files or processes share is one
        return found


def parse_fdinfo(pid: int, text: str) -> tuple[ClientKey, Client] | None:
    """None if it is no client of a GPU on PCI. A line that is not understood costs itself only."""
    pairs = (line.partition(":") for line in text.splitlines() if line.startswith("drm-"))
    values = {name.removeprefix("drm-"): value.strip() for name, _, value in pairs}
    if "pdev" not in values or "client-id" not in values:
        return None
    client = Client(pid, dict(_engines(values)), _memory(values))
    return (values["pdev"], values["client-id"]), client


def engine_shares(slot: str, before: Look, after: Look, elapsed_seconds: float) -> Shares | None:
    """What the clients of one GPU spent on its engines between two looks; None if some clients cannot be seen.

    A client that is new only gives a baseline, one that ended takes nothing back. An engine that no client can use is
    not there, and one of which a client says nothing more, or less than before, is left out.
    """
    if not before.is_complete or not after.is_complete:
        return None
    percent: dict[str, float] = {}
    lost: set[str] = set()
    for key, client in after.clients.items():
        old = before.clients.get(key)
        if key[0] != slot or old is None:
            continue
        for engine, was in old.engines.items():
            busy = client.engines.get(engine)
            share = None if busy is None else _share(was, busy, elapsed_seconds)
            if share is None:
                lost.add(engine)
            else:
                percent[engine] = percent.get(engine, 0.0) + share
    known = {engine: round(min(100.0, share), 1) for engine, share in percent.items() if engine not in lost}
    return Shares(known, max(known.values()) if known and not lost else None)


def largest_processes(paths: HostPaths, held_bytes: Mapping[int, int]) -> list[GpuProcess] | None:
    """By process id, 0 for one that does not tell; None for no process at all."""
    largest = sorted(held_bytes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_PROCESSES]
    return [
        GpuProcess(pid=pid, name=_process_name(paths, pid), memory_bytes=held or None) for pid, held in largest
    ] or None


def _process_name(paths: HostPaths, pid: int) -> str | None:
    name = read_text_or_none(paths.proc(f"{pid}/comm"))
    return clean_text(name) if name is not None else None


def _engines(values: Mapping[str, str]) -> Iterator[tuple[str, Busy]]:
    """`drm-engine-<name>` counts nanoseconds; `drm-cycles-<name>` cycles, of `drm-total-cycles-<name>`."""
    for name, value in list(values.items())[: 4 * _MAX_ENGINES]:
        kind, _, engine = name.partition("-")
        if kind not in {"engine", "cycles"} or engine.startswith("capacity-"):
            continue
        spent = _leading_number(value)
        total = _leading_number(values.get(f"total-cycles-{engine}", "")) if kind == "cycles" else None
        if spent is None or (kind == "cycles" and total is None):
            continue
        capacity = _leading_number(values.get(f"engine-capacity-{engine}", "")) or 1
        yield clean_text(_XE_NAMES.get(engine, engine), 32), Busy(spent, total, capacity)


def _memory(values: Mapping[str, str]) -> int | None:
    """Of the GPU's own memory; of the host's, if the GPU has none of its own."""
    for prefix in ("resident-", "memory-"):
        regions = {name.removeprefix(prefix): size for name, size in values.items() if name.startswith(prefix)}
        own = [size for name, size in regions.items() if name.startswith(("vram", "local"))]
        shared = [size for name, size in regions.items() if name.startswith(("gtt", "system", "stolen"))]
        sizes = [size for text in own or shared if (size := _bytes(text)) is not None]
        if sizes:
            return sum(sizes)
    return None


def _share(before: Busy, after: Busy, elapsed_seconds: float) -> float | None:
    spent = gained(before.spent, after.spent)
    if spent is None:
        return None
    whole = elapsed_seconds * 1e9
    if after.total is not None:
        whole = (gained(before.total, after.total) if before.total is not None else None) or 0
    return 100 * spent / whole / after.capacity if whole > 0 else None


def _bytes(text: str) -> int | None:
    number, _, unit = text.partition(" ")
    return int(number) * _UNITS[unit] if _is_number(number) and unit in _UNITS else None


def _leading_number(text: str) -> int | None:
    number = text.partition(" ")[0]
    return int(number) if _is_number(number) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20
