"""Open file handles and entropy, from `/proc/sys`."""

from typing import ClassVar, Final, Self

from beszel_agent.collector import NeverWaits
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import KernelMetrics, Metrics

_NO_LIMIT: Final = 1 << 62
"""What the kernel prints for no limit is 2^63 - 1."""


class KernelCollector(NeverWaits):
    name: ClassVar[str] = "kernel"
    fields: ClassVar[tuple[str, ...]] = ("kernel",)
    pace_seconds: ClassVar[float] = 10

    def __init__(self, file_nr: HostFile, entropy: HostFile | None) -> None:
        self._file_nr, self._entropy = file_nr, entropy

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            file_nr = paths.proc_file("sys/fs/file-nr")
        except OSError as error:
            raise Unavailable(f"no /proc/sys/fs/file-nr: {error.strerror}") from error
        try:
            entropy = paths.proc_file("sys/kernel/random/entropy_avail")
        except OSError:
            entropy = None
        return cls(file_nr, entropy)

    def collect(self, now: float) -> Metrics:
        handles, limit = parse_file_nr(self._file_nr.read())
        entropy = None if self._entropy is None else int(self._entropy.read())
        return Metrics(kernel=KernelMetrics(file_handles=handles, file_handles_limit=limit, entropy_bits=entropy))


def parse_file_nr(text: bytes) -> tuple[int, int | None]:
    """Handles in use and how many there may be. Old kernels keep freed ones, the second number, among the first."""
    words = text.split()
    if len(words) < 3:
        raise ReadingFailed("/proc/sys/fs/file-nr: three numbers expected")
    allocated, free, limit = map(int, words[:3])
    return max(0, allocated - free), limit if limit < _NO_LIMIT else None
