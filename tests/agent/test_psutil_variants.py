"""The variants that read through psutil: against `/proc` on this host, and what each makes of odd hosts."""

import asyncio
import os

import msgspec
import psutil
import pytest

from beszel_agent.collector import Collector
from beszel_agent.collectors import (
    batteries_psutil,
    disk_io_psutil,
    filesystems_psutil,
    memory_psutil,
    network_psutil,
)
from beszel_agent.collectors.batteries import BatteriesCollector
from beszel_agent.collectors.cpu import CpuCollector
from beszel_agent.collectors.cpu_psutil import PsutilCpuCollector, add_cores, only_known_states, ticks_of
from beszel_agent.collectors.disk_io import DiskIoCollector, disk_metrics
from beszel_agent.collectors.disk_io_psutil import PsutilDiskIoCollector, name_disks
from beszel_agent.collectors.filesystems import FilesystemsCollector
from beszel_agent.collectors.load import LoadCollector
from beszel_agent.collectors.logins import LoginsCollector
from beszel_agent.collectors.memory import MemoryCollector
from beszel_agent.collectors.network import NetworkCollector
from beszel_agent.collectors.processes import ProcessesCollector
from beszel_agent.collectors.temperatures_psutil import name_sensors
from beszel_agent.collectors.uptime import UptimeCollector
from beszel_agent.config import Config
from beszel_agent.disk_rules import DiskRules, read_rules
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.processes import scanner_psutil
from beszel_agent.processes.listing import list_processes
from beszel_agent.settings import NamedDisk
from beszel_agent.volumes import Volume, choose_volumes
from beszel_protocol.sample import BatteryMetrics, CpuMetrics, Metrics
from tests.support.otherpsutil import Battery, Link, OtherPsutil, Partition, Temperature, Traffic

HERE = HostPaths()
ELSEWHERE = HostPaths(system="freebsd")
"""This very host, read as if it had no `/proc`."""
NO_RULES = DiskRules(None, ())


def both(kind: type[Collector]) -> tuple[Metrics, Metrics]:
    """What the two make of this host, with rates over the same moment of work."""
    ours, theirs = kind.probe(HERE, Config()), kind.probe(ELSEWHERE, Config())
    ours.collect(0.0)
    theirs.collect(0.0)
    sum(range(4_000_000))
    return ours.collect(1.0), theirs.collect(1.0)


def test_shares_of_processor_time_are_those_of_proc() -> None:
    ours, theirs = (part.cpu for part in both(CpuCollector))
    assert ours is not None
    assert theirs is not None
    assert theirs.usage_percent == pytest.approx(ours.usage_percent, abs=15)
    assert theirs.iowait_percent is not None  # Linux has it, whoever asks
    assert len(theirs.cores_percent or ()) == len(ours.cores_percent or ()) == psutil.cpu_count()


def test_ticks_are_those_of_proc() -> None:
    ours = CpuCollector.probe(HERE, Config())
    assert isinstance(ours, CpuCollector)
    ours.collect(0.0)
    theirs = add_cores([ticks_of(core) for core in psutil.cpu_times(percpu=True)])
    for name, ticks in ours._previous.items():
        # Of all processors together the kernel adds up finer parts of a tick than it prints of each.
        assert theirs[name] == pytest.approx(ticks, abs=50)


def test_memory_is_that_of_proc() -> None:
    ours, theirs = (part.memory for part in both(MemoryCollector))
    assert ours is not None
    assert theirs is not None
    assert (theirs.total_bytes, theirs.swap_total_bytes) == (ours.total_bytes, ours.swap_total_bytes)
    assert theirs.used_bytes == pytest.approx(ours.used_bytes, rel=0.1)


def test_traffic_is_that_of_proc() -> None:
    ours = NetworkCollector.probe(HERE, Config(nics=("lo",))).collect(0.0).network
    theirs = NetworkCollector.probe(ELSEWHERE, Config(nics=("lo",))).collect(0.0).network
    assert ours is not None
    assert theirs is not None
    assert theirs.bytes_recv == pytest.approx(ours.bytes_recv, rel=0.05)
    assert set(theirs.interfaces or ()) == {"lo"}


def test_the_interfaces_that_count_here_count_by_psutil_too() -> None:
    ours, theirs = (part.network for part in both(NetworkCollector))
    assert ours is not None
    assert theirs is not None
    assert set(ours.interfaces or ()) <= set(theirs.interfaces or ())


def test_what_the_root_holds_is_what_proc_tells() -> None:
    ours = (FilesystemsCollector.probe(HERE, Config()).collect(0.0).disk or {}).get("/")
    theirs = (FilesystemsCollector.probe(ELSEWHERE, Config()).collect(0.0).disk or {}).get("/")
    if ours is None:
        pytest.skip("the root of this host may have to wait")
    assert theirs is not None
    assert (theirs.total_bytes, theirs.inodes_total) == (ours.total_bytes, ours.inodes_total)
    assert theirs.usage_percent == pytest.approx(ours.usage_percent, abs=1)


def test_disks_count_as_in_proc() -> None:
    """By psutil they are whole disks here too, so only what every disk has is compared."""
    try:
        theirs = DiskIoCollector.probe(ELSEWHERE, Config()).collect(0.0).disk or {}
    except Unavailable:
        pytest.skip("no disk of this host has done anything")
    assert all(disk.io_read_bytes is not None for disk in theirs.values())
    assert all(disk.read_bytes_per_second is None for disk in theirs.values())


def test_load_uptime_and_logins() -> None:
    ours, theirs = (part.cpu for part in both(LoadCollector))
    assert ours is not None
    assert theirs is not None
    assert theirs.load_average == pytest.approx(ours.load_average, abs=0.2)
    uptime = UptimeCollector.probe(ELSEWHERE, Config()).collect(0.0).uptime_seconds
    assert uptime is not None
    assert uptime > 0
    assert LoginsCollector.probe(ELSEWHERE, Config()).collect(0.0).logins is not None


def test_the_processes_are_those_of_proc() -> None:
    ours, theirs = both(ProcessesCollector)
    assert ours.processes is not None
    assert theirs.processes is not None
    total = (ours.processes.total or 0) + (ours.processes.kernel_threads or 0)
    assert theirs.processes.total == pytest.approx(total, abs=10)
    # The largest of this host is among the first of both, whatever else goes on here.
    largest = max(theirs.top_processes or (), key=lambda process: process.memory_bytes or 0)
    same = next(process for process in ours.top_processes or () if process.pid == largest.pid)
    assert largest.cpu_percent is not None
    assert largest.user == same.user
    assert largest.memory_bytes == pytest.approx(same.memory_bytes, rel=0.2)


def test_all_processes_on_request() -> None:
    found = asyncio.run(list_processes(ELSEWHERE, {"by": "memory", "limit": 1000}))
    assert os.getpid() in {process.pid for process in found.processes}
    assert found.counts.total == pytest.approx(len(psutil.pids()), abs=10)
    assert next(process.parent for process in found.processes if process.pid == os.getpid()) == os.getppid()


# What other hosts tell


def test_what_a_process_used_is_told_from_the_second_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    monkeypatch.setattr(scanner_psutil, "psutil", other)
    collector = ProcessesCollector.probe(HostPaths(system="windows"), Config())
    first, second = (collector.collect(now).top_processes or [] for now in (0.0, 50.0))
    assert [(process.pid, process.cpu_percent) for process in first] == [(4242, None)]
    # 42.42 s of the 100 s that two processors have in 50 s.
    assert [(process.pid, process.cpu_percent, process.read_bytes_per_second) for process in second] == [
        (4242, 42.42, 20)
    ]


def test_a_state_that_nobody_counts_is_absent_and_not_zero() -> None:
    told = CpuMetrics(usage_percent=5.0, iowait_percent=0.0, steal_percent=0.0)
    windows = OtherPsutil("windows").cpu_times(percpu=True)[0]
    assert only_known_states(told, windows) == CpuMetrics(usage_percent=5.0)


def test_a_processor_that_comes_or_goes_costs_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("darwin")
    readings = [other.cpu_times(percpu=True) for _ in range(4)]
    readings[2].pop()
    readings[3].pop()
    monkeypatch.setattr(psutil, "cpu_times", lambda **_: readings.pop(0))
    collector = PsutilCpuCollector()
    found = [collector.collect(now).cpu for now in range(4)]
    assert [cpu and cpu.usage_percent for cpu in found] == [None, 40.0, None, 40.0]


def test_no_processor_at_all_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda **_: [])
    with pytest.raises(ReadingFailed):
        PsutilCpuCollector().collect(0.0)


def test_windows_without_performance_counters_tells_no_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    other.swap_fails = True
    monkeypatch.setattr(memory_psutil, "psutil", other)
    memory = memory_psutil.read_memory(0, as_htop=False)
    assert (memory.swap_total_bytes, memory.swap_used_bytes) == (None, None)
    assert memory.usage_percent == 75.0


def test_the_arc_is_neither_used_nor_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_psutil, "psutil", OtherPsutil("freebsd"))
    without, with_arc = (memory_psutil.read_memory(arc << 30, as_htop=False) for arc in (0, 6))
    assert (without.zfs_arc_bytes, with_arc.zfs_arc_bytes) == (0, 6 << 30)
    assert (without.used_bytes or 0) - (with_arc.used_bytes or 0) == 6 << 30
    assert with_arc.cache_bytes == without.cache_bytes
    assert memory_psutil.read_memory(None, as_htop=False).zfs_arc_bytes is None


@pytest.mark.parametrize(
    ("battery", "told"),
    [
        (Battery(80.4, 3600, False), BatteryMetrics(charge_percent=80.4, state="discharging")),
        (Battery(100, -2, True), BatteryMetrics(charge_percent=100, state="full")),
        (Battery(60, -2, True), BatteryMetrics(charge_percent=60)),
        (Battery(255, -1, None), BatteryMetrics()),
    ],
)
def test_a_battery_is_told_as_far_as_it_is_known(battery: Battery, told: BatteryMetrics) -> None:
    assert batteries_psutil.battery_metrics(battery) == told


def test_no_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    other.battery = None
    monkeypatch.setattr(batteries_psutil, "psutil", other)
    with pytest.raises(Unavailable, match="no battery"):
        BatteriesCollector.probe(HostPaths(system="windows"), Config())


def test_sensors_have_the_names_that_they_would_have_under_linux() -> None:
    chips = {"coretemp": [Temperature("Core 0", 41.0, None, None), Temperature("", None, None, None)]}
    assert dict(name_sensors(chips)) == {"coretemp_core_0": 41.0}


def test_traffic_wraps_and_resets_as_under_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter of macOS that is cut to 32 bits goes on; one that was reset gives no rate."""
    near = (1 << 32) - 1000
    steps = [
        Traffic(near, near, 1, 1, 0, 0, 0, 0),
        Traffic(near + 500, 500, 2, 2, 0, 0, 0, 0),
        Traffic(0, 1500, 0, 3, 0, 0, 0, 0),
    ]
    other = OtherPsutil("darwin")
    monkeypatch.setattr(network_psutil, "psutil", other)
    monkeypatch.setattr(other, "net_io_counters", lambda **_: {"en0": steps.pop(0)})
    collector = NetworkCollector.probe(HostPaths(system="darwin"), Config())
    rates = []
    for now in (0.0, 1.0, 2.0):
        network = collector.collect(now).network
        assert network is not None
        interface = (network.interfaces or {})["en0"]
        rates.append((interface.sent_bytes_per_second, interface.recv_bytes_per_second))
    assert rates == [(None, None), (500, 1500), (None, 1000)]


@pytest.mark.parametrize(
    ("system", "name", "link", "counts"),
    [
        ("freebsd", "lagg0", Link(True, 0, 1000, 1500, "up,broadcast"), False),
        ("freebsd", "ix0.7", Link(True, 0, 1000, 1500, "up,broadcast"), True),  # its parent is not to be seen
        ("freebsd", "ppp0", Link(True, 0, 0, 1500, "up,pointopoint"), False),
        ("darwin", "en7", Link(True, 0, 100, 1500, "up,broadcast"), True),
        ("windows", "vEthernet (WSL)", Link(True, 0, 100, 1500, ""), False),
        ("windows", "Ethernet 2", Link(True, 0, 100, 1500, ""), True),
        ("openbsd", "em0", Link(True, 0, 100, 1500, "up"), True),
    ],
)
def test_which_interfaces_count(system: str, name: str, link: Link, counts: bool) -> None:
    assert network_psutil.PsutilInterfaces({name: link}, system).is_edge(name) is counts


def test_the_speed_of_a_link_that_is_down_is_not_known() -> None:
    interfaces = network_psutil.PsutilInterfaces(
        {"up": Link(True, 2, 1000, 1500, ""), "down": Link(False, 2, 1000, 1500, "")}, "windows"
    )
    speeds = [interfaces.link_bytes_per_second(name) for name in ("up", "down", "gone")]
    assert speeds == [125_000_000, None, None]


def rules(root: str | None = None, **extras: str | None) -> DiskRules:
    config = Config(
        filesystem=None if root is None else NamedDisk(root, None),
        extra_filesystems=tuple(NamedDisk(disk, name) for disk, name in extras.items()),
    )
    return read_rules(HostPaths(system="windows"), config)


def names(system: str, wanted: DiskRules = NO_RULES) -> list[str]:
    return [volume.name for volume in choose_volumes(OtherPsutil(system).partitions, wanted, system)]


def test_of_one_apfs_container_one_volume_is_shown() -> None:
    assert names("darwin") == ["/", "/Volumes/Backup"]


def test_the_sealed_root_of_macos_is_not_taken_for_one_that_failed() -> None:
    volumes = choose_volumes(OtherPsutil("darwin").partitions, NO_RULES, "darwin")
    assert [volume.read_only for volume in volumes] == [False, False]


def test_neither_memory_nor_network_nor_discs_count() -> None:
    assert names("freebsd") == ["/", "/boot/efi", "/home", "/srv"]
    assert names("windows") == ["/", "E:", "F:"]


def test_the_owner_of_the_host_names_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names("windows", rules("e:", **{"C:\\": "System", "Z:": "not here"})) == ["/", "System", "F:"]
    monkeypatch.setenv("SYSTEMDRIVE", "E:")
    assert names("windows") == ["/", "C:", "F:"]


@pytest.mark.parametrize(
    ("disks", "volumes", "wanted", "named"),
    [
        (["disk0"], [("/", "/dev/disk3s1s1")], None, {"disk0": "/"}),
        (["disk0", "disk4"], [("/", "/dev/disk3s1s1"), ("/Volumes/X", "/dev/disk4s2")], None,
         {"disk0": "/", "disk4": "/Volumes/X"}),
        (["ada0", "ada1"], [("/", "zroot/ROOT"), ("/boot/efi", "/dev/ada0p1")], None, {"ada0": "ada0", "ada1": "ada1"}),
        (["ada0", "ada01"], [("/", "/dev/ada0p2"), ("/srv", "/dev/ada01")], None, {"ada0": "/", "ada01": "/srv"}),
        (["nda0", "nda1"], [("/", "zroot/ROOT")], "nda1", {"nda0": "nda0", "nda1": "/"}),
        (["PhysicalDrive0"], [("/", "C:\\"), ("E:", "E:\\")], None, {"PhysicalDrive0": "/"}),
    ],
)  # fmt: skip
def test_which_disk_is_where(
    disks: list[str], volumes: list[tuple[str, str]], wanted: str | None, named: dict[str, str]
) -> None:
    found = [Volume(name, name, device, False) for name, device in volumes]
    assert name_disks(disks, found, rules(wanted).root) == named


def test_a_disk_that_is_replaced_gives_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    monkeypatch.setattr(disk_io_psutil, "psutil", other)
    collector = PsutilDiskIoCollector.probe(HostPaths(system="windows"), Config())
    rates = []
    for step, now in ((5, 0.0), (6, 1.0), (1, 2.0)):
        other.step = step
        rates.append((collector.collect(now).disk or {})["PhysicalDrive0"].read_bytes_per_second)
    assert rates == [None, 1 << 20, None]


def test_a_system_that_counts_no_times_tells_none() -> None:
    class OpenBsdIo(msgspec.Struct):
        read_count: int
        write_count: int
        read_bytes: int
        write_bytes: int

    before, now = (disk_io_psutil.counters_of(OpenBsdIo(n, n, n << 20, n << 20)) for n in (1, 2))
    told = disk_io_psutil.only_known_times(disk_metrics(before, now, 1.0), OpenBsdIo(1, 1, 1, 1))
    assert told.read_bytes_per_second == 1 << 20
    assert (told.read_await_ms, told.read_time_percent, told.utilization_percent) == (None, None, None)


def test_windows_may_have_to_be_told_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    other.disks = ()
    monkeypatch.setattr(disk_io_psutil, "psutil", other)
    with pytest.raises(Unavailable, match="diskperf -y"):
        PsutilDiskIoCollector.probe(HostPaths(system="windows"), Config())


def test_a_drive_without_a_medium_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems_psutil, "psutil", OtherPsutil("windows"))
    monkeypatch.delattr("os.statvfs")
    disk = FilesystemsCollector.probe(HostPaths(system="windows"), Config()).collect(0.0).disk
    assert disk is not None
    assert set(disk) == {"/", "E:"}


def test_a_drive_of_the_network_counts_if_the_owner_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems_psutil, "psutil", OtherPsutil("windows"))
    monkeypatch.delattr("os.statvfs")
    config = Config(extra_filesystems=(NamedDisk("n:", "Media"),))
    disk = FilesystemsCollector.probe(HostPaths(system="windows"), config).collect(0.0).disk
    assert set(disk or ()) == {"/", "E:", "Media"}


def test_sleeping_drives_of_windows_are_not_asked_for_their_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("windows")
    monkeypatch.setattr(other, "disk_partitions", None)
    monkeypatch.setattr(disk_io_psutil, "psutil", other)
    disk = PsutilDiskIoCollector.probe(HostPaths(system="windows"), Config()).collect(0.0).disk
    assert set(disk or ()) == {"PhysicalDrive0", "PhysicalDrive1"}


def test_a_filesystem_that_cannot_be_listed_is_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    other = OtherPsutil("freebsd")
    other.partitions = (Partition("/dev/ada0p2", "/nowhere", "ufs", "rw"),)
    monkeypatch.setattr(filesystems_psutil, "psutil", other)
    with pytest.raises(ReadingFailed):
        FilesystemsCollector.probe(ELSEWHERE, Config()).collect(0.0)
