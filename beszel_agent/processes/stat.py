"""One process as `/proc/<pid>/stat` and `/proc/<pid>/io` tell it; the formats are those of proc(5). Pure."""

from typing import Final, NamedTuple

from beszel_agent.errors import ReadingFailed
from beszel_protocol.hygiene import clean_text

_KERNEL_THREAD: Final = 0x200000
"""PF_KTHREAD of the kernel's `sched.h`."""
_MAX_NAME_LENGTH: Final = 64


class Stat(NamedTuple):
    raw_name: bytes
    """Whatever the process calls itself, up to 15 bytes; `name_of` makes it fit to be shown."""
    state: bytes
    flags: int
    ticks: int
    """Of processor time, in user mode and in the kernel."""
    threads: int
    start: int
    """Ticks after boot; with the pid it tells a process from a later one of the same number."""
    pages: int
    """Resident."""
    parent: int
    """A pid; 0 for what the kernel itself started, and where nobody asked."""

    @property
    def is_kernel_thread(self) -> bool:
        return bool(self.flags & _KERNEL_THREAD)

    @property
    def waits_for_disk(self) -> bool:
        """In the state that the kernel calls uninterruptible."""
        return self.state == b"D"

    @property
    def is_zombie(self) -> bool:
        return self.state == b"Z"


class Io(NamedTuple):
    """Bytes from and to disks since the process started."""

    read: int
    written: int


def parse_stat(text: bytes) -> Stat:
    """The name may hold spaces, line breaks and parentheses, so the fields are counted from the last parenthesis."""
    opened, closed = text.find(b"("), text.rfind(b")")
    words = text[closed + 2 :].split(b" ", 22)
    if opened < 0 or len(words) < 22:
        raise ReadingFailed("/proc/<pid>/stat: a field is missing")
    return Stat(
        text[opened + 1 : closed],
        words[0],
        int(words[6]),
        int(words[11]) + int(words[12]),
        int(words[17]),
        int(words[19]),
        int(words[21]),
        int(words[1]),
    )


def parse_io(text: bytes) -> Io:
    read = written = None
    for line in text.splitlines():
        if line.startswith(b"read_bytes: "):
            read = int(line[12:])
        elif line.startswith(b"write_bytes: "):
            written = int(line[13:])
    if read is None or written is None:
        raise ReadingFailed("/proc/<pid>/io: a field is missing")
    return Io(read, written)


def name_of(stat: Stat) -> str:
    """Fit to be shown: a process may call itself anything, also escape sequences and half of a character."""
    name = clean_text(stat.raw_name.decode("utf-8", "replace"), _MAX_NAME_LENGTH).strip() or "?"
    return f"[{name}]" if stat.is_kernel_thread else name
