"""A real SMTP server in a process of its own, and the letters that it took."""

import mailbox
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from pathlib import Path

from tests.support.programs import Process, clean_environment, free_port, running, wait_until


class MailServer:
    """Made by `mail_server`."""

    def __init__(self, port: int, folder: Path) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self._folder = folder
        self._read = 0

    def next_letter(self) -> Message:
        """The next letter that was not read yet; waits for it."""
        letter = wait_until("a letter has come", self._next)
        self._read += 1
        return letter

    def next_text(self) -> str:
        payload = self.next_letter().get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode()

    def next_code(self) -> str:
        match = re.search(r"\b\d{6,8}\b", self.next_text())
        assert match is not None
        return match[0]

    def has_no_letter(self) -> bool:
        """Whether nothing more has come, once whoever sends has done so."""
        unread = 0
        while self._next() is not None:
            self._read += 1
            unread += 1
        return unread == 0

    def _next(self) -> Message | None:
        box = mailbox.Maildir(self._folder, create=True)
        names = sorted(box.keys(), key=lambda name: (self._folder / "new" / name).stat().st_mtime_ns)
        return box[names[self._read]] if len(names) > self._read else None


@contextmanager
def mail_server(directory: Path, *options: str) -> Iterator[MailServer]:
    """Serve from a new process until the block ends; `options` are those of aiosmtpd."""
    port, folder = free_port(), directory / "mail"
    mailbox.Maildir(folder, create=True)
    argv = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", *options]
    argv += ["-c", "aiosmtpd.handlers.Mailbox", str(folder)]
    with running(argv, clean_environment(directory), directory / "smtp.log") as process:
        wait_until("the mail server listens", lambda: _listens(process, port))
        yield MailServer(port, folder)


def _listens(process: Process, port: int) -> bool:
    assert process.is_running, process.text()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
