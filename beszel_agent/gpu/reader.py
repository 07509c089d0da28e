"""What a reader of GPUs is."""

from typing import ClassVar, Protocol, Self

from beszel_agent.gpu.clients import DrmClients
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import GpuMetrics


class GpuReader(Protocol):
    """One way to read GPUs. Keys are PCI addresses where there are any, so that no two readers give out the same."""

    name: ClassVar[str]
    """As `GPU_COLLECTOR` has it."""

    @classmethod
    def probe(cls, paths: HostPaths, clients: DrmClients) -> Self:
        """Raise `Unavailable` if this host has no GPU for it. Nothing is loaded and no GPU is woken before."""

    def read(self, now: float) -> dict[str, GpuMetrics]:
        """Every GPU by its key. Raise `ReadingFailed` if none could be read. Never called twice at the same time."""
