"""What does not change while a host runs: names, kernel, processors, memory."""

import os
import socket
import time
from typing import Final, NamedTuple

from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.details import HostDetails
from beszel_protocol.version import VERSION

_MODEL_FIELDS: Final = ("model name", "cpu model", "Model", "Hardware", "system type", "cpu")
"""Where `/proc/cpuinfo` names the processor: x86, MIPS, Raspberry Pi, older ARM, older MIPS, PowerPC; first wins."""

_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux has the former, macOS and the BSDs the latter, which there counts a host's sleep too."""


class Processors(NamedTuple):
    model: str | None
    cores: int | None
    threads: int | None


class Boot(NamedTuple):
    """One run of the host's kernel."""

    id: str
    ms: int
    """Since it started, with the time that the host slept."""


def read_details(paths: HostPaths) -> HostDetails:
    if not paths.is_linux:
        from beszel_agent import host_psutil  # noqa: PLC0415 - for the systems that need it

        return host_psutil.read_details(paths)
    kernel = os.uname()
    processors = parse_cpuinfo(read_text_or_none(paths.proc("cpuinfo")) or "")
    return HostDetails(
        hostname=read_hostname(paths),
        os=kernel.sysname.lower(),
        os_name=parse_os_release(read_text_or_none(paths.etc("os-release")) or ""),
        kernel=read_text_or_none(paths.proc("sys/kernel/osrelease")) or kernel.release,
        architecture=kernel.machine,
        cpu_model=processors.model,
        cores=processors.cores,
        threads=processors.threads,
        memory_total_bytes=_parse_memory_total(read_text_or_none(paths.proc("meminfo")) or ""),
        agent_version=VERSION,
    )


def read_hostname(paths: HostPaths) -> str:
    named = read_text_or_none(paths.proc("sys/kernel/hostname")) if paths.is_linux else None
    return named or socket.gethostname()


def read_cpu_model(paths: HostPaths) -> str | None:
    if not paths.is_linux:
        from beszel_agent import host_psutil  # noqa: PLC0415

        return host_psutil.read_cpu_model(paths.system)
    return parse_cpuinfo(read_text_or_none(paths.proc("cpuinfo")) or "").model


def read_host_id(paths: HostPaths) -> str | None:
    """Of the machine where the agent may read it, else of the installation, else of this boot."""
    if not paths.is_linux:
        from beszel_agent import host_psutil  # noqa: PLC0415

        return host_psutil.read_host_id(paths.system)
    uuid = read_text_or_none(paths.sys("class/dmi/id/product_uuid"))
    if uuid:
        return uuid.splitlines()[0].strip().lower()
    machine_id = read_text_or_none(paths.etc("machine-id"))
    if machine_id and len(machine_id) == 32:
        parts = machine_id[:8], machine_id[8:12], machine_id[12:16], machine_id[16:20], machine_id[20:]
        return "-".join(parts).lower()
    boot_id = read_text_or_none(paths.proc("sys/kernel/random/boot_id"))
    return boot_id.lower() if boot_id else None


def read_boot(paths: HostPaths) -> Boot:
    if not paths.is_linux:
        from beszel_agent import host_psutil  # noqa: PLC0415

        return Boot(host_psutil.read_boot_id(paths.system), boot_ms())
    return Boot(read_text_or_none(paths.proc("sys/kernel/random/boot_id")) or "", boot_ms())


def boot_ms() -> int:
    # Windows has neither clock; its monotonic one counts from the start of the system.
    elapsed_ns = time.monotonic_ns() if _BOOT_CLOCK is None else time.clock_gettime_ns(_BOOT_CLOCK)
    return elapsed_ns // 1_000_000


def online_processors(paths: HostPaths) -> int:
    """How many logical processors share the work of the host, at least 1."""
    text = read_text_or_none(paths.sys("devices/system/cpu/online")) if paths.is_linux else None
    try:
        return max(1, count_listed(text)) if text else os.cpu_count() or 1
    except ValueError:
        return os.cpu_count() or 1


def count_listed(text: str) -> int:
    """How many numbers the kernel's list `0-3,8` names."""
    count = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count


def parse_os_release(text: str) -> str | None:
    """`PRETTY_NAME` of os-release(5)."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "PRETTY_NAME":
            return value.strip().strip("\"'") or None
    return None


def parse_cpuinfo(text: str) -> Processors:
    """Threads are logical processors; cores are counted where the kernel tells them apart."""
    found: dict[str, str] = {}
    cores: set[tuple[str, str]] = set()
    threads = 0
    package = ""
    for line in text.splitlines():
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        threads += name == "processor" and value.isdigit()
        if name == "physical id":
            package = value
        elif name == "core id":
            cores.add((package, value))
        found.setdefault(name, value)
    model = next((found[name] for name in _MODEL_FIELDS if found.get(name)), None)
    return Processors(model, len(cores) or threads or None, threads or None)


def _parse_memory_total(text: str) -> int | None:
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["MemTotal:"] and len(words) > 1 and words[1].isdigit():
            return int(words[1]) << 10
    return None
