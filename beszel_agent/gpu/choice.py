"""Which readers of GPUs are used, by `GPU_COLLECTOR`."""

import functools
import logging
from typing import Final

from beszel_agent.config import GPU_TOOLS
from beszel_agent.gpu.amd import AmdReader
from beszel_agent.gpu.intel import IntelReader
from beszel_agent.gpu.jetson import JetsonReader
from beszel_agent.gpu.nvidia import NvidiaReader
from beszel_agent.gpu.reader import GpuReader

READERS: Final[tuple[type[GpuReader], ...]] = (AmdReader, IntelReader, JetsonReader, NvidiaReader)

log = logging.getLogger(__name__)


@functools.cache
def choose_readers(names: tuple[str, ...] | None) -> tuple[type[GpuReader], ...]:
    """Those that are named; all of them if none is, as each finds out for itself whether it has a GPU."""
    wanted: set[str] = set()
    for name in names or ():
        instead = GPU_TOOLS.get(name)
        if instead is None:
            wanted.add(name)
            continue
        log.warning("GPU_COLLECTOR: this agent starts no %s%s", name, f"; {instead} is used instead" * bool(instead))
        wanted |= {instead} - {""}
    return tuple(reader for reader in READERS if not wanted or reader.name in wanted)
