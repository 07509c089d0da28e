"""Who uses a GPU and how much, also as a user who may not look at everybody's files."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.collectors.gpus import GpusCollector
from beszel_agent.config import Config
from beszel_agent.gpu.clients import Busy, Client, DrmClients, Look, engine_shares, parse_fdinfo
from beszel_agent.gpu.intel import IntelReader
from beszel_agent.paths import HostPaths
from tests.support.nvml import write_files

SLOT = "0000:00:02.0"


def look(*engines: dict[str, Busy], is_complete: bool = True) -> Look:
    found = {(SLOT, str(number)): Client(number, engine, None) for number, engine in enumerate(engines)}
    return Look(found, is_complete)


def ns(spent: int, capacity: int = 1) -> Busy:
    return Busy(spent, None, capacity)


@pytest.mark.parametrize(
    ("before", "after", "by_engine", "highest"),
    [
        (look({"render": ns(0)}), look({"render": ns(10**9)}), {"render": 50.0}, 50.0),
        (look({"render": ns(0)}, {"render": ns(0)}), look({"render": ns(10**9)}, {"render": ns(5 * 10**8)}),
         {"render": 75.0}, 75.0),
        (look({"video": ns(0, 2)}), look({"video": ns(4 * 10**9, 2)}), {"video": 100.0}, 100.0),
        (look({"render": ns(0)}), look({"render": ns(9 * 10**9)}), {"render": 100.0}, 100.0),
        (look({"render": ns(7)}), look({"render": ns(5)}), {}, None),
        (look({"render": ns(7), "copy": ns(0)}), look({"copy": ns(0)}), {"copy": 0.0}, None),
        (look(), look({"render": ns(10**9)}), {}, None),
        (look({"render": ns(0)}), look(), {}, None),
        (look({"render": Busy(0, 0, 1)}), look({"render": Busy(300, 1000, 1)}), {"render": 30.0}, 30.0),
        (look({"render": Busy(0, 5, 1)}), look({"render": Busy(300, 5, 1)}), {}, None),
    ],
)  # fmt: skip
def test_shares(before: Look, after: Look, by_engine: dict[str, float], highest: float | None) -> None:
    assert engine_shares(SLOT, before, after, 2.0) == (by_engine, highest)


def test_shares_of_another_gpu_are_not_of_this_one() -> None:
    before, after = look({"render": ns(0)}), look({"render": ns(10**9)})
    assert engine_shares("0000:01:00.0", before, after, 2.0) == ({}, None)


def test_without_time_there_is_no_share() -> None:
    assert engine_shares(SLOT, look({"render": ns(0)}), look({"render": ns(1)}), 0.0) == ({}, None)


@pytest.mark.parametrize("before", [True, False])
def test_what_is_only_seen_in_part_is_no_share(before: bool) -> None:
    first, second = look({"a": ns(0)}, is_complete=before), look({"a": ns(1)}, is_complete=not before)
    assert engine_shares(SLOT, first, second, 2.0) is None


@given(st.text())
def test_garbage_is_no_client(text: str) -> None:
    assert parse_fdinfo(1, text) is None
    parse_fdinfo(1, f"drm-pdev:\t{SLOT}\ndrm-client-id:\t4\ndrm-engine-render:{text}\ndrm-resident-gtt: {text}")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A GPU that was outside its idle state for a quarter of the time, and a process that used it all the time."""
    card = "sys/class/drm/card0"
    write_files(
        tmp_path,
        {
            f"{card}/device/uevent": f"DRIVER=i915\nPCI_ID=8086:46A6\nPCI_SLOT_NAME={SLOT}",
            f"{card}/gt/gt0/rc6_residency_ms": "1000",
            "proc/7/comm": "editor",
            "proc/7/fdinfo/3": fdinfo(0),
            "proc/8/comm": "other",
        },
    )
    for process in ("7", "8"):
        (tmp_path / f"proc/{process}/fd").mkdir()
    (tmp_path / "proc/7/fd/3").symlink_to("/dev/dri/renderD128")
    return tmp_path


def fdinfo(render_ns: int) -> str:
    return (
        f"drm-driver: i915\ndrm-pdev: {SLOT}\ndrm-client-id: 4\n"
        f"drm-engine-render: {render_ns} ns\ndrm-resident-system0: 64 MiB"
    )


def read_twice(host: Path) -> tuple[float | None, dict[str, float] | None]:
    """Usage and engines after two seconds, with the process of the other user in between."""
    paths = HostPaths(proc=str(host / "proc"), sys=str(host / "sys"), root=str(host))
    reader = IntelReader.probe(paths, DrmClients(paths))
    reader.read(0.0)
    write_files(host, {"proc/7/fdinfo/3": fdinfo(2 * 10**9), "sys/class/drm/card0/gt/gt0/rc6_residency_ms": "2500"})
    (gpu,) = reader.read(2.0).values()
    (process,) = gpu.processes or []
    assert (process.name, process.memory_bytes) == ("editor", 64 << 20)
    return gpu.usage_percent, gpu.engines_percent


def test_with_the_right_to_look_at_everything_usage_is_that_of_the_engines(host: Path) -> None:
    assert read_twice(host) == (100.0, {"render": 100.0})


def test_without_the_right_it_is_the_time_outside_the_idle_state(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, to whom nothing is forbidden; so the kernel's refusal is made here."""
    really = os.listdir

    def list_unless_forbidden(path: str) -> list[str]:
        if path.endswith("/8/fd"):
            raise PermissionError(13, "Permission denied", path)
        return really(path)

    monkeypatch.setattr(os, "listdir", list_unless_forbidden)
    assert read_twice(host) == (25.0, None)

    paths = HostPaths(proc=str(host / "proc"), sys=str(host / "sys"), root=str(host))
    collector = GpusCollector.probe(paths, Config())
    collector.collect(0.0)
    assert collector.shortfall() == "what other users' processes do on the GPU needs CAP_SYS_PTRACE"


def start_client(host: Path, pid: int, client_id: int) -> None:
    write_files(
        host, {f"proc/{pid}/fdinfo/3": f"drm-pdev: {SLOT}\ndrm-client-id: {client_id}\ndrm-engine-render: 1 ns"}
    )
    (host / f"proc/{pid}/fd").mkdir(exist_ok=True)
    (host / f"proc/{pid}/fd/3").symlink_to("/dev/dri/renderD128")


def test_what_was_found_is_read_every_time(host: Path) -> None:
    drm = DrmClients(HostPaths(proc=str(host / "proc")))
    for spent in range(5):
        write_files(host, {"proc/7/fdinfo/3": fdinfo(spent)})
        (client,) = drm.read(float(spent)).clients.values()
        assert client.engines["render"].spent == spent


def test_a_new_process_is_found_soon_and_an_old_one_that_begins_to_draw_later(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look at all is made to take so long that it is done every hundred seconds."""
    drm = DrmClients(HostPaths(proc=str(host / "proc")))
    seconds = iter([0.0, 0.01, *(0.02,) * 100])
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    assert ids(drm, 0.0) == {"4"}
    assert ids(drm, 10.0) == {"4"}
    start_client(host, 8, 5)
    start_client(host, 9, 6)
    assert ids(drm, 12.0) == {"4"}
    assert ids(drm, 20.0) == {"4", "6"}
    assert ids(drm, 99.0) == {"4", "6"}
    assert ids(drm, 110.0) == {"4", "5", "6"}


def ids(drm: DrmClients, now: float) -> set[str]:
    return {number for _, number in drm.read(now).clients}


def test_a_client_that_ends_is_no_failure(host: Path) -> None:
    drm = DrmClients(HostPaths(proc=str(host / "proc")))
    assert len(drm.read(0.0).clients) == 1
    os.unlink(host / "proc/7/fdinfo/3")  # noqa: PTH108 - as the kernel does
    assert drm.read(1.0) == Look({}, is_complete=True)
