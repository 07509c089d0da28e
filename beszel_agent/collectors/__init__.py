"""Everything this agent can read, one collector a file."""

from typing import Final

from beszel_agent.collector import Collector
from beszel_agent.collectors.arrays import ArraysCollector
from beszel_agent.collectors.batteries import BatteriesCollector
from beszel_agent.collectors.clock import ClockCollector
from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.collectors.cpu import CpuCollector
from beszel_agent.collectors.custom import CustomCollector
from beszel_agent.collectors.disk_io import DiskIoCollector
from beszel_agent.collectors.emmc import EmmcCollector
from beszel_agent.collectors.fans import FansCollector
from beszel_agent.collectors.filesystems import FilesystemsCollector
from beszel_agent.collectors.gpus import GpusCollector
from beszel_agent.collectors.kernel import KernelCollector
from beszel_agent.collectors.load import LoadCollector
from beszel_agent.collectors.logins import LoginsCollector
from beszel_agent.collectors.memory import MemoryCollector
from beszel_agent.collectors.network import NetworkCollector
from beszel_agent.collectors.pools import PoolsCollector
from beszel_agent.collectors.pressure import PressureCollector
from beszel_agent.collectors.processes import ProcessesCollector
from beszel_agent.collectors.scheduler import SchedulerCollector
from beszel_agent.collectors.service_units import ServiceUnitsCollector
from beszel_agent.collectors.services import ServicesCollector
from beszel_agent.collectors.slow_filesystems import SlowFilesystemsCollector
from beszel_agent.collectors.smart import SmartCollector
from beszel_agent.collectors.stalls import StallsCollector
from beszel_agent.collectors.temperatures import TemperaturesCollector
from beszel_agent.collectors.updates import UpdatesCollector
from beszel_agent.collectors.ups import UpsCollector
from beszel_agent.collectors.uptime import UptimeCollector

COLLECTORS: Final[tuple[type[Collector], ...]] = (
    ArraysCollector,
    BatteriesCollector,
    ClockCollector,
    ContainersCollector,
    CpuCollector,
    CustomCollector,
    DiskIoCollector,
    EmmcCollector,
    FansCollector,
    FilesystemsCollector,
    GpusCollector,
    KernelCollector,
    LoadCollector,
    LoginsCollector,
    MemoryCollector,
    NetworkCollector,
    PoolsCollector,
    PressureCollector,
    ProcessesCollector,
    SchedulerCollector,
    ServiceUnitsCollector,
    ServicesCollector,
    SlowFilesystemsCollector,
    SmartCollector,
    StallsCollector,
    TemperaturesCollector,
    UpdatesCollector,
    UpsCollector,
    UptimeCollector,
)
