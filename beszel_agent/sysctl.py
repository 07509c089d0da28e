"""What the kernels of macOS and the BSDs keep under a name, by sysctlbyname(3), and macOS's name of the machine."""

import ctypes
import sys
from typing import Final

_UUID_BYTES: Final = 16
_MAX_BYTES: Final = 64 << 10


def read_sysctl(name: str, library: str | None = None) -> bytes | None:
    """None if the kernel knows no such name. `library` is the C library; None for the one in this process."""
    try:
        ask = ctypes.CDLL(library).sysctlbyname
    except (AttributeError, OSError, TypeError):
        return None
    size = ctypes.c_size_t(0)
    ask.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    if ask(name.encode(), None, ctypes.byref(size), None, 0) != 0 or not 0 < size.value <= _MAX_BYTES:
        return None
    value = ctypes.create_string_buffer(size.value)
    if ask(name.encode(), value, ctypes.byref(size), None, 0) != 0:
        return None
    return value.raw[: size.value]


def read_sysctl_text(name: str, library: str | None = None) -> str | None:
    value = read_sysctl(name, library)
    return None if value is None else value.rstrip(b"\0").decode("utf-8", "replace").strip() or None


def read_sysctl_integer(name: str, library: str | None = None) -> int | None:
    """An int, a long or a 64-bit counter, whichever the kernel answers with."""
    value = read_sysctl(name, library)
    return int.from_bytes(value, sys.byteorder, signed=True) if value is not None and len(value) in {4, 8} else None


def read_machine_uuid(library: str | None = None) -> str | None:
    """What macOS calls the machine, by gethostuuid(2); without hyphens."""
    try:
        ask = ctypes.CDLL(library).gethostuuid
    except (AttributeError, OSError, TypeError):
        return None
    uuid, no_wait = ctypes.create_string_buffer(_UUID_BYTES), (ctypes.c_long * 2)(1, 0)
    return uuid.raw.hex() if ask(uuid, no_wait) == 0 else None
