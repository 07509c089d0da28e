"""Whether the host waits to be restarted because of an update."""

import os
import re
from typing import Final

from beszel_agent.packages.versions import pacman_is_newer
from beszel_agent.paths import HostPaths, read_text_or_none

_ASKED: Final = ("/run/reboot-required", "/var/run/reboot-required", "/run/reboot-needed", "/var/run/reboot-needed")
"""What packages of Debian and Ubuntu, and zypper, leave behind when a restart is wanted."""
_MODULES: Final = ("/usr/lib/modules", "/lib/modules")
RPM: Final = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
"""Where its database is."""
_FLAVOUR: Final = re.compile(r"\+.*$|-[a-z][a-z_]*$", re.ASCII)
"""Of a kernel's release: `-default` and `-rt` of SUSE, `+debug` of Fedora."""


def is_reboot_required(paths: HostPaths) -> bool:
    """Asked for by a package, or the running kernel is no longer there, or (RPM starts the newest) a newer one is."""
    if any(os.path.exists(paths.root(path)) for path in _ASKED):  # noqa: PTH110 - as everywhere, a path is a text here
        return True
    running = read_text_or_none(paths.proc("sys/kernel/osrelease"))
    kernels = _kernels(paths)
    if not running or not kernels:
        return False
    if running not in kernels:
        return True
    uses_rpm = any(os.path.exists(paths.root(path)) for path in RPM)  # noqa: PTH110
    return uses_rpm and any(
        pacman_is_newer(kernel, running) for kernel in kernels if _flavour(kernel) == _flavour(running)
    )


def _flavour(release: str) -> str:
    """Kernels of different ones are built apart: that one is newer asks for no restart into it."""
    found = _FLAVOUR.search(release)
    return found[0] if found else ""


def _kernels(paths: HostPaths) -> set[str]:
    """Those that are installed, by release. Removed ones leave directories without a list of modules behind."""
    for directory in map(paths.root, _MODULES):
        try:
            names = os.listdir(directory)  # noqa: PTH208
        except OSError:
            continue
        return {name for name in names if os.path.exists(f"{directory}/{name}/modules.dep")}  # noqa: PTH110
    return set()
