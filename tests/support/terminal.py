"""A program in a terminal of a given size, and the screen its user would see."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import pyte

from tests.support.programs import wait_until

_READ_BYTES: Final = 65536


class Terminal:
    """Made by `open_terminal`. Sizes are columns by rows."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], columns: int, rows: int, *, is_recorded: bool
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.bytes_received = 0
        self._record = bytearray() if is_recorded else None
        self._master, slave = pty.openpty()
        _set_size(slave, columns, rows)
        self._popen = subprocess.Popen(
            argv, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, close_fds=True
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """The screen as it stands, a line a row."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def cells(self) -> list[list[str]]:
        """What stands in each cell of each row; a wide character leaves nothing in its second one."""
        with self._lock:
            return [
                [self._screen.buffer[y][x].data for x in range(self._screen.columns)] for y in range(self._screen.lines)
            ]

    @property
    def title(self) -> str:
        """Of the window, as the program has set it."""
        with self._lock:
            return str(self._screen.title)

    @property
    def received(self) -> bytes:
        """All that the program has written, if that is recorded."""
        assert self._record is not None
        with self._lock:
            return bytes(self._record)

    @property
    def shows_what_is_typed(self) -> bool:
        """Line by line, as a shell wants its terminal."""
        wanted = termios.ECHO | termios.ICANON | termios.ISIG
        return bool(termios.tcgetattr(self._master)[3] & wanted == wanted)

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._popen.pid

    @property
    def foreground(self) -> int:
        """The process group that reads keys, where a shell controls the terminal."""
        return os.tcgetpgrp(self._master)

    def send(self, keys: str) -> None:
        self.write(keys.encode())

    def write(self, data: bytes) -> None:
        """What is typed, byte by byte."""
        os.write(self._master, data)

    def resize(self, columns: int, rows: int) -> None:
        with self._lock:
            self._screen.resize(rows, columns)
        _set_size(self._master, columns, rows)
        os.killpg(self._popen.pid, signal.SIGWINCH)

    def wait_for(self, what: str, timeout_seconds: float = 20) -> str:
        """The screen once it shows `what`."""

        def probe() -> str | None:
            text = self.text()
            return text if what in text else None

        try:
            return wait_until(f"the screen shows {what!r}", probe, timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows:\n{self.text()}") from error

    def hang_up(self) -> None:
        """What closing the terminal window does."""
        os.killpg(self._popen.pid, signal.SIGHUP)

    def kill(self) -> None:
        self._popen.kill()

    def wait(self, timeout_seconds: float) -> int:
        return self._popen.wait(timeout_seconds)

    def close(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait(10)
        self._reader.join(10)
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, _READ_BYTES)
            except OSError:  # the last process on the other side has gone
                return
            if not data:
                return
            with self._lock:
                self.bytes_received += len(data)
                if self._record is not None:
                    self._record += data
                self._stream.feed(data)


@contextmanager
def open_terminal(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 160,
    rows: int = 45,
    is_recorded: bool = False,
) -> Iterator[Terminal]:
    terminal = Terminal(argv, environment, columns, rows, is_recorded=is_recorded)
    try:
        yield terminal
    finally:
        terminal.close()


def _set_size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
