"""The disks of this host and what was last read of each: found now and then, each asked at its own slow pace.

A disk that sleeps is left asleep, and what it said before stands.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from beszel_agent.errors import ReadingFailed
from beszel_agent.settings import SmartDevice
from beszel_agent.smart.devices import namespace_of, parse_scan, wanted_devices
from beszel_agent.smart.document import OPEN_FAILED, Document, is_asleep, messages, parse_document
from beszel_agent.smart.parser import is_virtual_document, parse_smart
from beszel_agent.smart.smartctl import Smartctl
from beszel_protocol.disks import DiskReading

RESCAN_SECONDS: Final = 1800.0
BUDGET_SECONDS: Final = 15.0
"""No further disk is asked in one go after this; the next go has the rest."""

log = logging.getLogger(__name__)


class Disk(NamedTuple):
    """One disk, as it was left by the last attempt to read it."""

    device: SmartDevice
    due_at: float
    reading: DiskReading | None = None
    read_at: float | None = None
    """Both instants are monotonic."""
    asleep: bool = False
    virtual: bool = False
    problem: str | None = None

    @property
    def key(self) -> str:
        serial = None if self.reading is None else self.reading.serial
        return serial or self.device.path.rpartition("/")[2]


class SmartDisks:
    """Safe to use from several threads: one reads at a time, whoever looks gets the last state."""

    def __init__(
        self,
        smartctl: Smartctl,
        *,
        devices: tuple[SmartDevice, ...] | None,
        excluded: tuple[str, ...],
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`devices` None: those of a scan."""
        self._smartctl, self._configured, self._excluded = smartctl, devices, excluded
        self._interval_seconds, self._clock = interval_seconds, clock
        self._work = threading.Lock()
        self._disks: dict[SmartDevice, Disk] = {}
        self._scan_at = float("-inf")

    @property
    def listed(self) -> list[str]:
        """The paths that the owner gave; none if a scan finds them."""
        return [device.path for device in wanted_devices(self._configured or (), self._excluded)]

    def disks(self) -> list[Disk]:
        """Real ones, each once though it may be reached by several paths."""
        found: dict[str, Disk] = {}
        for disk in list(self._disks.values()):
            if not disk.virtual:
                found.setdefault(disk.key, disk)
        return list(found.values())

    def refresh(self, *, rescan: bool = False) -> None:
        """Read those that are due, as far as the time allows. Raise `ReadingFailed` if none can be found."""
        with self._work:
            started = self._clock()
            if rescan or started >= self._scan_at:
                self._find(started)
            for disk in sorted(self._disks.values(), key=lambda disk: disk.due_at):
                now = self._clock()
                if now < disk.due_at or now - started > BUDGET_SECONDS:
                    break
                self._disks[disk.device] = self._attempt(disk, now)

    def read_now(self, key: str) -> Disk | None:
        """Ask one disk, by serial number, path or kernel name, whether it is due or not."""
        with self._work:
            disk = self.find(key)
            if disk is not None:
                disk = self._disks[disk.device] = self._attempt(disk, self._clock())
            return disk

    def find(self, key: str) -> Disk | None:
        return next((disk for disk in self.disks() if key in {disk.key, disk.device.path, _name(disk)}), None)

    def _find(self, now: float) -> None:
        self._scan_at = now + RESCAN_SECONDS
        devices = self._configured
        if devices is None:
            devices = tuple(parse_scan(parse_document(self._smartctl.scan().text)))
        wanted = wanted_devices(devices, self._excluded)
        self._disks = {device: self._disks.get(device, Disk(device, now)) for device in wanted}

    def _attempt(self, disk: Disk, now: float) -> Disk:
        """The disk after being asked. What it said before stands unless it says something else."""
        tried = disk._replace(due_at=now + self._interval_seconds, asleep=False, problem=None)
        try:
            document, status = self._ask(disk.device)
            if is_asleep(document, status):
                return tried._replace(asleep=True)
            if is_virtual_document(document):
                return tried._replace(virtual=True)
            reading = parse_smart(document, status)
        except ReadingFailed as error:
            return self._with_problem(tried, disk, str(error))
        if reading is None:
            reason = "; ".join(messages(document)) or "it tells no SMART"
            return self._with_problem(tried, disk, f"{disk.device.path}: {reason}")
        return tried._replace(reading=reading, read_at=now)

    def _ask(self, device: SmartDevice) -> tuple[Document, int]:
        output = self._smartctl.read(device)
        document = parse_document(output.text)
        namespace = namespace_of(device)
        if output.status & OPEN_FAILED and namespace is not None and not is_asleep(document, output.status):
            output = self._smartctl.read(namespace)
            document = parse_document(output.text)
        return document, output.status

    def _with_problem(self, tried: Disk, before: Disk, problem: str) -> Disk:
        if problem != before.problem:
            log.warning("SMART: %s", problem)
        return tried._replace(problem=problem)


def _name(disk: Disk) -> str:
    return disk.device.path.rpartition("/")[2]
