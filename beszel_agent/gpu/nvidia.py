"""NVIDIA GPUs, through the driver's own library (NVML) and its bindings.

The library keeps the GPUs that it knows open, and an open GPU does not go to sleep. So one that sleeps is left out;
one that may go to sleep and has nothing to do is left alone for a while, and the library given back when none is left.
"""

from typing import ClassVar, Final, NamedTuple, Self

import msgspec

from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.gpu.cards import pci_key
from beszel_agent.gpu.clients import DrmClients, largest_processes
from beszel_agent.gpu.nvml import Nvml, NvmlReading, load_nvml
from beszel_agent.gpu.rest import Rests
from beszel_agent.hwmon import is_suspended, list_names
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.sample import GpuMetrics

_VENDOR: Final = "0x10de"
_DISPLAY_CLASS: Final = "0x03"
_RETRY_SECONDS: Final = 60.0
"""After the library told nothing at all: to open it takes long, and a driver of another version stays one."""
_LOOK_AGAIN_SECONDS: Final = 60.0


class Slot(NamedTuple):
    """Where a GPU is plugged in."""

    address: str
    directory: str


class NvidiaReader:
    name: ClassVar[str] = "nvml"

    def __init__(self, paths: HostPaths, nvml: Nvml) -> None:
        self._paths, self._nvml = paths, nvml
        self._slots: list[Slot] = []
        self._look_at = self._retry_at = float("-inf")
        self._rests = Rests()
        self._names: dict[str, str | None] = {}

    @classmethod
    def probe(cls, paths: HostPaths, clients: DrmClients) -> Self:
        if not find_slots(paths):
            raise Unavailable("no NVIDIA GPU on the PCI bus")
        if read_text_or_none(paths.proc("driver/nvidia/version")) is None:
            raise Unavailable("an NVIDIA GPU without NVIDIA's driver: only the driver tells what it does")
        return cls(paths, load_nvml())

    def read(self, now: float) -> dict[str, GpuMetrics]:
        if now >= self._look_at:
            self._slots, self._look_at = find_slots(self._paths), now + _LOOK_AGAIN_SECONDS
        found: dict[str, GpuMetrics] = {}
        awake: list[Slot] = []
        for slot in self._slots:
            is_asleep = is_suspended(f"{slot.directory}/power/runtime_status")
            name = self._names.get(slot.address)
            untouched = self._rests.instead_of_reading(slot.address, name, now, is_suspended=is_asleep)
            if untouched is None:
                awake.append(slot)
            else:
                found[pci_key(slot.address)] = untouched
        found |= self._read_awake(awake, now)
        if awake and not found:
            raise ReadingFailed(f"NVML: {self._nvml.problem}")
        return found

    def _read_awake(self, slots: list[Slot], now: float) -> dict[str, GpuMetrics]:
        found: dict[str, GpuMetrics] = {}
        if now >= self._retry_at:
            for slot in slots:
                reading = self._nvml.read(slot.address)
                if reading is not None:
                    found[pci_key(slot.address)] = self._enter(slot, reading, now)
            if slots and not found:
                self._retry_at = now + _RETRY_SECONDS
        if not found:
            self._nvml.close()
        return found

    def _enter(self, slot: Slot, reading: NvmlReading, now: float) -> GpuMetrics:
        self._names[slot.address] = reading.metrics.name
        if _may_sleep(self._paths, slot) and not reading.metrics.usage_percent and not reading.held_bytes:
            self._rests.let_rest(slot.address, now)
        processes = largest_processes(self._paths, reading.held_bytes)
        return msgspec.structs.replace(reading.metrics, processes=processes)


def find_slots(paths: HostPaths) -> list[Slot]:
    """NVIDIA's display controllers on the PCI bus, whatever their power state."""
    directory = paths.sys("bus/pci/devices")
    slots = [Slot(address, f"{directory}/{address}") for address in sorted(list_names(directory))]
    return [slot for slot in slots if _is_ours(slot)]


def parse_runtime_power(text: str) -> bool:
    """Whether the driver lets the GPU sleep, by its file `power`; it says `?` until it was asked for the first time."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Runtime D3 status":
            return not value.strip().startswith(("Disabled", "Not supported"))
    return False


def _is_ours(slot: Slot) -> bool:
    kind = read_text_or_none(f"{slot.directory}/class") or ""
    return kind.startswith(_DISPLAY_CLASS) and read_text_or_none(f"{slot.directory}/vendor") == _VENDOR


def _may_sleep(paths: HostPaths, slot: Slot) -> bool:
    if read_text_or_none(f"{slot.directory}/power/control") != "auto":
        return False
    return parse_runtime_power(read_text_or_none(paths.proc(f"driver/nvidia/gpus/{slot.address}/power")) or "")
