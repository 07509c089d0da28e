"""Who is logged in, from the files of systemd-logind, or from utmp(5) where there is none."""

import os
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from beszel_agent.collector import Collector, NeverWaits
from beszel_agent.config import Config
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths, read_bytes, read_text_or_none
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import LoginMetrics, Metrics

MAX_NAMES: Final = 16

_SESSIONS: Final = "/run/systemd/sessions"
_UTMP: Final = ("/run/utmp", "/var/run/utmp")
_MAX_SESSIONS: Final = 1024
_MAX_NAME_LENGTH: Final = 64
_USER_PROCESS: Final = 7
_RECORD_BYTES: Final = 384
_LONG_RECORD_BYTES: Final = 400
"""Where the C library never knew 32-bit times: ARM, RISC-V."""


class LoginsCollector(NeverWaits):
    name: ClassVar[str] = "logins"
    fields: ClassVar[tuple[str, ...]] = ("logins",)
    pace_seconds: ClassVar[float] = 60

    def __init__(self, paths: HostPaths, utmp: str | None) -> None:
        """`utmp` is None if logind keeps the sessions."""
        self._paths, self._utmp = paths, utmp

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.logins_psutil import PsutilLoginsCollector  # noqa: PLC0415

            return PsutilLoginsCollector.probe(paths, config)
        if os.path.isdir(paths.root(_SESSIONS)):  # noqa: PTH112 - as everywhere, a path is a text here
            return cls(paths, None)
        for path in map(paths.root, _UTMP):
            if os.path.exists(path):  # noqa: PTH110
                return cls(paths, path)
        raise Unavailable("neither logind nor a utmp file")

    def collect(self, now: float) -> Metrics:
        return Metrics(logins=login_metrics(self._users_of_sessions()))

    def _users_of_sessions(self) -> list[str]:
        if self._utmp is None:
            directory = self._paths.root(_SESSIONS)
            names = [name for name in os.listdir(directory) if not name.endswith(".ref")]  # noqa: PTH208
            texts = (read_text_or_none(f"{directory}/{name}") for name in names[:_MAX_SESSIONS])
            return [user for text in texts if text and (user := parse_session(text))]
        return [
            user
            for pid, user in parse_utmp(read_bytes(self._utmp))
            # The file outlives what wrote it: a killed terminal leaves its line behind.
            if os.path.exists(self._paths.proc(str(pid)))  # noqa: PTH110
        ]


def login_metrics(users: Iterable[str]) -> LoginMetrics:
    """`users` has one item a session."""
    sessions = list(users)
    names = sorted({clean_text(user, _MAX_NAME_LENGTH) for user in sessions})
    return LoginMetrics(sessions=len(sessions), users=len(names), names=names[:MAX_NAMES] or None)


def parse_session(text: str) -> str | None:
    """The user, unless it is a greeter, a lock screen or a manager, or the session is over."""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if not fields.get("CLASS", "user").startswith("user") or fields.get("STATE") == "closing":
        return None
    return fields.get("USER") or fields.get("UID")


def parse_utmp(data: bytes) -> Iterator[tuple[int, str]]:
    """Pid and user of each login."""
    size = _LONG_RECORD_BYTES if len(data) % _RECORD_BYTES and not len(data) % _LONG_RECORD_BYTES else _RECORD_BYTES
    for start in range(0, len(data) - size + 1, size):
        record = data[start : start + size]
        if int.from_bytes(record[:2], "little") == _USER_PROCESS:
            user = record[44:76].split(b"\0", 1)[0].decode("utf-8", "replace")
            if user:
                yield int.from_bytes(record[4:8], "little"), user
