"""Everything this agent can read, one collector a file."""

from typing import Final

from beszel_agent.collector import Collector
from beszel_agent.collectors.clock import ClockCollector
from beszel_agent.collectors.cpu import CpuCollector
from beszel_agent.collectors.custom import CustomCollector
from beszel_agent.collectors.disk_io import DiskIoCollector
from beszel_agent.collectors.filesystems import FilesystemsCollector
from beszel_agent.collectors.kernel import KernelCollector
from beszel_agent.collectors.load import LoadCollector
from beszel_agent.collectors.logins import LoginsCollector
from beszel_agent.collectors.memory import MemoryCollector
from beszel_agent.collectors.network import NetworkCollector
from beszel_agent.collectors.pressure import PressureCollector
from beszel_agent.collectors.processes import ProcessesCollector
from beszel_agent.collectors.service_units import ServiceUnitsCollector
from beszel_agent.collectors.services import ServicesCollector
from beszel_agent.collectors.slow_filesystems import SlowFilesystemsCollector
from beszel_agent.collectors.updates import UpdatesCollector
from beszel_agent.collectors.uptime import UptimeCollector

COLLECTORS: Final[tuple[type[Collector], ...]] = (
    ClockCollector,
    CpuCollector,
    CustomCollector,
    DiskIoCollector,
    FilesystemsCollector,
    KernelCollector,
    LoadCollector,
    LoginsCollector,
    MemoryCollector,
    NetworkCollector,
    PressureCollector,
    ProcessesCollector,
    ServiceUnitsCollector,
    ServicesCollector,
    SlowFilesystemsCollector,
    UpdatesCollector,
    UptimeCollector,
)
