"""Control groups of services, as the kernel lays them out."""

from pathlib import Path

from beszel_agent.services.cgroups import GroupUsage, find_groups, read_usage
from tests.support.fakesystemd import host_below


def make_group(root: Path, path: str, **files: str) -> Path:
    group = root / "sys" / "fs" / "cgroup" / path
    group.mkdir(parents=True)
    for name, text in files.items():
        (group / name.replace("_", ".", 1)).write_text(text)
    return group


def test_services_are_found_in_slices_and_pods_are_passed_by(tmp_path: Path) -> None:
    for path in (
        "system.slice/a.service",
        r"system.slice/system-fsck.slice/fsck@x\x2dy.service",
        "user.slice/user-1000.slice/user@1000.service/app.slice/inner.service",
        "kubepods.slice/kubepods-pod1.slice/never.service",
        "init.scope",
    ):
        make_group(tmp_path, path)
    assert set(find_groups(host_below(tmp_path))) == {"a.service", r"fsck@x\x2dy.service", "user@1000.service"}


def test_without_control_groups_there_are_none(tmp_path: Path) -> None:
    assert find_groups(host_below(tmp_path)) == {}


def test_what_is_not_there_or_no_number_is_not_told(tmp_path: Path) -> None:
    make_group(tmp_path, "a.service", cpu_stat="usage_usec 12\n", memory_current="4096\n", memory_peak="8192\n")
    make_group(tmp_path, "b.service", cpu_stat="usage_usec x\n", memory_current="max\n")
    make_group(tmp_path, "c.service")
    found = find_groups(host_below(tmp_path))
    assert read_usage(found["a.service"]) == GroupUsage(12, 4096, 8192)
    assert read_usage(found["b.service"]) == read_usage(found["c.service"]) == GroupUsage(None, None, None)


def test_on_a_host_of_version_1(tmp_path: Path) -> None:
    """Everything is in systemd's own tree, and in that of a controller what systemd keeps account of."""
    path = "system.slice/web.service"
    for name in ("web.service", "bare.service"):
        make_group(tmp_path, f"systemd/system.slice/{name}")
    cpu = make_group(tmp_path, f"cpu,cpuacct/{path}")
    (cpu / "cpuacct.usage").write_text("12345678\n")
    (cpu / "cpu.stat").write_text("nr_periods 0\nnr_throttled 0\nthrottled_time 0\n")
    memory = make_group(tmp_path, f"memory/{path}")
    (memory / "memory.usage_in_bytes").write_text("4096\n")
    (memory / "memory.max_usage_in_bytes").write_text("8192\n")
    found = find_groups(host_below(tmp_path))
    assert read_usage(found["web.service"]) == GroupUsage(12345, 4096, 8192)
    assert read_usage(found["bare.service"]) == GroupUsage(None, None, None)
    restarted = make_group(tmp_path, "systemd/system.slice/again.service")
    assert find_groups(host_below(tmp_path))["again.service"].inode == restarted.stat().st_ino


def test_on_a_hybrid_host(tmp_path: Path) -> None:
    """Version 2 tells processor time of every service, version 1 has the memory."""
    path = "system.slice/web.service"
    (tmp_path / "sys" / "fs" / "cgroup" / "unified").mkdir(parents=True)
    (tmp_path / "sys" / "fs" / "cgroup" / "unified" / "cgroup.controllers").write_text("")
    make_group(tmp_path, f"systemd/{path}")
    make_group(tmp_path, f"unified/{path}", cpu_stat="usage_usec 77\nuser_usec 7\n")
    (make_group(tmp_path, f"cpu,cpuacct/{path}") / "cpuacct.usage").write_text("99000\n")
    (make_group(tmp_path, f"memory/{path}") / "memory.usage_in_bytes").write_text("4096\n")
    group = find_groups(host_below(tmp_path))["web.service"]
    assert read_usage(group) == GroupUsage(77, 4096, None)
    (tmp_path / "sys" / "fs" / "cgroup" / "unified" / path / "cpu.stat").unlink()  # of kernels before 4.15
    assert read_usage(group) == GroupUsage(99, 4096, None)
