"""What is asked of the C library of other systems, asked of a stand-in that a compiler made."""

import subprocess
from pathlib import Path

import pytest

from beszel_agent.sysctl import read_machine_uuid, read_sysctl, read_sysctl_integer, read_sysctl_text
from tests.support.services import need_program

SOURCE = Path(__file__).parents[1] / "support" / "sysctl.c"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("library") / "libsysctl.so"
    compiler = need_program("gcc")
    subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", path, SOURCE], check=True)
    return str(path)


def test_texts_and_numbers(library: str) -> None:
    assert read_sysctl("hw.model", library) == b"AMD EPYC 7B13\0"
    assert read_sysctl_text("hw.model", library) == "AMD EPYC 7B13"
    assert read_sysctl_integer("kstat.zfs.misc.arcstats.size", library) == 6 << 30
    assert read_sysctl_integer("hw.negative", library) == -1


def test_what_is_not_there_is_none(library: str) -> None:
    assert read_sysctl("kern.unheard_of", library) is None
    assert read_sysctl_text("kern.unheard_of", library) is None
    assert read_sysctl_integer("hw.model", library) is None


def test_the_machines_uuid(library: str) -> None:
    assert read_machine_uuid(library) == "00112233445566778899aabbccddeeff"


def test_a_system_without_such_calls_tells_nothing() -> None:
    """As this one."""
    assert read_sysctl("hw.model") is None
    assert read_machine_uuid() is None
    assert read_sysctl("hw.model", "/nowhere/libc.so") is None
