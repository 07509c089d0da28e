"""A host for a benchmark: hundreds of processes, several interfaces that carry something, the same on every machine.

Interfaces need a network namespace of their own, which takes root and Debian's iproute2 and util-linux.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INSIDE: Final = "BENCHMARK_NETWORK"
"""Set for the process that runs in the namespace."""
_PORT_OF_NOBODY: Final = 9
_DATAGRAM: Final = bytes(300)


def enter_network(interfaces: int) -> None:
    """Run this program again in a network of its own with that many interfaces; returns there, or where none can be."""
    if INSIDE in os.environ:
        _make_interfaces(interfaces)
        return
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None or shutil.which("ip") is None:
        return
    os.environ[INSIDE] = str(interfaces)
    os.execv(unshare, [unshare, "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])  # noqa: S606


@contextmanager
def traffic() -> Iterator[None]:
    """Every second a datagram to somebody on each interface that `enter_network` made."""
    stopped = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not stopped.wait(1):
                for number in range(int(os.environ.get(INSIDE, "0"))):
                    with contextlib.suppress(OSError):
                        sender.sendto(_DATAGRAM, (f"10.99.{number}.2", _PORT_OF_NOBODY))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@contextmanager
def processes(count: int) -> Iterator[None]:
    """That many processes that sleep."""
    started = [subprocess.Popen(["sleep", "infinity"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def _make_interfaces(count: int) -> None:
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("ip", "link", "set", "lo", "up")
    for number in range(count):
        name, other_end = f"eth{number}", f"veth{number}"
        _run("ip", "link", "add", name, "type", "veth", "peer", "name", other_end)
        _run("ip", "address", "add", f"10.99.{number}.1/24", "dev", name)
        _run("ip", "link", "set", name, "up")
        _run("ip", "link", "set", other_end, "up")
        _run("ip", "neighbour", "add", f"10.99.{number}.2", "lladdr", "02:00:00:00:00:02", "dev", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
