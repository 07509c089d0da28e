"""Services, disks, checks and processes of the demonstration."""

from typing import Final

from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import (
    CheckMetrics,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from beszel_protocol.storage import ArrayMetrics, PoolMetrics, SmartMetrics
from beszel_tui.state.demo_hosts import Host
from beszel_tui.state.waves import hash_share, hash_text, wave

_MIB: Final = 1 << 20
_TERABYTE: Final = 10**12
_BASE_UNITS: Final = (
    "ssh", "cron", "dbus", "systemd-journald", "systemd-logind", "systemd-networkd", "systemd-resolved",
    "systemd-timesyncd", "systemd-udevd", "beszel-agent", "chrony", "unattended-upgrades", "rsyslog", "polkit",
    "getty@tty1", "smartmontools", "fail2ban", "nftables", "containerd", "docker", "node-exporter", "postfix",
)  # fmt: skip
_UNITS_OF_TAGS: Final = {
    "web": ("nginx", "php8.4-fpm"), "db": ("postgresql@17-main", "pgbouncer"), "edge": ("haproxy", "varnish"),
    "ci": ("gitlab-runner",), "storage": ("smbd", "nfs-server", "zfs-zed", "restic-prune"), "home": ("avahi-daemon",),
    "tools": ("gitea",), "lab": ("jupyterhub",),
}  # fmt: skip
_PROCESSES: Final = (
    ("systemd", "root", "init.scope", 0.1, 14), ("systemd-journald", "root", "systemd-journald.service", 0.4, 61),
    ("sshd", "root", "ssh.service", 0.0, 9), ("beszel-agent", "beszel", "beszel-agent.service", 0.3, 34),
    ("dockerd", "root", "docker.service", 0.8, 96), ("containerd", "root", "containerd.service", 0.5, 58),
    ("cron", "root", "cron.service", 0.0, 4), ("chronyd", "_chrony", "chrony.service", 0.0, 6),
    ("node_exporter", "prom", "node-exporter.service", 0.2, 22), ("bash", "ada", "session-4.scope", 0.0, 6),
    ("htop", "ada", "session-4.scope", 0.6, 8),
    ("systemd-resolved", "systemd-resolve", "systemd-resolved.service", 0.1, 13),
)  # fmt: skip
_STARTED_BY: Final = {"bash": "sshd", "htop": "bash"}
_WORKERS: Final = {
    "web": ("nginx", "www-data", "nginx.service"), "db": ("postgres", "postgres", "postgresql@17-main.service"),
    "edge": ("haproxy", "haproxy", "haproxy.service"), "ci": ("cc1plus", "gitlab-runner", "gitlab-runner.service"),
    "storage": ("smbd", "root", "smbd.service"),
}  # fmt: skip
_KERNEL_THREADS: Final = (
    "[kthreadd]", "[kworker/0:1-events]", "[ksoftirqd/0]", "[rcu_preempt]", "[jbd2/nvme0n1p2-]", "[kswapd0]",
)  # fmt: skip


def demo_things(host: Host, services: int, at_ms: int) -> Metrics:
    """What is told seldom: services, disks, checks."""
    return Metrics(
        services=ServiceMetrics(total=services, failed=host.failed, units=_units(host, services, at_ms)),
        smart=_disks(host),
        arrays=_arrays(host),
        pools=_pools(host),
        checks=_checks(host, at_ms),
    )


def demo_process_list(host: Host, at_ms: int) -> ProcessList:
    processes = [
        ProcessMetrics(
            pid=_pid(number), parent=_parent(name), name=name, user=user, unit=unit,
            cpu_percent=cpu * wave(f"{host.name}{name}", at_ms, 30), memory_bytes=memory * _MIB,
            read_bytes_per_second=0.0, write_bytes_per_second=2048.0 * cpu,
        )
        for number, (name, user, unit, cpu, memory) in enumerate(_PROCESSES)
    ]  # fmt: skip
    processes += [
        ProcessMetrics(pid=2 + number, parent=2 if number else None, name=name, user="root", cpu_percent=0.02 * number)
        for number, name in enumerate(_KERNEL_THREADS)
    ]
    processes += _workers(host, at_ms)
    zombies = 1 if host.failed else None
    counts = ProcessCounts(
        total=len(processes) - len(_KERNEL_THREADS), threads=len(processes) * 6, kernel_threads=180, zombies=zombies
    )
    return ProcessList(counts=counts, processes=processes)


def _pid(number: int) -> int:
    return 1 + 37 * number


def _parent(name: str) -> int | None:
    """Everything is started by the first process, but what somebody does who has logged in."""
    names = [process[0] for process in _PROCESSES]
    starter = _STARTED_BY.get(name, names[0])
    return None if name == names[0] else _pid(names.index(starter))


def _workers(host: Host, at_ms: int) -> list[ProcessMetrics]:
    """What keeps the processors busy."""
    name, user, unit = next((_WORKERS[tag] for tag in host.tags if tag in _WORKERS), ("python3", "app", "app.service"))
    count = 2 * host.cores
    shares = [0.2 + wave(f"{host.name}{number}", at_ms, 25) for number in range(count)]
    return [
        ProcessMetrics(
            pid=4100 + 13 * number,
            parent=4100 if number else 1,
            name=name,
            user=user,
            unit=unit,
            cpu_percent=host.cpu * share / sum(shares) * 0.9,
            memory_bytes=int(host.memory_gib * (1 << 30) * host.memory / 100 / count * 0.7 * (0.6 + share / 2)),
            read_bytes_per_second=host.traffic / count * share,
            write_bytes_per_second=host.traffic / count * share * 0.6,
        )
        for number, share in enumerate(shares)
    ]


def _units(host: Host, count: int, at_ms: int) -> dict[str, ServiceUnitMetrics]:
    names = [name for tag in host.tags for name in _UNITS_OF_TAGS.get(tag, ())] + list(_BASE_UNITS)
    names += [f"app-worker@{number}" for number in range(1, max(0, count - len(names)) + 1)]
    return {name: _unit(host, name, index, at_ms) for index, name in enumerate(dict.fromkeys(names[:count]))}


def _unit(host: Host, name: str, index: int, at_ms: int) -> ServiceUnitMetrics:
    if index < host.failed:
        return ServiceUnitMetrics(state="failed", sub_state="failed", restarts=5)
    if name in {"unattended-upgrades", "restic-prune"}:
        return ServiceUnitMetrics(state="inactive", sub_state="dead", restarts=0)
    memory = int((8 + 400 * hash_share(host.name + name) ** 3) * _MIB)
    return ServiceUnitMetrics(
        state="active",
        sub_state="running",
        cpu_percent=host.cpu * hash_share(name + host.name) ** 4 * wave(host.name + name, at_ms, 40),
        memory_bytes=memory,
        memory_peak_bytes=int(memory * (1.1 + hash_share(name))),
        restarts=0,
    )


def _disks(host: Host) -> dict[str, SmartMetrics] | None:
    if host.celsius is None:
        return None
    if host.name.endswith("-pi"):
        return {"0x1c2e88f0": SmartMetrics(device="mmcblk0", model="SD64G", type="emmc", severity=0, wear_percent=20.0)}
    disks = {_serial(host, 0): _nvme(host, 0)}
    if "db" in host.tags or "storage" in host.tags:
        disks |= {_serial(host, number): _spinning(host, number) for number in range(1, 5)}
    return disks


def _nvme(host: Host, number: int) -> SmartMetrics:
    wear = round(60 * hash_share(host.name + "wear"))
    return SmartMetrics(
        device=f"nvme{number}n1", model="Samsung PM9A3 960GB", type="nvme", severity=0, state="passed",
        total_bytes=960 * 10**9, temperature_celsius=(host.celsius or 40) * 0.8, wear_percent=wear,
        spare_percent=100.0, power_on_hours=200 + host.days_up * 40, power_cycles=14, uncorrected_errors=0,
        bytes_read=wear * 9 * _TERABYTE, bytes_written=wear * 6 * _TERABYTE,
    )  # fmt: skip


def _spinning(host: Host, number: int) -> SmartMetrics:
    is_worn = host.failed > 0 and number == 2
    return SmartMetrics(
        device=f"sd{'abcd'[number - 1]}", model="Seagate Exos X18 16TB", type="ata", severity=1 if is_worn else 0,
        state="sectors wait to be reallocated" if is_worn else "passed", total_bytes=16 * _TERABYTE,
        temperature_celsius=33.0 + number, power_on_hours=18_400 + 90 * number, power_cycles=31,
        reallocated_sectors=48 if is_worn else 0, pending_sectors=8 if is_worn else 0, uncorrected_errors=0,
    )  # fmt: skip


def _arrays(host: Host) -> dict[str, ArrayMetrics] | None:
    if "db" not in host.tags or host.celsius is None:
        return None
    if host.failed:
        return {
            "md0": ArrayMetrics(
                severity=1, state="recovering", level="raid10", total_bytes=32 * _TERABYTE, members=4,
                members_missing=1, spares=0, sync_percent=61.4, sync_bytes_per_second=148e6, mismatches=0,
            )
        }  # fmt: skip
    return {
        "md0": ArrayMetrics(
            severity=0, state="active", level="raid10", total_bytes=32 * _TERABYTE, members=4, members_missing=0,
            mismatches=0,
        )
    }  # fmt: skip


def _pools(host: Host) -> dict[str, PoolMetrics] | None:
    if "storage" not in host.tags:
        return None
    total = 48 * _TERABYTE
    return {
        "tank": PoolMetrics(
            severity=1 if host.failed else 0, state="degraded" if host.failed else "online", type="zfs",
            total_bytes=total, used_bytes=int(total * host.disk / 100), usage_percent=host.disk, devices=4,
            devices_missing=1 if host.failed else 0, errors=3 if host.failed else 0,
        )
    }  # fmt: skip


def _checks(host: Host, at_ms: int) -> dict[str, CheckMetrics] | None:
    """Made from the machines at the edge, which see what customers see."""
    if not host.name.startswith(("edge", "bastion")):
        return None

    def latency(name: str) -> float:
        return 4 + 60 * hash_share(name) + 8 * wave(host.name + name, at_ms, 40)

    return {
        "shop": CheckMetrics(
            severity=0, up=1, latency_ms=latency("shop"), status_code=200, certificate_expires_seconds=61 * 86_400.0
        ),
        "api": CheckMetrics(
            severity=1, state="the certificate ends in 9 days", up=1, latency_ms=latency("api"), status_code=200,
            certificate_expires_seconds=9 * 86_400.0,
        ),
        "mail (tcp 25)": CheckMetrics(severity=0, up=1, latency_ms=latency("mail")),
        "old-shop": CheckMetrics(severity=2, state="status 503 instead of 200", up=0, status_code=503),
        "gateway (ping)": CheckMetrics(severity=0, up=1, latency_ms=0.7 + wave("gateway", at_ms, 30)),
    }  # fmt: skip


def _serial(host: Host, number: int) -> str:
    return f"S{hash_text(host.name + str(number))[:9].upper()}"
