"""Where tests keep their files: in memory where there is room, since databases wait for their disk again and again."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import pytest

_ROOM_BYTES: Final = 4 << 30
_ROOT: Final = "PYTEST_DEBUG_TEMPROOT"


@cache
def roomy_memory() -> str | None:
    """A directory in memory for some gigabytes of files, programs among them; None where there is none."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return None
    runs_programs = not os.statvfs(memory).f_flag & os.ST_NOEXEC
    is_roomy = shutil.disk_usage(memory).free > _ROOM_BYTES
    return str(memory) if runs_programs and is_roomy else None


def keep_files_in_memory() -> None:
    """Those of `tmp_path` and the like, unless pytest was told another place."""
    memory = roomy_memory()
    if memory is not None:
        os.environ.setdefault(_ROOT, memory)


def keep_paths_short(config: pytest.Config) -> None:
    """Where several processes run tests, each has a folder more in its paths, and those of sockets have 107 bytes."""
    if getattr(config.option, "numprocesses", None) and config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="t-", dir=roomy_memory())
        atexit.register(shutil.rmtree, config.option.basetemp, ignore_errors=True)
