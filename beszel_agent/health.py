"""Whether an agent runs here and is connected: what it writes down, and what another process makes of it.

The running agent rewrites a small file when its connection comes or goes, and touches it while it is well. A file that
was not touched for a while belongs to an agent that died or hangs, whatever it says.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from beszel_agent.datadir import DataDir, make_dir
from beszel_agent.errors import DataDirError
from beszel_agent.host import Boot, boot_ms
from beszel_agent.linkstate import LinkState
from beszel_agent.system import LINUX_DATA_DIR
from beszel_agent.ticks import sleep_to_tick

STATUS_FILE: Final = "status.json"
RUNTIME_DIR: Final = Path("/run/beszel-agent")
TOUCH_SECONDS: Final = 30.0
STALE_SECONDS: Final = 90.0

log = logging.getLogger(__name__)


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pid: int
    boot_id: str
    touched_boot_ms: int
    """CLOCK_BOOTTIME: setting the wall clock makes nobody ill."""
    connected: bool
    hub: str
    since_ms: int
    problem: str | None = None
    spool_problem: str | None = None
    """Why a restart would lose what waits for the hub."""


class Verdict(NamedTuple):
    healthy: bool
    sentence: str


def judge(status: Status | None, *, boot_id: str, boot_ms: int, is_running: bool) -> Verdict:
    """`is_running`: whether a process with the agent's id is there."""
    if status is None:
        return Verdict(healthy=False, sentence="no agent has run here")
    if status.boot_id != boot_id or not is_running:
        return Verdict(healthy=False, sentence="the agent is not running")
    age_seconds = (boot_ms - status.touched_boot_ms) / 1000
    if age_seconds > STALE_SECONDS:
        return Verdict(healthy=False, sentence=f"the agent (pid {status.pid}) has not moved for {age_seconds:.0f} s")
    if not status.connected:
        return Verdict(healthy=False, sentence=f"not connected to {status.hub}: {status.problem or 'still trying'}")
    spool = f"; the spool is in memory: {status.spool_problem}" if status.spool_problem else ""
    return Verdict(healthy=True, sentence=f"connected to {status.hub}{spool}")


def status_dirs(data_dir: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where the status may be, best first: in memory, so that a disk may sleep, else beside the agent's other files."""
    runtime = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if runtime:
        return Path(runtime), data_dir
    return (RUNTIME_DIR, data_dir) if data_dir == LINUX_DATA_DIR else (data_dir,)


def check(directories: Iterable[Path], boot: Boot) -> Verdict:
    """The verdict on the agent whose status is in one of `directories`."""
    verdicts = []
    for directory in directories:
        status = read_status(DataDir(directory))
        if status is not None:
            verdicts.append(judge(status, boot_id=boot.id, boot_ms=boot.ms, is_running=is_running(status.pid)))
    verdicts.append(judge(None, boot_id=boot.id, boot_ms=boot.ms, is_running=False))
    return next((verdict for verdict in verdicts if verdict.healthy), verdicts[0])


def read_status(directory: DataDir) -> Status | None:
    """None if there is none that can be understood."""
    try:
        text = directory.read(STATUS_FILE)
        return None if text is None else msgspec.json.decode(text, type=Status)
    except (DataDirError, msgspec.DecodeError):
        return None


def is_running(pid: int) -> bool:
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415 - a signal 0 would be Ctrl+C there

        return psutil.pid_exists(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


class StatusKeeper:
    """The running agent's side. A status that cannot be written is logged, and costs nothing but the health check."""

    def __init__(
        self,
        directories: Iterable[Path],
        hub: str,
        boot_id: str,
        *,
        spool_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`spool_problem` tells why the spool is not on the disk, if it is not."""
        self._spool_problem = spool_problem
        self._directory = DataDir(make_dir(directories))
        self._hub, self._boot_id = hub, boot_id
        self._state = LinkState(connected=False, since_ms=time.time_ns() // 1_000_000, problem=None)
        self._complained = False

    def tell(self, state: LinkState) -> None:
        self._state = state
        self._write()

    async def run(self) -> None:
        """Keep the status fresh until cancelled, then take it away."""
        try:
            while True:
                self._write()
                await sleep_to_tick(TOUCH_SECONDS)
        finally:
            with contextlib.suppress(DataDirError):
                self._directory.remove(STATUS_FILE)

    def _write(self) -> None:
        status = Status(
            pid=os.getpid(),
            boot_id=self._boot_id,
            touched_boot_ms=boot_ms(),
            connected=self._state.connected,
            hub=self._hub,
            since_ms=self._state.since_ms,
            problem=self._state.problem,
            spool_problem=self._spool_problem(),
        )
        try:
            self._directory.write(STATUS_FILE, msgspec.json.encode(status).decode(), durably=False)
        except DataDirError as error:
            if not self._complained:
                log.warning("the health check will not work: %s", error)
            self._complained = True
