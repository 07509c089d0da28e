"""The command smartctl of smartmontools 7 and later: the only one that the agent runs for disks."""

import os
import shutil
import subprocess
import sys
import threading
from typing import Final, NamedTuple

from beszel_agent.errors import ReadingFailed
from beszel_agent.settings import SmartDevice

READ_TIMEOUT_SECONDS: Final = 15.0
SCAN_TIMEOUT_SECONDS: Final = 10.0

_KILLED_SECONDS: Final = 1.0
"""How long a killed one may take to go; in the kernel, waiting for a disk, it does not."""
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": _PATH}
_NEEDED_BY_WINDOWS: Final = ("PATH", "SYSTEMROOT")
"""No program starts there without them."""


class Output(NamedTuple):
    """What smartctl answered."""

    status: int
    """The bits of its exit status, as in smartctl(8)."""
    text: bytes


class Smartctl:
    """Runs one at a time, so that a slow controller has one question to answer."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._lock = threading.Lock()
        self._stuck: dict[str, subprocess.Popen[bytes]] = {}

    def scan(self) -> Output:
        """Raise `ReadingFailed`."""
        return self._run("--scan", ["--scan", "--json=c"], SCAN_TIMEOUT_SECONDS)

    def read(self, device: SmartDevice) -> Output:
        """Everything about a disk that is not asleep. Raise `ReadingFailed`."""
        kind = [] if device.type is None else ["-d", device.type]
        statistics = [] if "nvme" in (device.type or device.path) else ["-l", "devstat"]
        arguments = ["-a", "--json=c", "-n", "standby", *statistics, *kind, device.path]
        return self._run(device.path, arguments, READ_TIMEOUT_SECONDS)

    def _run(self, subject: str, arguments: list[str], timeout_seconds: float) -> Output:
        with self._lock:
            stuck = self._stuck.get(subject)
            if stuck is not None and stuck.poll() is None:
                raise ReadingFailed(f"{subject}: an earlier smartctl has not come back")
            self._stuck.pop(subject, None)
            process = _start([self.program, *arguments])
            try:
                text, _ = process.communicate(timeout=timeout_seconds)
            except subprocess.TimeoutExpired:
                self._kill(subject, process)
                raise ReadingFailed(f"{subject}: no answer within {timeout_seconds:g} s") from None
            return Output(process.returncode, text)

    def _kill(self, subject: str, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        try:
            process.communicate(timeout=_KILLED_SECONDS)
        except subprocess.TimeoutExpired:
            self._stuck[subject] = process


def find_smartctl() -> str | None:
    """Also where a user's own search path does not look."""
    if sys.platform == "win32":
        usual = os.path.join(os.environ.get("PROGRAMFILES", r"C:\Program Files"), "smartmontools", "bin")  # noqa: PTH118
    else:
        usual = _PATH
    return shutil.which("smartctl", path=os.pathsep.join([os.environ.get("PATH", ""), usual]))


def _environment() -> dict[str, str]:
    if sys.platform != "win32":
        return _ENVIRONMENT
    return {name: os.environ[name] for name in _NEEDED_BY_WINDOWS if name in os.environ}


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - a list of arguments, each checked when it was read
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            close_fds=True,
        )
    except OSError as error:
        raise ReadingFailed(f"{command[0]}: {error.strerror}") from error
