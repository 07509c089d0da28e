"""Programs as the user nobody, started by root.

The interpreter may lie where only root gets to, such as below `/root`. `python -m tests.support.unprivileged PROGRAM …`
makes a way to it in its own view of the filesystems, gives up all that root has, and becomes the program.
"""

import ctypes
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USER = "nobody"

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x20000
_MS_BIND = 0x1000
_MS_REC_PRIVATE = 0x4000 | 1 << 18
_OTHERS_MAY_PASS = 0o001
_CLOSED = "--closed="


def as_nobody(*argv: str, closed: Path | None = None) -> list[str]:
    """The command line that starts `argv` as nobody; with `closed`, a filesystem is mounted where nobody cannot go."""
    option = [] if closed is None else [f"{_CLOSED}{closed}"]
    return [sys.executable, "-m", "tests.support.unprivileged", *option, *argv]


@contextmanager
def home_of_nobody() -> Iterator[Path]:
    """A directory of nobody's own; those of pytest are closed to it. Skip the test where nobody can become nobody."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    home = Path(tempfile.mkdtemp(prefix="nobody-"))
    user = pwd.getpwnam(USER)
    try:
        _try_out(home / "tried")
        os.chown(home, user.pw_uid, user.pw_gid)
        yield home
    finally:
        shutil.rmtree(home)


def _try_out(directory: Path) -> None:
    """Root of a container may lack what it takes."""
    argv = as_nobody(sys.executable, "-c", "", closed=directory / "disk")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    tried = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=False)
    shutil.rmtree(directory, ignore_errors=True)
    if tried.returncode != 0:
        pytest.skip(f"root may not become another user here: {tried.stderr.splitlines()[-1]}")


def main(argv: list[str]) -> None:
    user = pwd.getpwnam(USER)
    closed = argv.pop(0).removeprefix(_CLOSED) if argv[0].startswith(_CLOSED) else None
    barred = [path for path in (sys.base_prefix, sys.prefix, str(ROOT)) if _barrier(path) is not None]
    if barred or closed is not None:
        _have_own_view()
    _make_way_to(barred)
    if closed is not None:
        _mount_closed(Path(closed))
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.execv(argv[0], argv)  # noqa: S606 - no shell is wanted


def _barrier(path: str) -> str | None:
    """The first directory on the way to `path` that others may not pass."""
    for directory in (*reversed(Path(path).parents), Path(path)):
        if not directory.stat().st_mode & _OTHERS_MAY_PASS:
            return str(directory)
    return None


def _have_own_view() -> None:
    _check(_LIBC.unshare(_CLONE_NEWNS))
    _check(_LIBC.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC_PRIVATE), None))


def _make_way_to(paths: list[str]) -> None:
    """Put an open, empty directory over each barrier, and in it what was asked for."""
    kept = [(os.open(path, os.O_PATH | os.O_DIRECTORY), path) for path in paths]
    for barrier in {_barrier(path) for path in paths} - {None}:
        _mount_memory(str(barrier))
    for descriptor, path in kept:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103
        source = f"/proc/self/fd/{descriptor}".encode()
        _check(_LIBC.mount(source, os.fsencode(path), None, ctypes.c_ulong(_MS_BIND), None))
        os.close(descriptor)


def _mount_closed(point: Path) -> None:
    point.mkdir(parents=True)
    point.parent.chmod(0o700)
    _mount_memory(str(point))


def _mount_memory(point: str) -> None:
    _check(_LIBC.mount(b"tmpfs", os.fsencode(point), b"tmpfs", ctypes.c_ulong(0), b"mode=755"))


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
