"""What the kernel's interface for graphics libraries tells of AMD GPUs and sysfs of older kernels does not.

`pyamdgpuinfo` is only loaded where something is missing, and only if it is installed. While it is loaded it keeps the
GPU open, so a GPU whose sysfs tells everything never meets it.
"""

import logging
from typing import Any

from beszel_protocol.hygiene import clean_text

log = logging.getLogger(__name__)


class AmdLibrary:
    def __init__(self) -> None:
        self._gpus: dict[str, Any] | None = None

    def usage_percent(self, slot: str) -> float | None:
        if self._gpus is None:
            self._gpus = _open_gpus()
        gpu = self._gpus.get(slot)
        try:
            return None if gpu is None else round(min(100.0, max(0.0, 100 * float(gpu.query_load()))), 1)
        except (OSError, RuntimeError, ValueError):
            return None

    def name(self, slot: str) -> str | None:
        """What the library calls a GPU that it has open already; no GPU is opened for its name."""
        name = getattr((self._gpus or {}).get(slot), "name", None)
        return clean_text(name) if isinstance(name, str) and name else None


def _open_gpus() -> dict[str, Any]:
    """By PCI address; nothing if the library is not there or may open none."""
    try:
        import pyamdgpuinfo  # noqa: PLC0415 - for the few hosts that need it
    except ImportError:
        return {}
    try:
        gpus = [pyamdgpuinfo.get_gpu(index) for index in range(pyamdgpuinfo.detect_gpus())]
    except (OSError, RuntimeError) as error:
        log.info("pyamdgpuinfo: %s", error)
        return {}
    return {str(gpu.pci_slot): gpu for gpu in gpus}
