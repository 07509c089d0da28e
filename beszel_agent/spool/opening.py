"""Opens the spool where it should be, or at least one."""

import logging
import os
from pathlib import Path

from beszel_agent.errors import describe
from beszel_agent.host import Boot
from beszel_agent.settings import SpoolLimit
from beszel_agent.spool.disk import DiskSpool
from beszel_agent.spool.interface import Spool
from beszel_agent.spool.memory import MemorySpool
from beszel_agent.spool.recovery import make_id

log = logging.getLogger(__name__)


def open_spool(directory: Path, boot: Boot, limit: SpoolLimit, instant_ms: int) -> Spool:
    """A spool in `directory`; one in memory, with an id of its own, if that cannot be written to."""
    if not hasattr(os, "O_DIRECTORY"):
        # Windows neither syncs a directory nor takes away a file that is open, and the one on disk needs both.
        return MemorySpool(make_id(), max_age_ms=limit.age_ms, max_bytes=limit.size_bytes)
    try:
        return DiskSpool(
            directory, boot_id=boot.id, instant_ms=instant_ms, boot_ms=boot.ms,
            max_age_ms=limit.age_ms, max_bytes=limit.size_bytes,
        )  # fmt: skip
    except OSError as error:
        problem = describe(error)
        log.warning("the spool is kept in memory, where a restart loses it: %s", problem)
        return MemorySpool(make_id(), max_age_ms=limit.age_ms, max_bytes=limit.size_bytes, problem=problem)
