"""Values of the registry of Windows."""

import sys


def read_registry(key: str, name: str) -> str | int | None:
    """Of the machine, as its native programs see it; None if there is no such value, or no registry."""
    if sys.platform != "win32":
        return None
    import winreg  # noqa: PLC0415 - only there

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            value = winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None
    return value if isinstance(value, str | int) else None
