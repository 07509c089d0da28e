"""Disks as smartctl tells of them: found, asked at their pace, left asleep, given up; the command is a stand-in."""

import asyncio
from pathlib import Path

import pytest

from beszel_agent.collectors.smart import SmartCollector
from beszel_agent.config import Config, load_config
from beszel_agent.errors import ConfigError, ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ProbedRun
from beszel_agent.sampler import Sampler
from beszel_agent.settings import SmartDevice
from beszel_agent.smart import smartctl as smartctl_module
from beszel_agent.smart.detail import describe_disks
from beszel_agent.smart.disks import RESCAN_SECONDS, SmartDisks
from beszel_agent.smart.grants import Node, describe_shortfall, missing_grants
from beszel_agent.smart.present import device_of, physical_disks
from beszel_agent.smart.smartctl import Smartctl
from beszel_protocol.disks import DiskDetail
from tests.support.programs import wait_until
from tests.support.smartctl import StandIn

SDA, NVME = SmartDevice("/dev/sda", None), SmartDevice("/dev/nvme0", "nvme")


class Hands:
    """A clock that goes as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    found = StandIn(tmp_path / "bin")
    found.find(("/dev/sda", "scsi"), ("/dev/nvme0", "nvme"))
    found.answer("/dev/sda", "ata_hdd")
    found.answer("/dev/nvme0", "nvme")
    monkeypatch.setenv("PATH", found.path)
    return found


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def paths(tmp_path: Path) -> HostPaths:
    """A host with a disk of each kind, and one of a virtual machine."""
    for name, vendor, model in (
        ("sda", "ATA", "WDC WD40EFRX-68N"),
        ("nvme0n1", "", "Samsung SSD 980 PRO"),
        ("sdd", "QEMU", "QEMU HARDDISK"),
        ("vda", "", ""),
        ("loop0", "", ""),
    ):
        directory = tmp_path / "sys/block" / name / "device"
        directory.mkdir(parents=True)
        (directory / "vendor").write_text(vendor)
        (directory / "model").write_text(model)
    return HostPaths(proc=str(tmp_path / "proc"), sys=str(tmp_path / "sys"), keep_open=False)


def make_disks(stand_in: StandIn, clock: Hands, *devices: SmartDevice, interval_seconds: float = 3600) -> SmartDisks:
    return SmartDisks(
        Smartctl(str(stand_in.program)),
        devices=devices or None,
        excluded=(),
        interval_seconds=interval_seconds,
        clock=clock,
    )


def subjects(stand_in: StandIn) -> list[str]:
    return [call[-1] for call in stand_in.calls()]


def test_each_disk_is_asked_at_its_interval_and_a_scan_comes_every_half_hour(stand_in: StandIn, clock: Hands) -> None:
    disks = make_disks(stand_in, clock)
    disks.refresh()
    assert [disk.key for disk in disks.disks()] == ["WD-WCC7K0000001", "S5GXNX0T000001A"]
    assert stand_in.calls() == [
        ["--scan", "--json=c"],
        ["-a", "--json=c", "-n", "standby", "-l", "devstat", "/dev/sda"],
        ["-a", "--json=c", "-n", "standby", "-d", "nvme", "/dev/nvme0"],
    ]
    clock.now = RESCAN_SECONDS - 1
    disks.refresh()
    assert stand_in.calls() == []
    clock.now = RESCAN_SECONDS
    disks.refresh()
    assert stand_in.calls() == [["--scan", "--json=c"]]
    clock.now = 3600.0
    disks.refresh()
    assert subjects(stand_in) == ["--json=c", "/dev/sda", "/dev/nvme0"]


def test_a_disk_that_sleeps_is_left_asleep_and_what_it_said_stands(stand_in: StandIn, clock: Hands) -> None:
    disks = make_disks(stand_in, clock, SDA)
    disks.refresh()
    stand_in.answer("/dev/sda", "asleep")
    clock.now = 3600.0
    disks.refresh()
    (disk,) = disks.disks()
    assert (disk.asleep, disk.problem, disk.read_at) == (True, None, 0.0)
    assert disk.key == "WD-WCC7K0000001"
    assert all("standby" in call for call in stand_in.calls())


def test_one_that_slept_from_the_start_is_told_when_it_wakes(stand_in: StandIn, clock: Hands) -> None:
    stand_in.answer("/dev/sda", "asleep")
    disks = make_disks(stand_in, clock, SDA)
    disks.refresh()
    assert [(disk.asleep, disk.reading) for disk in disks.disks()] == [(True, None)]
    stand_in.answer("/dev/sda", "ata_hdd")
    clock.now = 3600.0
    disks.refresh()
    assert disks.disks()[0].reading is not None


def test_a_disk_that_is_gone_from_the_scan_is_gone(stand_in: StandIn, clock: Hands) -> None:
    disks = make_disks(stand_in, clock)
    disks.refresh()
    stand_in.find(("/dev/nvme0", "nvme"))
    clock.now = RESCAN_SECONDS
    disks.refresh()
    assert [disk.device.path for disk in disks.disks()] == ["/dev/nvme0"]
    assert disks.disks()[0].reading is not None  # and what the other said is kept


def test_one_disk_reached_by_two_paths_and_a_virtual_one(stand_in: StandIn, clock: Hands) -> None:
    stand_in.answer("/dev/sg0", "ata_hdd")
    stand_in.answer("/dev/sdd", "virtual")
    disks = make_disks(stand_in, clock, SDA, SmartDevice("/dev/sg0", "sat"), SmartDevice("/dev/sdd", None))
    disks.refresh()
    assert [disk.device.path for disk in disks.disks()] == ["/dev/sda"]


def test_the_namespace_stands_in_for_a_controller_that_is_not_there(stand_in: StandIn, clock: Hands) -> None:
    stand_in.answer("/dev/nvme0", "permission_denied")
    stand_in.answer("/dev/nvme0n1", "nvme")
    disks = make_disks(stand_in, clock, NVME)
    disks.refresh()
    assert disks.disks()[0].reading is not None
    assert subjects(stand_in) == ["/dev/nvme0", "/dev/nvme0n1"]


@pytest.mark.parametrize(
    ("recorded", "problem"),
    [
        ("permission_denied", "/dev/sda: Smartctl open device: /dev/sda failed: Permission denied"),
        ("no_smart", "/dev/sda: Read Device Identity failed"),
    ],
)
def test_a_disk_that_tells_nothing(stand_in: StandIn, clock: Hands, recorded: str, problem: str) -> None:
    disks = make_disks(stand_in, clock, SDA)
    disks.refresh()
    before = disks.disks()[0].reading
    stand_in.answer("/dev/sda", recorded)
    clock.now = 3600.0
    disks.refresh()
    (disk,) = disks.disks()
    assert (disk.problem, disk.reading) == (problem, before)


def test_a_command_that_hangs_is_ended_and_costs_its_own_disk(
    stand_in: StandIn, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smartctl_module, "READ_TIMEOUT_SECONDS", 0.5)
    stand_in.answer("/dev/sda", "hang")
    disks = make_disks(stand_in, clock)
    disks.refresh()
    hung, well = disks.disks()
    assert hung.problem == "/dev/sda: no answer within 0.5 s"
    assert well.reading is not None


def test_what_time_does_not_allow_is_read_the_next_time(stand_in: StandIn) -> None:
    class Slow(Hands):
        def __call__(self) -> float:
            self.now += 10.0
            return self.now

    disks = make_disks(stand_in, Slow(), SDA, NVME, interval_seconds=36000)
    disks.refresh()
    assert [disk.reading is not None for disk in disks.disks()] == [True, False]
    disks.refresh()
    assert [disk.reading is not None for disk in disks.disks()] == [True, True]


def test_a_program_that_is_gone(clock: Hands) -> None:
    with pytest.raises(ReadingFailed, match="/nowhere/smartctl: No such file"):
        SmartDisks(Smartctl("/nowhere/smartctl"), devices=None, excluded=(), interval_seconds=60, clock=clock).refresh()


def test_which_disks_of_a_host_may_have_smart(paths: HostPaths) -> None:
    assert physical_disks(paths) == ["nvme0n1", "sda"]
    assert [device_of(name) for name in physical_disks(paths)] == ["/dev/nvme0", "/dev/sda"]


def test_the_collector_tells_the_last_readings(stand_in: StandIn, paths: HostPaths) -> None:
    collector = SmartCollector.probe(paths, Config())
    part = collector.collect(0.0).smart or {}
    assert {key: (disk.severity, disk.temperature_celsius) for key, disk in part.items()} == {
        "WD-WCC7K0000001": (0, 34),
        "S5GXNX0T000001A": (0, 38),
    }
    stand_in.calls()
    assert collector.collect(60.0).smart == part
    assert stand_in.calls() == []


def test_a_disk_that_was_plugged_in_is_found_at_once(stand_in: StandIn, paths: HostPaths, tmp_path: Path) -> None:
    collector = SmartCollector.probe(paths, Config())
    collector.collect(0.0)
    (tmp_path / "sys/block/sdb/device").mkdir(parents=True)
    stand_in.find(("/dev/sda", "scsi"), ("/dev/sdb", "sat"))
    stand_in.answer("/dev/sdb", "ata_ssd_without_statistics")
    assert set(collector.collect(60.0).smart or {}) == {"WD-WCC7K0000001", "2140E5C8A112"}


def test_where_none_answers_the_collector_says_why(stand_in: StandIn, paths: HostPaths) -> None:
    for device in ("/dev/sda", "/dev/nvme0", "/dev/nvme0n1"):
        stand_in.answer(device, "permission_denied")
    with pytest.raises(ReadingFailed, match=r"SMART of .*needs|Permission denied"):
        SmartCollector.probe(paths, Config()).collect(0.0)


@pytest.mark.parametrize(
    ("config", "reason"),
    [(Config(smart_devices=""), "SMART_DEVICES names no disk"), (Config(smart_devices=" , "), "names no disk")],
)
def test_the_owner_may_switch_it_off(stand_in: StandIn, paths: HostPaths, config: Config, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        SmartCollector.probe(paths, config)


def test_nothing_is_run_where_nothing_is(stand_in: StandIn, tmp_path: Path) -> None:
    empty = HostPaths(sys=str(tmp_path / "nothing"))
    with pytest.raises(Unavailable, match="no disk here has SMART"):
        SmartCollector.probe(empty, Config())
    assert stand_in.calls() == []


def test_without_the_command(paths: HostPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(smartctl_module, "_PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="smartctl is not installed"):
        SmartCollector.probe(paths, Config())


def test_listed_devices_with_another_separator() -> None:
    flags = {"SMART_DEVICES": "/dev/bus/0:megaraid,0;/dev/bus/0:megaraid,1", "SMART_DEVICES_SEPARATOR": ";"}
    config = load_config(flags, {}, Path("/dev/null")).config
    assert config.smart_device_list() == (
        SmartDevice("/dev/bus/0", "megaraid,0"),
        SmartDevice("/dev/bus/0", "megaraid,1"),
    )
    with pytest.raises(ConfigError, match="'-x' is no device"):
        load_config({"SMART_DEVICES": "-x"}, {}, Path("/dev/null"))


@pytest.mark.parametrize(
    ("node", "held", "missing"),
    [
        (Node("/dev/sda", True, "disk"), {"CAP_SYS_RAWIO"}, []),
        (Node("/dev/sda", False, "disk"), set(), ["the group disk", "CAP_SYS_RAWIO"]),
        (Node("/dev/sda", False, "disk"), {"CAP_DAC_OVERRIDE"}, ["CAP_SYS_RAWIO"]),
        (Node("/dev/nvme0", False, None), {"CAP_SYS_RAWIO"}, ["CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN"]),
        (Node("/dev/nvme0", True, None), {"CAP_SYS_ADMIN"}, []),
    ],
)
def test_the_grant_that_is_missing(node: Node, held: set[str], missing: list[str]) -> None:
    assert missing_grants(node, frozenset(held)) == missing


def test_a_report_names_the_grants(stand_in: StandIn, tmp_path: Path) -> None:
    """Of a process without capabilities, with one device that is here and one that is not, as in a container."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text("CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n")
    paths = HostPaths(proc=str(tmp_path / "proc"))
    device = tmp_path / "sdx"
    device.touch(0o600)
    sentence = describe_shortfall([str(device), "/dev/sd-none"], str(stand_in.program), paths) or ""
    assert f"SMART of {device} needs CAP_SYS_RAWIO" in sentence
    assert "needs the device itself, which is not in this container (--device=/dev/sd-none)" in sentence
    stand_in.program.chmod(0o4755)
    assert describe_shortfall([str(device)], str(stand_in.program), paths) is None


def test_the_report_of_a_collector_that_reads_only_some(stand_in: StandIn, paths: HostPaths) -> None:
    run = ProbedRun(SmartCollector, paths, Config())
    told = []

    def has_told() -> bool:
        part = run.read(0.0)
        told.extend([] if part is None else [part])
        return bool(told)

    wait_until("the first reading", has_told)
    assert run.read(0.0) is None  # a slow part stands in one sample, not in all
    report = run.report()
    assert (report.state, report.readings) == ("running", 1)
    assert Sampler([run], 1.0).find(SmartCollector) is run.collector


def test_details_of_disks(stand_in: StandIn, clock: Hands) -> None:
    disks = make_disks(stand_in, clock)
    disks.refresh()
    clock.now = 90.0

    def ask(**params: object) -> list[DiskDetail]:
        return asyncio.run(describe_disks(disks, params, clock)).disks

    assert [disk.key for disk in ask()] == ["WD-WCC7K0000001", "S5GXNX0T000001A"]
    (one,) = ask(disk="sda")
    assert (one.device, one.age_seconds) == ("/dev/sda", 90.0)
    assert one.reading is not None
    assert one.reading.attributes[1].name == "Reallocated_Sector_Ct"
    stand_in.calls()
    stand_in.answer("/dev/sda", "ata_failing")
    (one,) = ask(disk="WD-WCC7K0000001", refresh=True)
    assert one.age_seconds == 0.0
    assert one.reading is not None
    assert one.reading.summary.severity == 2
    assert subjects(stand_in) == ["/dev/sda"]
    assert ask(disk="sdz", refresh=True) == []
    assert len(ask(disk=7, refresh=True)) == 2


def test_details_where_no_smart_is_read(clock: Hands) -> None:
    assert "collectors" in (asyncio.run(describe_disks(None, {}, clock)).reason or "")
