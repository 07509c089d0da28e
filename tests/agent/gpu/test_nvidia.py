"""NVIDIA GPUs: NVIDIA's own bindings over a stand-in for the driver's library."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from beszel_agent.gpu.nvidia import parse_runtime_power
from tests.support.nvml import SLOT, NvmlHost

BUSY = {
    "there": 1, "gpu": 87, "encoder": 12, "decoder": 0, "total": 12878610432, "used": 6000000000,
    "used_with_reserved": 6300000000, "milliwatts": 145230, "celsius": 67, "compute_pid0": 4242,
    "compute_used0": 5000000000, "graphics_pid0": 4242, "graphics_used0": 5000000000, "graphics_pid1": 77,
    "graphics_used1": 900000000,
}  # fmt: skip
IDLE = {"there": 1, "gpu": 0, "total": 12878610432, "used": 1000000, "milliwatts": 8000, "celsius": 40}
POWER = f"sys/bus/pci/devices/{SLOT}/power"
MAY_SLEEP = {
    f"{POWER}/control": "auto",
    f"proc/driver/nvidia/gpus/{SLOT}/power": "Runtime D3 status:          Enabled (fine-grained)\nVideo Memory: Active",
}


@pytest.fixture
def host(tmp_path: Path) -> NvmlHost:
    return NvmlHost(tmp_path)


def only(played: Any) -> Any:
    (gpu,) = played["gpus"].values()
    return gpu


def test_everything_the_library_tells(host: NvmlHost) -> None:
    (played,) = host.play({"now": 0.0, "scene": BUSY})
    assert played == {
        "gpus": {
            "01:00.0": {
                "name": "NVIDIA GeForce RTX 4070",
                "usage_percent": 87.0,
                "memory_used_bytes": 6000000000,
                "memory_total_bytes": 12878610432,
                "power_watts": 145.23,
                "temperature_celsius": 67.0,
                "engines_percent": {"encoder": 12.0, "decoder": 0.0},
                "processes": [
                    {"pid": 4242, "name": "python3", "memory_bytes": 5000000000},
                    {"pid": 77, "memory_bytes": 900000000},
                ],
            }
        }
    }


def test_what_a_gpu_does_not_tell_is_absent(host: NvmlHost) -> None:
    (played,) = host.play({"now": 0.0, "scene": {"there": 1, "celsius": 30}})
    assert only(played) == {"name": "NVIDIA GeForce RTX 4070", "temperature_celsius": 30.0}


def test_a_process_whose_memory_is_not_told_is_told_without(host: NvmlHost) -> None:
    (played,) = host.play({"now": 0.0, "scene": {"there": 1, "compute_pid0": 4242}})
    assert only(played)["processes"] == [{"pid": 4242, "name": "python3"}]


def test_an_old_driver_lists_processes_the_old_way(tmp_path: Path) -> None:
    (played,) = NvmlHost(tmp_path, "-DOLD_DRIVER").play({"now": 0.0, "scene": BUSY})
    assert [process["pid"] for process in only(played)["processes"]] == [4242, 77]


def test_opening_the_library_attaches_to_no_gpu(host: NvmlHost) -> None:
    host.play({"now": 0.0, "scene": BUSY}, {"now": 3.0})
    assert host.calls() == ["init 2", f"handle {SLOT}", f"handle {SLOT}"]


def test_a_gpu_that_sleeps_is_not_woken(host: NvmlHost) -> None:
    host.write({**MAY_SLEEP, f"{POWER}/runtime_status": "suspended"})
    played = host.play({"now": 0.0, "scene": BUSY}, {"now": 3.0})
    assert [only(step) for step in played] == [{"state": "suspended", "usage_percent": 0.0}] * 2
    assert host.calls() == []


def test_a_gpu_with_nothing_to_do_is_left_alone_until_it_sleeps(host: NvmlHost) -> None:
    """The library would keep it awake, so the library is given back too."""
    played = host.play(
        {"now": 0.0, "scene": IDLE, "files": MAY_SLEEP},
        {"now": 3.0},
        {"now": 30.0, "files": {f"{POWER}/runtime_status": "suspended"}},
        {"now": 120.0, "files": {f"{POWER}/runtime_status": "active"}, "scene": BUSY},
        {"now": 123.0},
    )
    states = [(only(step).get("state"), only(step).get("usage_percent")) for step in played]
    assert states == [(None, 0.0), ("idle", None), ("suspended", 0.0), (None, 87.0), (None, 87.0)]
    handle = f"handle {SLOT}"
    assert host.calls() == ["init 2", handle, "shutdown", "init 2", handle, handle]


def test_a_gpu_that_cannot_sleep_is_read_every_time(host: NvmlHost) -> None:
    status = f"proc/driver/nvidia/gpus/{SLOT}/power"
    host.write({**MAY_SLEEP, status: "Runtime D3 status:          Not supported"})
    played = host.play({"now": 0.0, "scene": IDLE}, {"now": 3.0}, {"now": 6.0})
    assert [only(step)["power_watts"] for step in played] == [8.0] * 3


def test_a_gpu_that_fell_off_the_bus_fails_and_is_tried_again_later(host: NvmlHost) -> None:
    played = host.play(
        {"now": 0.0, "scene": BUSY},
        {"now": 3.0, "scene": {}},
        {"now": 6.0},
        {"now": 70.0, "scene": BUSY},
    )
    assert [sorted(step) for step in played] == [["gpus"], ["fails"], ["fails"], ["gpus"]]
    assert played[1] == {"fails": "NVML: Not Found"}
    handle = f"handle {SLOT}"
    assert host.calls() == ["init 2", handle, handle, "shutdown", "init 2", handle], "nobody asks while it rests"


def test_a_library_that_does_not_open_is_a_failure_with_its_reason(host: NvmlHost) -> None:
    played = host.play({"now": 0.0, "scene": {"init": 18}}, {"now": 3.0})
    assert played[0]["fails"].startswith("NVML: ")
    assert host.calls() == ["init 2"]


def test_a_gpu_without_the_driver_is_said(host: NvmlHost) -> None:
    (host.root / "proc/driver/nvidia/version").unlink()
    host.write({"sys/class/drm/card0/device/uevent": "DRIVER=nouveau"})
    (reason,) = host.play({"now": 0.0})
    assert "an NVIDIA GPU without NVIDIA's driver" in reason


def test_without_the_bindings_it_says_what_to_install(host: NvmlHost) -> None:
    code = (
        "import sys; sys.modules['pynvml'] = None\n"
        "from pathlib import Path; import os; os.environ['STANDIN_SCENE'] = 'x'\n"
        "from tests.support.nvml import play_here\n"
        "print(play_here(Path(sys.argv[1]), []))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, str(host.root)], capture_output=True, text=True, timeout=30, check=True
    )
    assert "pip install 'beszel-suite[gpu]'" in finished.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Runtime D3 status:          Enabled (fine-grained)", True),
        ("Runtime D3 status:          Enabled (coarse-grained)\nVideo Memory:               Off", True),
        ("Runtime D3 status:          ?", True),
        ("Runtime D3 status:          Disabled by default", False),
        ("Runtime D3 status:          Not supported", False),
        ("", False),
    ],
)
def test_whether_a_gpu_may_sleep(text: str, expected: bool) -> None:
    assert parse_runtime_power(text) is expected
