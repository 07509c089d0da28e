"""Shuts the process it is called in off from everything a notification does not need. There is no way back.

Apprise's services open their connections in a hundred places. So the interpreter itself is asked: its audit hook sees
the very address of every connection before it is made, and every program and file before it is opened.
"""

import ssl
import sys
import threading
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from beszel_hub.notifications.egress import Policy, reach_of
from beszel_protocol.reach import Reach, normalize

_FORBIDDEN: Final = frozenset({
    "ctypes.dlopen", "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.link", "os.mkdir",
    "os.posix_spawn", "os.remove", "os.rename", "os.rmdir", "os.spawn", "os.startfile", "os.symlink", "os.system",
    "os.truncate", "pty.spawn", "socket.bind", "subprocess.Popen", "syslog.openlog", "syslog.syslog",
    "winreg.CreateKey",
})  # fmt: skip
_CONNECTING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_READABLE: Final = (
    "/dev/null", "/dev/urandom", "/etc/gai.conf", "/etc/hosts", "/etc/localtime", "/etc/mime.types",
    "/etc/nsswitch.conf", "/etc/pki", "/etc/resolv.conf", "/etc/services", "/etc/ssl", "/etc/timezone",
    "/usr/share/ca-certificates", "/usr/share/zoneinfo",
)  # fmt: skip


class Blocked(PermissionError):
    """Is an OSError, since that is what the libraries around it expect of a connection."""


class Sandbox:
    """`enter` puts the hook in place; `refusals` tells afterwards which connections were not let through."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._judging = threading.local()
        self._readable = _readable_paths()
        self.refusals: list[Reach] = []

    def enter(self) -> None:
        sys.dont_write_bytecode = True
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTING:
            self._judge(arguments[1])
        elif event == "open":
            self._require_readable(*arguments)
        elif event in _FORBIDDEN:
            raise Blocked(f"{event} is not for notifications")

    def _judge(self, target: Any) -> None:
        if getattr(self._judging, "is_busy", False) or target is None:
            return  # the look whether an address is our own is no connection; None is a socket connected before
        self._judging.is_busy = True
        try:
            address = normalize(ip_address(str(target[0]).partition("%")[0]))
            is_permitted, reach = self._policy.permits(address), reach_of(address)
        except (ValueError, TypeError, IndexError):
            is_permitted, reach = False, Reach.FORBIDDEN
        finally:
            self._judging.is_busy = False
        if not is_permitted:
            self.refusals.append(reach)
            raise Blocked("no message may go there")

    def _require_readable(self, path: Any, mode: Any, flags: Any) -> None:
        is_writing = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        is_writing = is_writing or (mode is None and isinstance(flags, int) and flags & 3 != 0)
        if isinstance(path, int):
            return  # a descriptor was opened before
        place = Path(path.decode() if isinstance(path, bytes) else str(path)).absolute()
        if str(place) == "/dev/null":
            return
        if is_writing or ".." in place.parts or not any(place.is_relative_to(known) for known in self._readable):
            raise Blocked("this file is not for notifications")


def _readable_paths() -> list[Path]:
    """Where the interpreter and its libraries lie, and what finding a host and trusting it takes."""
    authorities = ssl.get_default_verify_paths()
    stated = [authorities.cafile, authorities.capath, *sys.path, sys.prefix, sys.base_prefix]
    paths = [Path(text).absolute() for text in (*_READABLE, *filter(None, stated))]
    return [path for path in paths if path != Path(path.anchor)]
