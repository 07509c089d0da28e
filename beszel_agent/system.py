"""Which operating system this is, in the words of the sample, and where things are by its customs."""

import os
import sys
from pathlib import Path
from typing import Final

LINUX: Final = "linux"
NAMES: Final = {"darwin": "macOS", "freebsd": "FreeBSD", "linux": "Linux", "windows": "Windows"}
"""For people."""

_NAME: Final = "beszel-agent"
LINUX_DATA_DIR: Final = Path("/var/lib", _NAME)


def host_system() -> str:
    """`linux`, `darwin`, `windows`, `freebsd` … of the host that this runs on."""
    return "windows" if sys.platform == "win32" else sys.platform.rstrip("0123456789")


def data_dirs(system: str) -> tuple[Path, ...]:
    """That of a service, then that of a user who runs an agent."""
    match system:
        case "windows":
            return _program_data(), Path(os.environ.get("LOCALAPPDATA", Path.home()), _NAME)
        case "darwin":
            support = Path("Library", "Application Support", _NAME)
            return Path("/", support), Path.home() / support
        case "freebsd":
            return Path("/var/db", _NAME), Path.home() / ".config" / "beszel"
        case _:
            return LINUX_DATA_DIR, Path.home() / ".config" / "beszel"


def settings_file(system: str) -> Path:
    """The one that is read without being named."""
    file = f"{_NAME}.toml"
    match system:
        case "windows":
            # Anybody may make an `\etc` there.
            return _program_data() / file
        case "freebsd":
            return Path("/usr/local/etc", file)
        case _:
            return Path("/etc", file)


def _program_data() -> Path:
    return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), _NAME)
