"""Health of disks by SMART, through smartctl: told once a minute as last read, read anew at `SMART_INTERVAL`."""

from typing import TYPE_CHECKING, ClassVar, Self

from beszel_agent.collector import ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.smart.present import device_of, physical_disks
from beszel_protocol.sample import Metrics

if TYPE_CHECKING:
    # Loaded by the probe, on hosts that have such a disk.
    from beszel_agent.smart.disks import SmartDisks


class SmartCollector(ToldOnce):
    name: ClassVar[str] = "smart"
    fields: ClassVar[tuple[str, ...]] = ("smart",)
    pace_seconds: ClassVar[float] = 60
    timeout_seconds: ClassVar[float] = 60

    def __init__(self, paths: HostPaths, program: str, disks: "SmartDisks") -> None:
        self._paths, self._program, self.disks = paths, program, disks
        self._present = physical_disks(paths)

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        listed = config.smart_device_list()
        if listed is not None and not listed:
            raise Unavailable("SMART_DEVICES names no disk")
        if listed is None and paths.is_linux and not physical_disks(paths):
            raise Unavailable("no disk here has SMART; SMART_DEVICES names those that do not look like one")
        from beszel_agent.smart.disks import SmartDisks  # noqa: PLC0415
        from beszel_agent.smart.smartctl import Smartctl, find_smartctl  # noqa: PLC0415

        program = find_smartctl()
        if program is None:
            raise Unavailable("smartctl is not installed; it is part of smartmontools")
        disks = SmartDisks(
            Smartctl(program), devices=listed, excluded=config.exclude_smart, interval_seconds=config.smart_interval
        )
        return cls(paths, program, disks)

    def collect(self, now: float) -> Metrics:
        present = physical_disks(self._paths)
        self.disks.refresh(rescan=present != self._present)
        self._present = present
        disks = self.disks.disks()
        told = {disk.key: disk.reading.summary for disk in disks if disk.reading is not None}
        problems = [disk.problem for disk in disks if disk.problem is not None]
        if problems and not told:
            raise ReadingFailed(self.shortfall() or problems[0])
        return Metrics(smart=told or None)

    def shortfall(self) -> str | None:
        """What the agent may not read, and the grant that it misses."""
        from beszel_agent.smart.grants import describe_shortfall  # noqa: PLC0415

        known = self.disks.disks()
        devices = [disk.device.path for disk in known if disk.reading is None and not disk.asleep]
        if not known:
            devices = self.disks.listed or [device_of(name) for name in self._present]
        return describe_shortfall(devices, self._program, self._paths)
