"""Model hosts, second by second: an idle server, and one that is busy with 20 containers.

Made of whole numbers as the kernel counts them (clock ticks, pages, sectors, packets), so that what compresses and what
does not is as on real hosts. The same seed gives the same host.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from operator import add
from random import Random
from typing import Any, NamedTuple

from beszel_hub.metrics.strands import Strand
from beszel_protocol.addresses import parse_address
from beszel_protocol.metrics import Rollup

_PAGE = 4096
_SECTOR = 512
_CALM_SHARE = 0.75
_DRAWN = 2048
_parse = cache(parse_address)


class Column(NamedTuple):
    """One series: whole numbers of `places`."""

    address: str
    values: Sequence[int]
    places: int


class Traits(NamedTuple):
    cores: int
    ticks: int
    """Of a processor's hundred a second: how many are used at most."""
    pages: int
    """By which memory changes at most."""
    packets: int
    containers: int


QUIET = Traits(cores=8, ticks=2, pages=3, packets=4, containers=0)
BUSY = Traits(cores=16, ticks=60, pages=4000, packets=900, containers=20)


class ModelHost:
    def __init__(self, traits: Traits, seed: int, seconds: int) -> None:
        self._traits = traits
        self._random = Random(seed)  # noqa: S311  # not for secrets
        self._seconds = seconds
        self.columns = [*self._cpu(), *self._memory(), *self._disks(), *self._network(), *self._others()]
        for index in range(traits.containers):
            self.columns += self._container(f"service-{index}")

    def strands(self, from_ms: int, step_ms: int = 1000) -> dict[str, Strand]:
        """Every series, one sample a step from an instant on."""
        instants = range(from_ms, from_ms + step_ms * self._seconds, step_ms)
        return {
            column.address: Strand(instants, column.values, column.places, _is_counter(column.address))
            for column in self.columns
        }

    def document(self, second: int) -> dict[str, Any]:
        """One sample as it is stored."""
        root: dict[str, Any] = {}
        for column in self.columns:
            value = column.values[second]
            _put(root, column.address, value / 10**column.places if column.places else value)
        return root

    def _choose(self, most: int) -> list[int]:
        """Small numbers more often than large ones, in bursts."""
        numbers = range(most + 1)
        calm = self._random.choices(numbers, [1 / (1 + number) ** 2 for number in numbers], k=_DRAWN)
        chosen: list[int] = []
        while len(chosen) < self._seconds:
            population = calm if self._random.random() < _CALM_SHARE else numbers
            chosen += self._random.choices(population, k=self._random.randrange(20, 120))
        return chosen[: self._seconds]

    def _constant(self, address: str, value: int, places: int = 0) -> Column:
        return Column(address, [value] * self._seconds, places)

    def _percent(self, address: str, counts: Sequence[int], whole: int) -> Column:
        return Column(address, [round(10_000 * count / whole) for count in counts], 2)

    def _counter(self, address: str, steps: Sequence[int]) -> Column:
        return Column(address, list(accumulate(steps, initial=self._random.randrange(1 << 40)))[1:], 0)

    def _cpu(self) -> Iterator[Column]:
        cores = [self._choose(self._traits.ticks) for _ in range(self._traits.cores)]
        used = list(map(sum, zip(*cores, strict=True)))
        whole = 100 * self._traits.cores
        yield self._percent("cpu.usage_percent", used, whole)
        yield self._percent("cpu.user_percent", [ticks * 2 // 3 for ticks in used], whole)
        yield self._percent("cpu.system_percent", [ticks - ticks * 2 // 3 for ticks in used], whole)
        yield self._percent("cpu.iowait_percent", self._choose(max(1, self._traits.ticks // 8)), whole)
        yield self._constant("cpu.steal_percent", 0, 2)
        for index, ticks in enumerate(cores):
            yield self._percent(f"cpu.cores_percent[{index}]", ticks, 100)
        for index, minutes in enumerate((1, 5, 15)):
            loads = _smoothed(used, 60 * minutes)
            # The kernel computes them every five seconds.
            shown = [loads[second - second % 5] for second in range(self._seconds)]
            yield Column(f"cpu.load_average[{index}]", shown, 2)
        yield self._percent("cpu.pressure_percent", self._choose(self._traits.ticks // 4), 100)

    def _memory(self) -> Iterator[Column]:
        pages = list(accumulate(self._change(self._traits.pages), initial=500_000))[1:]
        cache = list(accumulate(self._change(self._traits.pages), initial=900_000))[1:]
        yield self._constant("memory.total_bytes", 32 << 30)
        yield Column("memory.used_bytes", [count * _PAGE for count in pages], 0)
        yield self._percent("memory.usage_percent", pages, 8 << 20)
        yield Column("memory.cache_bytes", [count * _PAGE for count in cache], 0)
        yield self._constant("memory.swap_total_bytes", 2 << 30)
        yield self._constant("memory.swap_used_bytes", 3 << 20)
        yield self._constant("memory.pressure_percent", 0, 2)

    def _change(self, most: int) -> list[int]:
        signs = self._random.choices((-1, 0, 1), (1, 2, 1), k=self._seconds)
        return [sign * size for sign, size in zip(signs, self._choose(most), strict=True)]

    def _disks(self) -> Iterator[Column]:
        for mount, share in (("/", 1), ("/data", 3)):
            prefix = f"disk[{mount}]"
            flushed = [
                count if second % 5 == share else 0 for second, count in enumerate(self._choose(self._traits.pages))
            ]
            read = self._choose(self._traits.pages // 64)
            used = list(accumulate(flushed, initial=7_000_000))[1:]
            yield self._constant(f"{prefix}.total_bytes", 512 << 30)
            yield Column(f"{prefix}.used_bytes", [count * _PAGE for count in used], 0)
            yield self._percent(f"{prefix}.usage_percent", used, 128 << 20)
            yield self._constant(f"{prefix}.inodes_total", 32 << 20)
            yield Column(f"{prefix}.inodes_used", [300_000 + count // 64 for count in used], 0)
            yield self._constant(f"{prefix}.inodes_usage_percent", 91, 2)
            yield self._constant(f"{prefix}.read_only", 0)
            for name, counts in (("read", read), ("write", flushed)):
                yield self._counter(f"{prefix}.io_{name}_bytes", [8 * _SECTOR * count for count in counts])
                yield Column(f"{prefix}.{name}_bytes_per_second", [8 * _SECTOR * count for count in counts], 0)
                yield Column(f"{prefix}.{name}_await_ms", [30 + count % 97 if count else 0 for count in counts], 2)
                yield self._percent(f"{prefix}.{name}_time_percent", [min(1000, count) for count in counts], 1000)
            yield self._percent(f"{prefix}.utilization_percent", [min(1000, count) for count in flushed], 1000)
            yield Column(f"{prefix}.queue_depth", [min(400, count // 9) for count in flushed], 2)

    def _network(self) -> Iterator[Column]:
        sizes = (66, 66, 74, 90, 150, 590, 1514)
        total = {"sent": [0] * self._seconds, "recv": [0] * self._seconds}
        for name, share in (("eth0", 1), ("eth1", 8)):
            prefix = f"network.interfaces[{name}]"
            for way in ("sent", "recv"):
                packets = self._choose(max(1, self._traits.packets // share))
                carried = [
                    count * size
                    for count, size in zip(packets, self._random.choices(sizes, k=self._seconds), strict=True)
                ]
                total[way] = list(map(add, total[way], carried))
                yield self._counter(f"{prefix}.bytes_{way}", carried)
                yield Column(f"{prefix}.{way}_bytes_per_second", carried, 0)
            yield self._constant(f"{prefix}.link_bytes_per_second", 125_000_000)
            yield self._constant(f"{prefix}.errors", 0)
            yield self._constant(f"{prefix}.drops", 3)
        for way, carried in total.items():
            yield self._counter(f"network.bytes_{way}", carried)
            yield Column(f"network.{way}_bytes_per_second", carried, 0)

    def _others(self) -> Iterator[Column]:
        for index in range(6):
            drift = accumulate(self._random.choices((-1, 0, 1), (1, 40, 1), k=self._seconds), initial=45 + index)
            yield Column(f"temperatures[coretemp_core_{index}]", [10 * degrees for degrees in drift][1:], 1)
        yield Column("fans[nct6775_fan1]", [900 + 3 * step for step in self._choose(4)], 0)
        yield self._constant("services.total", 61)
        yield self._constant("services.failed", 0)
        yield Column("uptime_seconds", [10 * second for second in range(8_640_000, 8_640_000 + self._seconds)], 1)

    def _container(self, name: str) -> Iterator[Column]:
        prefix = f"containers[{name}]"
        pages = accumulate(self._change(self._traits.pages // 40), initial=self._random.randrange(5_000, 90_000))
        yield self._percent(f"{prefix}.cpu_percent", self._choose(self._traits.ticks), 100 * self._traits.cores)
        yield Column(f"{prefix}.memory_bytes", [count * _PAGE for count in pages][1:], 0)
        for way in ("rx", "tx"):
            carried = [66 * count for count in self._choose(self._traits.packets // 40)]
            yield self._counter(f"{prefix}.network_{way}", carried)
            yield Column(f"{prefix}.{way}_bytes_per_second", carried, 0)
        for way in ("read", "write"):
            sectors = [count if count > 30 else 0 for count in self._choose(40)]
            yield Column(f"{prefix}.{way}_bytes_per_second", [_PAGE * count for count in sectors], 0)


def _smoothed(ticks: Sequence[int], seconds: int) -> list[int]:
    """Hundredths of a load that follows what is used."""
    load = 0.0
    loads = []
    for used in ticks:
        load += (used / 100 - load) / seconds
        loads.append(round(100 * load))
    return loads


def _is_counter(address: str) -> bool:
    metric = parse_address(address).metric
    if metric is None:
        raise ValueError(f"no such series: {address}")
    return metric.rollup is Rollup.LAST


def _put(root: dict[str, Any], address: str, value: float) -> None:
    """Lists are filled in the order of their positions; containers are known by name."""
    steps = _parse(address)
    node: Any = root
    for step, following in pairwise((*steps, None)):
        if step is None:
            return
        is_last = following is None
        if step.key is None:
            if is_last:
                node[step.name] = value
            else:
                node = node.setdefault(step.name, {})
        elif step.name in {"cores_percent", "load_average"}:
            node.setdefault(step.name, []).append(value)
        elif step.name == "containers":
            items = node.setdefault(step.name, [])
            if not items or items[-1]["name"] != step.key:
                items.append({"id": f"{hash_of(step.key):012x}", "name": step.key, "health": "healthy", "status": "Up"})
            node = items[-1]
        elif is_last:
            node.setdefault(step.name, {})[step.key] = value
        else:
            node = node.setdefault(step.name, {}).setdefault(step.key, {})


def hash_of(name: str) -> int:
    """An id that depends on nothing else."""
    return int.from_bytes(name.encode()[-6:], "big")
