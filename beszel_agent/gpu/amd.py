"""AMD GPUs under amdgpu: usage, memory, power and temperature by sysfs, engines and processes by what clients spent.

The attributes are those of the kernel's `gpu/amdgpu/thermal` and `driver-misc`.
"""

from typing import ClassVar, NamedTuple

from beszel_agent.gpu.amd_library import AmdLibrary
from beszel_agent.gpu.cards import Card, find_hwmon, read_number
from beszel_agent.gpu.clients import DrmClients, Look, engine_shares
from beszel_agent.gpu.drm_reader import DrmReader
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.sample import GpuMetrics


class Memory(NamedTuple):
    used_bytes: int | None
    total_bytes: int | None


class AmdReader(DrmReader[tuple[float, Look]]):
    name: ClassVar[str] = "amd_sysfs"
    drivers = ("amdgpu",)

    def __init__(self, paths: HostPaths, clients: DrmClients) -> None:
        super().__init__(paths, clients)
        self._library = AmdLibrary()

    def measure(self, card: Card, name: str | None, now: float) -> GpuMetrics:
        look = self._clients.read(now)
        hwmon = find_hwmon(card)
        is_shared = _is_part_of_processor(hwmon)
        watts = _power(hwmon)
        usage = _percent(card) if _has_usage(card) else self._library.usage_percent(card.slot)
        memory = _memory(card, with_hosts=is_shared)
        return GpuMetrics(
            name=name or self._library.name(card.slot),
            usage_percent=usage,
            memory_used_bytes=memory.used_bytes,
            memory_total_bytes=memory.total_bytes,
            # What a processor with a GPU in it draws, it draws as a whole.
            power_watts=None if is_shared else watts,
            package_power_watts=watts if is_shared else None,
            temperature_celsius=_temperature(hwmon),
            engines_percent=self._engines(card, now, look),
            processes=self._clients.processes(look, card),
        )

    def _engines(self, card: Card, now: float, look: Look) -> dict[str, float] | None:
        before = self._before.get(card.key)
        self._before[card.key] = (now, look)
        shares = engine_shares(card.slot, before[1], look, now - before[0]) if before is not None else None
        return (shares.by_engine or None) if shares is not None else None


def _has_usage(card: Card) -> bool:
    return read_text_or_none(card.device("gpu_busy_percent")) is not None


def _percent(card: Card) -> float | None:
    percent = read_number(card.device("gpu_busy_percent"))
    return float(percent) if percent is not None and 0 <= percent <= 100 else None


def _memory(card: Card, *, with_hosts: bool) -> Memory:
    """Of the card; of a GPU in a processor also what it uses of the host's, as its own is a small part set aside."""
    kinds = ("vram", "gtt") if with_hosts else ("vram",)
    used = [read_number(card.device(f"mem_info_{kind}_used")) for kind in kinds]
    total = [read_number(card.device(f"mem_info_{kind}_total")) for kind in kinds]
    return Memory(_sum(used), _sum(total))


def _sum(sizes: list[int | None]) -> int | None:
    known = [size for size in sizes if size is not None and size >= 0]
    return sum(known) if known and len(known) == len(sizes) else None


def _is_part_of_processor(hwmon: str | None) -> bool:
    """Only those have the voltage of a northbridge."""
    return hwmon is not None and read_text_or_none(f"{hwmon}/in1_label") == "vddnb"


def _power(hwmon: str | None) -> float | None:
    for name in ("power1_average", "power1_input"):
        microwatts = read_number(f"{hwmon}/{name}") if hwmon is not None else None
        if microwatts is not None and microwatts >= 0:
            return round(microwatts / 1e6, 2)
    return None


def _temperature(hwmon: str | None) -> float | None:
    """The first sensor is that of the edge of the die."""
    raw = read_number(f"{hwmon}/temp1_input") if hwmon is not None else None
    return None if not raw else round(raw / 1000, 1)
