"""What `pyamdgpuinfo` adds for cards of which sysfs does not tell enough; no test machine has one."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from beszel_agent.gpu.amd import AmdReader
from beszel_agent.gpu.clients import DrmClients
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import GpuMetrics
from tests.support.nvml import write_files

SLOT = "0000:03:00.0"


def library(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    module = ModuleType("pyamdgpuinfo")
    module.__dict__.update(functions)
    monkeypatch.setitem(sys.modules, "pyamdgpuinfo", module)


def raising(error: Exception) -> Any:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def gpu(query_load: Any) -> SimpleNamespace:
    return SimpleNamespace(pci_slot=SLOT, name="AMD Radeon HD 7970", query_load=query_load)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    write_files(
        tmp_path,
        {
            "sys/class/drm/card0/device/uevent": f"DRIVER=amdgpu\nPCI_ID=1002:6798\nPCI_SLOT_NAME={SLOT}",
            "sys/class/drm/card0/device/mem_info_vram_used": "1000",
        },
    )
    return tmp_path


def read(host: Path) -> GpuMetrics:
    paths = HostPaths(proc=str(host / "proc"), sys=str(host / "sys"), root=str(host))
    return AmdReader.probe(paths, DrmClients(paths)).read(0.0)["03:00.0"]


def test_usage_that_sysfs_does_not_have(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(monkeypatch, detect_gpus=lambda: 1, get_gpu=lambda _: gpu(lambda: 0.875))
    assert read(host) == GpuMetrics(name="AMD Radeon HD 7970", usage_percent=87.5, memory_used_bytes=1000)


@pytest.mark.parametrize(
    "functions",
    [
        {"detect_gpus": raising(FileNotFoundError(2, "No such file", "/dev/dri"))},
        {"detect_gpus": raising(OSError("Can't initialize AMDGPU driver"))},
        {"detect_gpus": lambda: 1, "get_gpu": raising(RuntimeError("GPU id 0 not found"))},
    ],
)
def test_a_library_that_may_open_nothing_costs_only_what_it_would_add(
    functions: dict[str, Any], host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(monkeypatch, **functions)
    assert read(host) == GpuMetrics(memory_used_bytes=1000)


def test_a_query_that_fails_is_a_gap(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(monkeypatch, detect_gpus=lambda: 1, get_gpu=lambda _: gpu(raising(RuntimeError("Unknown query failure"))))
    assert read(host).usage_percent is None


def test_without_the_library_there_is_a_gap(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyamdgpuinfo", None)
    assert read(host) == GpuMetrics(memory_used_bytes=1000)


def test_a_card_whose_sysfs_tells_everything_never_meets_the_library(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(host, {"sys/class/drm/card0/device/gpu_busy_percent": "3"})
    library(monkeypatch, detect_gpus=raising(AssertionError("it would be kept awake")))
    assert read(host).usage_percent == 3.0
