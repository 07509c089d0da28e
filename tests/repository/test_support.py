"""What tests stand on holds also where several processes run them."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from types import ModuleType

import pytest

from tests.support import engines, kinds, programs, runninghub
from tests.support.runningagent import started
from tests.support.samples import make_sample
from tests.support.services import need_program
from tests.support.site import Site


def test_nobody_is_given_the_port_that_a_test_was_given() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if lowest <= 20_000:
        pytest.skip("the kernel keeps nearly all ports for itself here")
    assert not {programs.free_port() for _ in range(50)} & set(range(lowest, highest + 1))


def test_bridges_that_are_made_at_once_have_networks_of_their_own() -> None:
    if os.geteuid() != 0:
        pytest.skip("bridges are made as root")
    ip, count = need_program("ip"), 6
    together = Barrier(count)
    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:

        def make(number: int) -> str:
            together.wait(20)
            return stack.enter_context(engines._bridge(ip, f"bsz{os.getpid()}-t{number}"))

        assert len(set(pool.map(make, range(count)))) == count


def a_file_with(**names: object) -> ModuleType:
    module = ModuleType("test_something")
    vars(module).update(names)
    return module


@pytest.mark.parametrize("real", [runninghub, subprocess.run, programs.running, started, Site])
def test_no_file_with_something_real_is_one_of_unit_tests(real: object) -> None:
    assert kinds._brings_up(a_file_with(something=real), frozenset())


def test_a_file_of_values_and_files_is_one_of_unit_tests() -> None:
    assert not kinds._brings_up(a_file_with(Path=Path, make_sample=make_sample), frozenset())


@pytest.mark.parametrize(("something", "has_one"), [(Site, True), (runninghub, True), (programs.running, False)])
def test_whatever_starts_a_hub_has_a_database_of_the_kind_that_is_tested(something: object, has_one: bool) -> None:
    assert kinds._brings_up(a_file_with(something=something), frozenset(), kinds._DATABASES) == has_one
