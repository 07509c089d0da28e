"""Processes that must not outlive the client, however it ends."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from beszel_tui.errors import LocalError

COMMAND_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
LOG_LINES: Final = 6
MAX_LOG_BYTES: Final = 4 << 20
"""A longer log of the last run is begun anew."""
_PR_SET_PDEATHSIG: Final = 1


class Child:
    """One running process, its output in a log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._process = process

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for the end; the exit status."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        for end in (self._process.terminate, self._process.kill):
            if not self.is_running:
                return
            try:
                end()
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except ProcessLookupError:
                return
            except TimeoutError:
                continue

    def last_words(self) -> str:
        """The end of its log."""
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-LOG_LINES:])


async def start_child(
    name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path
) -> Child:
    """Start `python -m module`. Raises `LocalError`."""
    try:
        with _open_log(log_path) as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
    except OSError as error:
        raise LocalError(f"the {name} cannot be started: {error}") from error
    return Child(name, process, log_path)


async def run_command(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], feed: bytes = b""
) -> bytes:
    """Run `python -m module` to its end; its output. Raises `LocalError` with what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            preexec_fn=_die_with(os.getpid()),
        )
    except OSError as error:
        raise LocalError(f"{module} cannot be started: {error}") from error
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output, errors = await process.communicate(feed)
    except TimeoutError as error:
        process.kill()
        raise LocalError(f"{module} {' '.join(arguments[:2])} does not come to an end") from error
    if process.returncode:
        raise LocalError(f"{module} {' '.join(arguments[:2])}: {errors.decode(errors='replace').strip()}")
    return output


def _die_with(parent: int) -> Callable[[], None]:
    """Runs in the child before it becomes the program: on Linux the kernel then ends it when the client ends.

    SIGKILL of the client cannot be caught, so nothing that the client does itself would do.
    """
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return lambda: None

    def set_up() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended in between
            os._exit(1)

    return set_up


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.unlink()
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
