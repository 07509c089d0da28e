"""Which readers of GPUs are used, and that one of them costs nobody else."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from beszel_agent.collectors.gpus import GpusCollector
from beszel_agent.config import GPU_READERS, GPU_TOOLS, Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.gpu.choice import READERS, choose_readers
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import GpuMetrics
from tests.support.programs import wait_until


def test_the_settings_and_the_readers_agree() -> None:
    assert {reader.name for reader in READERS} == set(GPU_READERS)
    assert set(GPU_TOOLS.values()) <= {*GPU_READERS, ""}


@pytest.mark.parametrize(
    ("names", "expected", "said"),
    [
        (None, set(GPU_READERS), []),
        ((), set(GPU_READERS), []),
        (("nvml",), {"nvml"}, []),
        (("nvml", "jetson"), {"nvml", "jetson"}, []),
        (("nvidia-smi",), {"nvml"}, ["GPU_COLLECTOR: this agent starts no nvidia-smi; nvml is used instead"]),
        (("nvtop",), set(GPU_READERS), ["GPU_COLLECTOR: this agent starts no nvtop"]),
    ],
)
def test_choice(
    names: tuple[str, ...] | None, expected: set[str], said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    choose_readers.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert {reader.name for reader in choose_readers(names)} == expected
    assert caplog.messages == said


class Scripted:
    """A reader that does what it was told."""

    def __init__(self, name: str, read: Callable[[], dict[str, GpuMetrics]]) -> None:
        self.name, self._read = name, read

    def read(self, now: float) -> dict[str, GpuMetrics]:
        return self._read()


def raise_failure() -> dict[str, GpuMetrics]:
    raise ReadingFailed("the driver is gone")


def make_collector(tmp_path: Path, *readers: Scripted) -> GpusCollector:
    collector = GpusCollector(HostPaths(sys=str(tmp_path)), ("jetson",))
    collector._readers = {reader.name: reader for reader in readers}  # type: ignore[misc]
    return collector


def test_a_reader_that_fails_costs_only_its_own(tmp_path: Path) -> None:
    works = Scripted("works", lambda: {"0": GpuMetrics(usage_percent=1.0)})
    collector = make_collector(tmp_path, Scripted("fails", raise_failure), works)
    assert collector.collect(0.0).gpus == {"0": GpuMetrics(usage_percent=1.0)}
    with pytest.raises(ReadingFailed, match="the driver is gone"):
        make_collector(tmp_path, Scripted("fails", raise_failure)).collect(0.0)


def test_a_reader_that_hangs_is_passed_by(tmp_path: Path) -> None:
    released = threading.Event()

    def hang() -> dict[str, GpuMetrics]:
        released.wait(20)
        return {}

    works = Scripted("works", lambda: {"0": GpuMetrics(usage_percent=1.0)})
    collector = make_collector(tmp_path, Scripted("hangs", hang), works)
    stuck = threading.Thread(target=collector.collect, args=(0.0,))
    stuck.start()
    wait_until("it hangs", lambda: "hangs" in collector._asked)
    assert collector.collect(3.0).gpus == {"0": GpuMetrics(usage_percent=1.0)}
    released.set()
    stuck.join(10)


def test_what_is_named_and_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "class/devfreq/dmc").mkdir(parents=True)
    with pytest.raises(Unavailable, match="no GPU of a Jetson board"):
        GpusCollector.probe(HostPaths(sys=str(tmp_path)), Config(gpu_collector=("jetson",)))
