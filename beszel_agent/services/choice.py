"""Which manager of services this host has. What talks to a bus is imported only where there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from beszel_agent.errors import Unavailable
from beszel_agent.services.census import Census, ListedCensus
from beszel_agent.services.manager import ServiceManager, full_patterns
from beszel_agent.services.openrc import DIRECTORY, OpenRc

if TYPE_CHECKING:
    from beszel_agent.config import Config
    from beszel_agent.paths import HostPaths
    from beszel_agent.services.bus import Bus
    from beszel_agent.services.systemd import Systemd

_SYSTEMD: Final = "/run/systemd/system"
_BUS: Final = "/run/dbus/system_bus_socket"


def find_manager(paths: HostPaths, config: Config) -> ServiceManager:
    """Raise `Unavailable`."""
    patterns = full_patterns(config.service_patterns)
    if paths.system == "windows":
        from beszel_agent.services.windows import WindowsServices  # noqa: PLC0415 - for the system that has them

        return WindowsServices(patterns)
    if _is_systemd(paths, config):
        return find_systemd(paths, config)
    if os.path.isdir(paths.root(DIRECTORY)):  # noqa: PTH112
        return OpenRc(paths.root(DIRECTORY), patterns)
    raise Unavailable("SKIP_SYSTEMD is set" if config.skip_systemd else "neither systemd nor OpenRC manages this host")


def find_systemd(paths: HostPaths, config: Config) -> Systemd:
    """Raise `Unavailable`."""
    if config.skip_systemd:
        raise Unavailable("SKIP_SYSTEMD is set")
    if not os.path.isdir(paths.root(_SYSTEMD)):  # noqa: PTH112
        raise Unavailable("systemd does not manage this host; in a container, mount /run/systemd/system")
    bus = _find_bus(paths)
    from beszel_agent.services.systemd import Systemd  # noqa: PLC0415

    return Systemd(bus, full_patterns(config.service_patterns))


def find_census(paths: HostPaths, config: Config) -> Census:
    """Who counts the services of this host. Raise `Unavailable`."""
    if not _is_systemd(paths, config):
        return ListedCensus(find_manager(paths, config))
    bus = _find_bus(paths)
    from beszel_agent.services.watch import SystemdWatch  # noqa: PLC0415

    return SystemdWatch(bus, full_patterns(config.service_patterns))


def _is_systemd(paths: HostPaths, config: Config) -> bool:
    return paths.system != "windows" and not config.skip_systemd and os.path.isdir(paths.root(_SYSTEMD))  # noqa: PTH112


def _find_bus(paths: HostPaths) -> Bus:
    socket = paths.root(_BUS)
    if not os.path.exists(socket):  # noqa: PTH110
        raise Unavailable(f"no system bus; in a container, mount {_BUS}")
    try:
        from beszel_agent.services.bus import Bus  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("jeepney is not installed: pip install 'beszel-suite[agent]'") from error
    return Bus(socket)
