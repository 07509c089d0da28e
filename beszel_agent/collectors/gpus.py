"""Every GPU of the host, by whichever ways of reading one find something."""

import logging
import os
from typing import TYPE_CHECKING, ClassVar, Final, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable, describe
from beszel_agent.grants import PTRACE, describe_need
from beszel_agent.hwmon import list_names
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import GpuMetrics, Metrics

if TYPE_CHECKING:
    from beszel_agent.gpu.reader import GpuReader

_FAILURES: Final = (OSError, ValueError, ReadingFailed)

log = logging.getLogger(__name__)


class GpusCollector:
    name: ClassVar[str] = "gpus"
    fields: ClassVar[tuple[str, ...]] = ("gpus",)
    pace_seconds: ClassVar[float] = 3

    def __init__(self, paths: HostPaths, names: tuple[str, ...] | None) -> None:
        # What reads GPUs is loaded where there is one.
        from beszel_agent.gpu.choice import choose_readers  # noqa: PLC0415
        from beszel_agent.gpu.clients import DrmClients  # noqa: PLC0415

        self._paths = paths
        self._clients = DrmClients(paths)
        self._kinds = choose_readers(names)
        self._listing: frozenset[str] = frozenset()
        self._readers: dict[str, GpuReader] = {}
        self._asked: set[str] = set()
        self._problems: dict[str, str] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if config.skip_gpu:
            raise Unavailable("SKIP_GPU is set")
        if not _may_have_gpu(paths):
            raise Unavailable("no GPU with a driver")
        collector = cls(paths, config.gpu_collector)
        reasons = collector.find_readers()
        if not collector._readers:
            raise Unavailable("; ".join(reasons))
        return collector

    def shortfall(self) -> str | None:
        reasons = [f"{name}: {problem}" for name, problem in self._problems.items()]
        if not self._clients.sees_all:
            reasons.append(describe_need("what other users' processes do on the GPU", [PTRACE]))
        return "; ".join(reasons) or None

    def find_readers(self) -> list[str]:
        """Set those to work that find a GPU, also one that was plugged in meanwhile. Returns why others do not."""
        listing = frozenset(list_names(self._paths.sys("class/drm")))
        if self._readers and listing == self._listing:
            return []
        self._listing = listing
        reasons: list[str] = []
        for kind in self._kinds:
            if kind.name not in self._readers:
                try:
                    self._readers[kind.name] = kind.probe(self._paths, self._clients)
                except Unavailable as error:
                    reasons.append(str(error))
        return reasons

    def collect(self, now: float) -> Metrics:
        self.find_readers()
        found: dict[str, GpuMetrics] = {}
        reasons: list[str] = []
        for reader in tuple(self._readers.values()):
            # One that never answered keeps its mark, and with it the thread that asked; the next thread passes it by.
            if reader.name in self._asked:
                reasons.append(f"{reader.name} does not answer")
                continue
            self._asked.add(reader.name)
            try:
                found |= reader.read(now)
                self._problems.pop(reader.name, None)
            except _FAILURES as error:
                reasons.append(self._tell(reader.name, describe(error)))
            finally:
                self._asked.discard(reader.name)
        if reasons and not found:
            raise ReadingFailed("; ".join(reasons))
        return Metrics(gpus=found or None)

    def _tell(self, name: str, problem: str) -> str:
        if self._problems.get(name) != problem:
            self._problems[name] = problem
            log.info("GPUs by %s: %s", name, problem)
        return problem


def _may_have_gpu(paths: HostPaths) -> bool:
    return (
        any(name.startswith("card") for name in list_names(paths.sys("class/drm")))
        or bool(list_names(paths.sys("class/devfreq")))
        or os.path.exists(paths.proc("driver/nvidia/version"))  # noqa: PTH110 - a text, not a Path
        or os.path.exists(paths.sys("devices/gpu.0"))  # noqa: PTH110
    )
