"""A sensor that hangs or dawdles: a FIFO is a file whose opening waits until somebody writes."""

import logging
import os
import threading
from pathlib import Path

import pytest

from beszel_agent.collectors.temperatures import TemperaturesCollector
from beszel_agent.config import Config
from beszel_agent.device_files import DeviceFiles, parse_integer
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ThreadedRun
from tests.support.programs import wait_until


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "temp1_input"
    os.mkfifo(path)
    return path


def answer(fifo: Path) -> None:
    """Let whoever opens it go on, to find that a FIFO cannot be read like a file."""
    os.close(os.open(fifo, os.O_WRONLY))


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" 42000\n")
    files = DeviceFiles(1.0)
    assert files.read(str(tmp_path / "a")) == "42000"
    assert files.read(str(tmp_path / "b")) is None
    assert files.read(str(tmp_path)) is None


def test_one_that_hangs_is_passed_by_and_named_once(fifo: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = DeviceFiles(5.0)
    read: list[str | None] = []
    stuck = threading.Thread(target=lambda: read.append(files.read(str(fifo))))
    stuck.start()
    wait_until("it hangs", lambda: str(fifo) in files._asked)
    with caplog.at_level(logging.WARNING):
        assert [files.read(str(fifo)) for _ in range(3)] == [None] * 3
    assert files.shortfall() == f"no answer from {fifo}"
    assert [record.getMessage() for record in caplog.records] == [f"{fifo} does not answer and is passed by"]
    answer(fifo)
    stuck.join(10)
    assert read == [None]
    assert files.shortfall() is None


def test_one_that_took_too_long_is_left_alone(fifo: Path) -> None:
    """Or each reading of all sensors would be lost to its slowness."""
    files = DeviceFiles(0.0)
    writer = threading.Thread(target=answer, args=(fifo,))
    writer.start()
    files.read(str(fifo))
    writer.join(10)
    assert files.read(str(fifo)) is None  # at once, though it would hang now


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-12", -12),
        (str(2**63 - 1), 2**63 - 1),
        ("9" * 400, None),
        ("", None),
        ("1.5", None),
        ("x", None),
        (None, None),
    ],
)
def test_integers(text: str | None, expected: int | None) -> None:
    assert parse_integer(text) == expected


def make_host(root: Path) -> HostPaths:
    for number, name in enumerate(("acpitz", "broken", "nvme")):
        chip = root / f"sys/class/hwmon/hwmon{number}"
        chip.mkdir(parents=True)
        (chip / "name").write_text(name)
        (chip / "temp1_input").write_text("30000")
    (root / "sys/class/hwmon/hwmon1/temp1_input").unlink()
    os.mkfifo(root / "sys/class/hwmon/hwmon1/temp1_input")
    return HostPaths(sys=str(root / "sys"), keep_open=False)


def test_a_hanging_sensor_blocks_neither_the_sample_nor_the_other_sensors(tmp_path: Path) -> None:
    collector = TemperaturesCollector.probe(make_host(tmp_path), Config(sensors_timeout=2.0))
    assert isinstance(collector, TemperaturesCollector)
    run = ThreadedRun(collector, timeout_seconds=collector.timeout_seconds)
    fifo = tmp_path / "sys/class/hwmon/hwmon1/temp1_input"
    assert run.read(0.0) is None
    wait_until("it hangs", lambda: str(fifo) in collector._bank.files._asked)
    assert run.read(3.0) is None  # given up
    assert run.report().reason == "1 of its readings never came back"
    run.read(5.0)

    def temperatures() -> dict[str, float] | None:
        part = run.read(6.0)
        return part.temperatures if part is not None else None

    assert wait_until("the others", temperatures) == {"acpitz": 30.0, "nvme": 30.0}
    answer(fifo)
    wait_until("the thread ends", lambda: not any(thread.name == "temperatures" for thread in threading.enumerate()))
