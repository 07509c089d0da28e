"""A systemd that answers what a test wants, on the real D-Bus daemon."""

import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import HeaderFields, Message, MessageType
from jeepney.wrappers import DBusAddress, new_error, new_method_return, new_signal

from beszel_agent.paths import HostPaths
from tests.support.programs import wait_until

DAEMON = shutil.which("dbus-daemon")

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
    <allow send_type="signal"/><allow send_requested_reply="true"/><allow receive_requested_reply="true"/>
  </policy>
</busconfig>
"""

_NAME = "org.freedesktop.systemd1"

Answer = tuple[str, tuple[Any, ...]] | None
"""Signature and body; None says nothing at all."""


def unit_row(name: str, active: str = "active", sub: str = "running") -> tuple[Any, ...]:
    """As `ListUnitsByPatterns` has it."""
    path = "/org/freedesktop/systemd1/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in name)
    return name, f"The {name}", "loaded", active, sub, "", path, 0, "", "/"


class FakeSystemd:
    """What it says can be changed between two questions."""

    def __init__(self) -> None:
        self.units: list[tuple[Any, ...]] = []
        self.properties: dict[str, dict[str, tuple[str, Any]]] = {}
        """By the name of a unit."""
        self.asked: list[str] = []
        self.arguments: list[tuple[Any, ...]] = []
        self.answers: dict[str, Callable[[], Answer]] = {}
        """In place of the usual answer to a method."""
        self.is_leaving = threading.Event()
        """When it is set the name on the bus is free for another."""
        self._signals: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def turn(self, name: str, active: str, sub: str) -> None:
        """A unit comes into another state, and everybody is told."""
        row = unit_row(name, active, sub)
        self.units = [*(unit for unit in self.units if unit[0] != name), row]
        self._signals.put(self.turned(name, active, sub))

    @staticmethod
    def turned(name: str, active: str, sub: str) -> Message:
        states = {"ActiveState": ("s", active), "SubState": ("s", sub)}
        address = DBusAddress(unit_row(name)[6], interface="org.freedesktop.DBus.Properties")
        body: tuple[Any, ...] = ("org.freedesktop.systemd1.Unit", states, [])
        return new_signal(address, "PropertiesChanged", "sa{sv}as", body)

    def remove(self, name: str) -> None:
        """A unit is unloaded, and everybody is told."""
        (row,) = (unit for unit in self.units if unit[0] == name)
        self.units = [unit for unit in self.units if unit[0] != name]
        self.tell_manager("UnitRemoved", "so", (name, row[6]))

    def tell_manager(self, member: str, signature: str, body: tuple[Any, ...]) -> None:
        address = DBusAddress("/org/freedesktop/systemd1", interface="org.freedesktop.systemd1.Manager")
        self._signals.put(new_signal(address, member, signature, body))

    def answer(self, message: Message) -> Answer:
        member = message.header.fields[HeaderFields.member]
        self.asked.append(member)
        self.arguments.append(message.body)
        if member in self.answers:
            return self.answers[member]()
        if member == "Subscribe":
            return "", ()
        if member == "ListUnitsByPatterns":
            return "a(ssssssouso)", (self.units,)
        unit = next(row[0] for row in self.units if row[6] == message.header.fields[HeaderFields.path])
        if member == "GetAll":
            return "a{sv}", (self.properties.get(unit, {}),)
        return "v", (self.properties[unit][message.body[1]],)

    def serve(self, connection: DBusConnection, stopped: threading.Event) -> None:
        while not stopped.is_set():
            if self.is_leaving.is_set():
                connection.send(message_bus.ReleaseName(_NAME))
                return
            while not self._signals.empty():
                connection.send(self._signals.get())
            try:
                message = connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            if message.header.message_type is not MessageType.method_call:
                continue
            try:
                answer = self.answer(message)
            except (KeyError, StopIteration):
                connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownProperty", "s", ("none such",)))
                continue
            if answer is not None:
                connection.send(new_method_return(message, *answer))


def _listens(path: Path) -> bool:
    """The file is there a moment before anybody answers behind it."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@contextmanager
def serving(address: Path) -> Iterator[FakeSystemd]:
    """On a bus that is there, as soon as nobody else is systemd on it."""
    systemd, stopped = FakeSystemd(), threading.Event()
    with open_dbus_connection(f"unix:path={address}") as connection:
        connection.send_and_get_reply(message_bus.RequestName(_NAME))
        server = threading.Thread(target=systemd.serve, args=(connection, stopped))
        server.start()
        try:
            yield systemd
        finally:
            stopped.set()
            server.join()


@contextmanager
def systemd_on_a_bus(root: Path) -> Iterator[FakeSystemd]:
    """Below `root` there is the system bus of a host that systemd manages."""
    assert DAEMON is not None
    address = root / "run" / "dbus" / "system_bus_socket"
    address.parent.mkdir(parents=True)
    (root / "run" / "systemd" / "system").mkdir(parents=True)
    config = root / "bus.conf"
    config.write_text(_CONFIG.format(socket=address))
    with subprocess.Popen([DAEMON, f"--config-file={config}", "--nofork", "--nopidfile"]) as daemon:
        try:
            wait_until("the bus listens", lambda: _listens(address))
            with serving(address) as systemd:
                yield systemd
        finally:
            daemon.terminate()


def host_below(root: Path) -> HostPaths:
    return HostPaths(proc=f"{root}/proc", sys=f"{root}/sys", etc=f"{root}/etc", root=str(root), keep_open=False)
