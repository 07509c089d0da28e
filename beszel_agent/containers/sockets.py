"""Which container engines to talk to, and where they listen."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths, list_names
from beszel_agent.settings import EngineHost

_SYSTEM: Final = ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock")
_OF_USER: Final = ("docker.sock", "podman/podman.sock")
_MAX_ENGINES: Final = 16


def find_engines(paths: HostPaths, config: Config) -> list[EngineHost]:
    """Those that the host's owner named; else every usual socket that is there, each once, whatever its names."""
    if config.docker_host is not None:
        return list(config.docker_host)
    found: dict[str, EngineHost] = {}
    for path in _usual_sockets(paths):
        place = paths.root(path)
        # An engine that others stand in for (`docker.sock` as a link to Podman's) is one engine.
        if Path(place).is_socket():
            found.setdefault(os.path.realpath(place), EngineHost("unix", place))
    return list(found.values())[:_MAX_ENGINES]


def _usual_sockets(paths: HostPaths) -> Iterator[str]:
    """Those of the host, then those of its users: root sees them all, others their own."""
    yield from _SYSTEM
    for user in list_names(paths.root("/run/user")):
        for name in _OF_USER:
            yield f"/run/user/{user}/{name}"
