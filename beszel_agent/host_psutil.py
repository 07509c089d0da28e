"""What does not change while a host runs, where there is no `/proc` to tell it: macOS, Windows, the BSDs."""

import platform
import socket
import uuid
from typing import Final

import psutil

from beszel_agent.paths import HostPaths
from beszel_agent.registry import read_registry
from beszel_agent.sysctl import read_machine_uuid, read_sysctl, read_sysctl_text
from beszel_protocol.details import HostDetails
from beszel_protocol.version import VERSION

_PROCESSOR_KEY: Final = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_MACHINE_KEY: Final = r"SOFTWARE\Microsoft\Cryptography"
_BOOT_KEY: Final = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
_SERVER: Final = "Server"
_UUID_BYTES: Final = 16


def read_details(paths: HostPaths) -> HostDetails:
    return HostDetails(
        hostname=socket.gethostname(),
        os=paths.system,
        os_name=_read_os_name(paths),
        kernel=platform.version() if paths.system == "windows" else platform.release(),
        architecture=platform.machine() or None,
        cpu_model=read_cpu_model(paths.system),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count(),
        threads=psutil.cpu_count(),
        memory_total_bytes=psutil.virtual_memory().total,
        agent_version=VERSION,
    )


def read_cpu_model(system: str) -> str | None:
    match system:
        case "windows":
            return _text(read_registry(_PROCESSOR_KEY, "ProcessorNameString"))
        case "darwin":
            return read_sysctl_text("machdep.cpu.brand_string") or read_sysctl_text("hw.model")
        case _:
            return read_sysctl_text("hw.model")


def read_host_id(system: str) -> str | None:
    """The machine's or the installation's, in small letters, with the hyphens of a UUID."""
    match system:
        case "windows":
            found = _text(read_registry(_MACHINE_KEY, "MachineGuid"))
        case "darwin":
            found = read_machine_uuid()
        case _:
            found = read_sysctl_text("kern.hostuuid")
    try:
        return None if found is None else str(uuid.UUID(found))
    except ValueError:
        return None


def read_boot_id(system: str) -> str:
    """A name that no other boot of this host has; empty if the system gives none.

    The instant of the boot is none: it moves when the clock is set.
    """
    match system:
        case "windows":
            count = read_registry(_BOOT_KEY, "BootId")
            return "" if count is None else f"boot {count}"
        case "darwin":
            return (read_sysctl_text("kern.bootsessionuuid") or "").lower()
        case _:
            found = read_sysctl("kern.boot_id")
            return "" if found is None or len(found) != _UUID_BYTES else str(uuid.UUID(bytes=found))


def _read_os_name(paths: HostPaths) -> str | None:
    match paths.system:
        case "windows":
            release = platform.win32_ver()[0]
            return f"Windows {_SERVER} {release.removesuffix(_SERVER)}" if _SERVER in release else f"Windows {release}"
        case "darwin":
            return f"macOS {platform.mac_ver()[0]}".strip()
        case _:
            return f"{platform.system()} {platform.release()}"


def _text(value: str | int | None) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
