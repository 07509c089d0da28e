"""The only file that knows NVML's bindings. They are loaded where NVIDIA's driver runs, and nowhere else."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from beszel_agent.errors import Unavailable
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import GpuMetrics

_MILLI: Final = 1000

T = TypeVar("T")

log = logging.getLogger(__name__)


class NvmlReading(NamedTuple):
    metrics: GpuMetrics
    held_bytes: Mapping[int, int]
    """Memory by process id."""


class Nvml:
    """The library, opened when it is asked and given back when nobody needs it."""

    def __init__(self, bindings: Any) -> None:
        self._bindings = bindings
        self._is_open = False
        self.problem: str | None = None
        """What it complained of last."""

    def read(self, address: str) -> NvmlReading | None:
        """What it tells of the GPU at a PCI address; None, and `problem`, if nothing."""
        try:
            if not self._is_open:
                # Not to attach: opening the library would wake every GPU of the host.
                self._bindings.nvmlInitWithFlags(self._bindings.NVML_INIT_FLAG_NO_ATTACH)
                self._is_open = True
            handle = self._bindings.nvmlDeviceGetHandleByPciBusId(address.encode())
        except self._bindings.NVMLError as error:
            self.problem = clean_text(str(error))
            return None
        return self._read(handle)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._bindings.nvmlShutdown()
        except self._bindings.NVMLError as error:
            log.debug("NVML: %s", error)

    def _read(self, handle: Any) -> NvmlReading:
        nvml = self._bindings
        name = self._ask(nvml.nvmlDeviceGetName, handle)
        utilization = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2)
        if memory is None:
            memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        milliwatts = self._ask(nvml.nvmlDeviceGetPowerUsage, handle)
        celsius = self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        metrics = GpuMetrics(
            name=clean_text(name) if name else None,
            usage_percent=None if utilization is None else float(utilization.gpu),
            memory_used_bytes=None if memory is None else memory.used,
            memory_total_bytes=None if memory is None else memory.total,
            power_watts=None if milliwatts is None else round(milliwatts / _MILLI, 2),
            temperature_celsius=None if celsius is None else float(celsius),
            engines_percent=self._read_engines(handle) or None,
        )
        return NvmlReading(metrics, self._read_processes(handle))

    def _read_engines(self, handle: Any) -> dict[str, float]:
        asked = {
            "encoder": self._ask(self._bindings.nvmlDeviceGetEncoderUtilization, handle),
            "decoder": self._ask(self._bindings.nvmlDeviceGetDecoderUtilization, handle),
        }
        return {engine: float(answer[0]) for engine, answer in asked.items() if answer is not None}

    def _read_processes(self, handle: Any) -> dict[int, int]:
        """One that computes and draws is in both lists with the same memory."""
        held: dict[int, int] = {}
        for kind in ("Compute", "Graphics"):
            question = f"nvmlDeviceGet{kind}RunningProcesses"
            processes = self._ask(getattr(self._bindings, question), handle)
            if processes is None:  # as of drivers before 510
                processes = self._ask(getattr(self._bindings, f"{question}_v2"), handle)
            for process in processes or ():
                held[process.pid] = max(held.get(process.pid, 0), process.usedGpuMemory or 0)
        return held

    def _ask(self, question: Callable[..., T], *arguments: Any) -> T | None:
        """None if this GPU or this version of the driver does not tell it."""
        try:
            return question(*arguments)
        except (self._bindings.NVMLError, self._bindings.NVMLLibraryMismatchError):
            return None


def load_nvml() -> Nvml:
    """Raise `Unavailable` if the bindings are not installed. The library itself is opened at the first question."""
    try:
        import pynvml  # noqa: PLC0415 - 4 MB that only hosts with such a GPU are to carry
    except ImportError as error:
        raise Unavailable("NVIDIA's driver is there, nvidia-ml-py is not: pip install 'beszel-suite[gpu]'") from error
    return Nvml(pynvml)
