"""Follows systemd's units by its signals, so that what a sample says of them is of that second and costs it nothing.

A thread holds a connection of its own and waits. It lists all units when it begins, after systemd was reloaded or has
executed itself anew, and every `LIST_SECONDS`, in case a change was never told.
"""

import logging
import threading
import time
from fnmatch import fnmatchcase
from typing import Any, Final

from jeepney.low_level import HeaderFields, Message
from jeepney.wrappers import DBusAddress

from beszel_agent.errors import ReadingFailed, describe
from beszel_agent.services.bus import BUS, Bus, BusError
from beszel_agent.services.manager import Unit
from beszel_agent.services.roster import Roster, Turn
from beszel_agent.services.systemd import INACTIVE, MANAGER, NAME, UNIT, Systemd
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import ServiceMetrics

LIST_SECONDS: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_END_SECONDS: Final = 1.0
_UNITS: Final = "/org/freedesktop/systemd1/unit/"
_OF_SYSTEMD: Final = "type='signal',sender='org.freedesktop.systemd1',interface="
_MATCHES: Final = (
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
    f"{_OF_SYSTEMD}'org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='{UNIT}'",
    f"{_OF_SYSTEMD}'org.freedesktop.systemd1.Manager',member='UnitRemoved'",
    f"{_OF_SYSTEMD}'org.freedesktop.systemd1.Manager',member='Reloading'",
)

log = logging.getLogger(__name__)


class SystemdWatch:
    """Starts with the first question. One thread follows, another may ask."""

    def __init__(self, bus: Bus, patterns: tuple[str, ...]) -> None:
        self._bus, self._patterns = bus, patterns
        self._systemd = Systemd(bus, patterns)
        self._roster = Roster()
        self._lock = threading.Lock()
        """Over the roster."""
        self._is_current = False
        self._problem: Exception | None = None
        self._owner = ""
        self._list_at = 0.0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def counts(self) -> ServiceMetrics | None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="services", daemon=True)
            self._thread.start()
        if self._problem is not None:
            raise ReadingFailed(describe(self._problem)) from self._problem
        if not self._is_current:
            return None
        with self._lock:
            return self._roster.counts()

    def take_turns(self) -> list[Turn]:
        with self._lock:
            return self._roster.take_turns()

    def stop(self) -> None:
        self._stopped.set()
        self._bus.interrupt()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            started = time.monotonic()
            try:
                self._follow()
            except (OSError, ReadingFailed, ValueError) as error:
                self._fail(error)
            except Exception as error:  # a mistake in here must not end the watch for good
                log.debug("the watch of services has a mistake", exc_info=error)
                self._fail(ReadingFailed(f"unexpected {type(error).__name__}"))
            if time.monotonic() - started > _LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._stopped.wait(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)

    def _fail(self, error: Exception) -> None:
        self._problem, self._is_current = error, False
        self._bus.close()

    def _follow(self) -> None:
        """Until the bus or systemd fails, or this is stopped."""
        for rule in _MATCHES:
            self._try(BUS, "AddMatch", "s", (rule,))
        self._begin()
        while not self._stopped.is_set():
            left = self._list_at - time.monotonic()
            signal = self._bus.wait(left) if left > 0 else None
            if signal is None:
                self._list()
            elif self._is_new_owner(signal):
                self._begin()
            elif signal.header.fields.get(HeaderFields.sender) == self._owner:
                self._take(signal)  # of others it might be a lie

    def _begin(self) -> None:
        """With this systemd, which may be another than before."""
        (self._owner,) = self._bus.ask(BUS, "GetNameOwner", "s", (NAME,))
        self._try(MANAGER, "Subscribe")
        self._list()

    def _try(self, address: DBusAddress, method: str, signature: str = "", arguments: tuple[Any, ...] = ()) -> None:
        """Without signals there is still the list now and then; who subscribed before is refused, too."""
        try:
            self._bus.ask(address, method, signature, arguments)
        except BusError as error:
            log.debug("%s: %s", method, error)

    def _list(self) -> None:
        listed = self._systemd.loaded()
        # What was told before the answer is in it; only that systemd is another is not.
        self._bus.drop_signals(unless=self._is_new_owner)
        with self._lock:
            self._roster.replace(unit for unit in listed if unit.state != INACTIVE or unit.name in self._roster)
        self._is_current, self._problem = True, None
        self._list_at = time.monotonic() + LIST_SECONDS

    def _is_new_owner(self, signal: Message) -> bool:
        fields = signal.header.fields
        return bool(
            fields.get(HeaderFields.member) == "NameOwnerChanged"
            and fields.get(HeaderFields.sender) == BUS.bus_name
            and signal.body[0] == NAME
            and signal.body[2] != ""
        )

    def _take(self, signal: Message) -> None:
        member, body = signal.header.fields.get(HeaderFields.member), signal.body
        if member == "Reloading" and body == (False,):
            self._list()
        elif member == "UnitRemoved":
            with self._lock:
                self._roster.drop(body[0])
        elif member == "PropertiesChanged" and body[0] == UNIT and "ActiveState" in body[1]:
            self._put(signal.header.fields[HeaderFields.path], body[1])

    def _put(self, path: str, properties: dict[str, tuple[str, Any]]) -> None:
        name = unit_name(path)
        if not any(fnmatchcase(name, pattern) for pattern in self._patterns):
            return
        state, sub_state = (properties.get(key, ("s", ""))[1] for key in ("ActiveState", "SubState"))
        unit = Unit(name, clean_text(state, 32), clean_text(sub_state, 32), path)
        with self._lock:
            if unit.state != INACTIVE or name in self._roster:
                self._roster.put(unit)


def unit_name(path: str) -> str:
    """`a-b.service` of `…/unit/a_2db_2eservice`; as systemd has it, bytes other than letters and digits."""
    first, *rest = path.removeprefix(_UNITS).encode().split(b"_")
    pieces = [first, *(_byte(piece[:2]) + piece[2:] for piece in rest)]
    return b"".join(pieces).decode(errors="replace")


def _byte(digits: bytes) -> bytes:
    try:
        return bytes.fromhex(digits.decode())
    except ValueError:
        return b"_" + digits
