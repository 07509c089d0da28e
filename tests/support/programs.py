"""The installed programs as real processes."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

PROGRAMS = Path(sys.executable).parent
POLL_SECONDS = 0.05
COMMAND_TIMEOUT_SECONDS = 30
_LOWEST_PORT = 12_000

T = TypeVar("T")


def program(name: str) -> str:
    """The console script beside this interpreter: what a user runs, not the module in the checkout."""
    return str(PROGRAMS / name)


def clean_environment(home: Path, **settings: str) -> dict[str, str]:
    """An environment in which no setting or state of the user who runs the tests is visible."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "TZ") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        **settings,
    }


def free_port() -> int:
    """One that only who is told of it takes: none of those that the kernel gives to whoever asks for any."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.choice(_given_ports())))  # noqa: S311 - no secret
            port: int = probe.getsockname()[1]
            return port


@cache
def _given_ports() -> Sequence[int]:
    """Those below the kernel's own; any (0) where there are none."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return (0,)
    return range(_LOWEST_PORT, lowest) or (0,)


def wait_until(what: str, probe: Callable[[], T | None], timeout_seconds: float = 20) -> T:
    """The first answer of `probe` that is neither None nor False; AssertionError naming `what` after the time-out."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what}")
        time.sleep(POLL_SECONDS)


def run(argv: Sequence[str], environment: Mapping[str, str], *, stdin: str = "", expect: Collection[int] = (0,)) -> str:
    """Standard output of a command, which must end with one of the statuses in `expect`."""
    finished = subprocess.run(
        argv, env=environment, input=stdin, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_SECONDS, check=False
    )
    assert finished.returncode in expect, (
        f"{argv} ended with {finished.returncode}:\n{finished.stdout}\n{finished.stderr}"
    )
    return finished.stdout


def run_json(argv: Sequence[str], environment: Mapping[str, str], *, expect: Collection[int] = (0,)) -> Any:
    return json.loads(run(argv, environment, expect=expect))


class Process:
    """A long-running program whose output goes to a file."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        self._popen.kill()
        self._popen.wait(10)

    def terminate(self, timeout_seconds: float) -> int:
        """SIGTERM; the exit status. AssertionError with the log if it takes longer."""
        self._popen.send_signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still running {timeout_seconds} s after SIGTERM:\n{self.text()}") from error

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(argv: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Process]:
    """A process that is gone when the block ends, however it ends."""
    process = Process(argv, environment, log)
    try:
        yield process
    finally:
        if process.is_running:
            process.kill()
