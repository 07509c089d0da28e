"""The kernel's table of interfaces: what stands there, and what happens when it is laid out anew."""

from pathlib import Path

import pytest

from beszel_agent.errors import ReadingFailed
from beszel_agent.net_dev import Counters, NetDev
from beszel_agent.paths import HostPaths

HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
)


def row(name: str, first: int) -> str:
    return f"{name:>6}: " + " ".join(str(first + place) for place in range(16)) + "\n"


def table(root: Path, text: str) -> NetDev:
    (root / "net").mkdir(exist_ok=True)
    (root / "net" / "dev").write_text(text)
    return NetDev(HostPaths(proc=str(root), keep_open=False).proc_file("net/dev"))


def test_rows_are_found_again_when_interfaces_come_and_go(tmp_path: Path) -> None:
    net_dev = table(tmp_path, HEAD + row("lo", 0) + row("eth0", 100))
    first = net_dev.read()
    assert first.names == {"lo", "eth0"}
    assert first.counters("eth0") == Counters(100, 101, 102, 103, 108, 109, 110, 111)
    assert net_dev.read().names is first.names
    table(tmp_path, HEAD + row("lo", 0) + row("veth1", 50) + row("eth0", 200))
    second = net_dev.read()
    assert second.names == {"lo", "veth1", "eth0"}
    assert second.counters("eth0").recv_bytes == 200
    assert second.counters("veth1").sent_bytes == 58
    table(tmp_path, HEAD + row("lo", 7))
    assert net_dev.read().names == {"lo"}


def test_a_row_that_makes_no_sense_costs_only_itself(tmp_path: Path) -> None:
    net_dev = table(tmp_path, HEAD + row("lo", 0) + "  eth0: 1 2 three\n" + row("eth1", 5))
    assert net_dev.read().names == {"lo", "eth1"}
    assert net_dev.read().counters("eth1").recv_bytes == 5
    table(tmp_path, HEAD + row("lo", 0) + row("eth0", 9) + row("eth1", 5))
    assert net_dev.read().counters("eth0").recv_bytes == 9


def test_no_row_at_all_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ReadingFailed):
        table(tmp_path, HEAD).read()
