"""Static facts, of the processors of several architectures."""

import os
import platform
from pathlib import Path

import pytest

from beszel_agent.host import Processors, parse_cpuinfo, parse_os_release, read_boot, read_details
from beszel_agent.paths import HostPaths
from beszel_protocol.version import VERSION

X86 = "".join(
    f"processor\t: {n}\nmodel name\t: AMD EPYC 7B13\nphysical id\t: {n // 4}\ncore id\t\t: {n // 2 % 2}\n\n"
    for n in range(8)
)
ARM = (
    "processor\t: 0\nBogoMIPS\t: 108\n\nprocessor\t: 1\nBogoMIPS\t: 108\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
)
MIPS = "system type\t\t: MediaTek MT7621\nprocessor\t\t: 0\ncpu model\t\t: MIPS 1004Kc V2.15\n\nprocessor\t\t: 1\n"
POWER = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\n\nprocessor\t: 1\ncpu\t\t: POWER9, altivec supported\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (X86, Processors("AMD EPYC 7B13", 4, 8)),
        (ARM, Processors("Raspberry Pi 4 Model B Rev 1.4", 2, 2)),
        (MIPS, Processors("MIPS 1004Kc V2.15", 2, 2)),
        (POWER, Processors("POWER9, altivec supported", 2, 2)),
        ("", Processors(None, None, None)),
        ("noise", Processors(None, None, None)),
    ],
    ids=["x86", "arm", "mips", "power", "empty", "noise"],
)
def test_parse_cpuinfo(text: str, expected: Processors) -> None:
    assert parse_cpuinfo(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "Debian GNU/Linux 12 (bookworm)"),
        ("PRETTY_NAME='Alpine Linux v3.22'", "Alpine Linux v3.22"),
        ("NAME=x", None),
        ("PRETTY_NAME=", None),
    ],
)
def test_parse_os_release(text: str, expected: str | None) -> None:
    assert parse_os_release(text) == expected


def test_this_host() -> None:
    details = read_details(HostPaths())
    assert details.hostname == platform.node()
    assert (details.os, details.kernel, details.architecture) == ("linux", platform.release(), platform.machine())
    assert details.threads == os.cpu_count()
    assert details.agent_version == VERSION
    boot = read_boot(HostPaths())
    assert boot.id
    assert boot.ms > 0


def test_a_host_that_tells_nothing(tmp_path: Path) -> None:
    nowhere = str(tmp_path)
    details = read_details(HostPaths(proc=nowhere, sys=nowhere, etc=nowhere))
    assert details.hostname
    assert (details.os_name, details.cpu_model, details.cores, details.memory_total_bytes) == (None, None, None, None)


def test_details_of_this_host_count_every_processor() -> None:
    """`/proc/cpuinfo` is longer than the page that one read of it returns."""
    assert read_details(HostPaths()).threads == os.sysconf("SC_NPROCESSORS_ONLN")
