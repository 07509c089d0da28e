"""Where the sensors are and which settings choose among them."""

import logging
from pathlib import Path

import pytest

from beszel_agent.collectors.fans import FansCollector
from beszel_agent.collectors.temperatures import TemperaturesCollector, parse_temperature
from beszel_agent.config import Config
from beszel_agent.hwmon import MAX_SENSORS, Sensor, SensorNames
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ProbedRun, ThreadedRun


def make_chip(root: Path, name: str) -> None:
    chip = root / "class/hwmon/hwmon0"
    chip.mkdir(parents=True)
    (chip / "name").write_text(name)
    (chip / "temp1_input").write_text("30000")
    (chip / "fan1_input").write_text("700")


def test_another_sys_holds_the_sensors(tmp_path: Path) -> None:
    make_chip(tmp_path / "sys", "container")
    make_chip(tmp_path / "host", "host")
    paths = HostPaths(sys=str(tmp_path / "sys"), keep_open=False)
    config = Config(sys_sensors=str(tmp_path / "host"))
    assert TemperaturesCollector.probe(paths, config).collect(0.0).temperatures == {"host": 30.0}
    assert FansCollector.probe(paths, config).collect(0.0).fans == {"host_fan1": 700}
    assert TemperaturesCollector.probe(paths, Config()).collect(0.0).temperatures == {"container": 30.0}


def test_a_primary_sensor_that_is_not_there_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_chip(tmp_path, "acpitz")
    with caplog.at_level(logging.WARNING):
        TemperaturesCollector.probe(HostPaths(sys=str(tmp_path), keep_open=False), Config(primary_sensor="cpu"))
    assert caplog.messages == ["PRIMARY_SENSOR cpu is none of: acpitz"]


def test_the_setting_is_the_time_out(tmp_path: Path) -> None:
    make_chip(tmp_path, "acpitz")
    run = ProbedRun(TemperaturesCollector, HostPaths(sys=str(tmp_path)), Config(sensors_timeout=7.0))
    run.read(0.0)
    assert isinstance(run._run, ThreadedRun)
    assert run._run._timeout_seconds == 7.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("41250", 41.2),
        ("199900", 199.9),
        ("200000", None),
        ("-39900", -39.9),
        ("-40000", None),
        ("0", None),
        ("45", 45.0),  # a driver that forgot the thousandths
        ("9", 0.0),
        ("", None),
        ("45.5", None),
        ("9" * 400, None),
    ],
)
def test_temperature(text: str, expected: float | None) -> None:
    assert parse_temperature(text) == expected


def test_sensors_that_are_called_the_same_in_every_way_are_still_told_apart() -> None:
    same = [Sensor("chip", "dev", f"/{number}/temp1_input") for number in range(4)]
    assert list(SensorNames().name(same)) == ["chip", "chip_temp1", "chip_dev_temp1", "chip_dev_temp1_2"]


def test_names_of_what_is_gone_are_not_kept_for_ever() -> None:
    names = SensorNames()
    for number in range(3 * MAX_SENSORS):
        names.name([Sensor("chip", f"dev{number}", "/temp1_input")])
    assert len(names.__dict__["_owners"]) <= MAX_SENSORS + 1
