"""A bucket of history as Beszel's clients know it: the short keys of its `system_stats`, in its units. Pure.

Its MB and GB are powers of 1024. What was not read is left out; keys for what this host has none of as well.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from beszel_hub.metrics.sheet import Page, Sheet

PARTS: Final = frozenset({"cpu", "memory", "disk", "network", "temperatures", "fans", "batteries", "gpus"})
"""The members of a sample that it is made from."""

_GIB: Final = 1 << 30
_MIB: Final = 1 << 20
_ROOT: Final = "/"
_BATTERY_STATES: Final = {"empty": 1, "full": 2, "charging": 3, "discharging": 4, "idle": 5}
_IO: Final = (
    "read_time_percent", "write_time_percent", "utilization_percent", "read_await_ms", "write_await_ms", "queue_depth",
)  # fmt: skip
_CPU: Final = ("user_percent", "system_percent", "iowait_percent", "steal_percent")


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Words that roll-ups do not have, as the newest sample has them."""

    gpus: Mapping[str, str] = {}
    battery: str = ""
    """The one that stands for the host."""
    battery_state: str = ""


def names_of(document: Mapping[str, Any]) -> Names:
    """Of a sample as it is stored."""
    batteries: Mapping[str, Any] = document.get("batteries") or {}
    battery = next(iter(batteries), "")
    return Names(
        gpus={key: str(gpu.get("name") or key) for key, gpu in (document.get("gpus") or {}).items()},
        battery=battery,
        battery_state=str(batteries[battery].get("state") or "") if battery else "",
    )


def make_stats(sheet: Sheet, index: int, names: Names) -> dict[str, Any]:
    """The `stats` of one bucket; empty if nothing was read in it."""
    page = sheet.page(index)
    disks = sheet.keys("disk[]")
    root = _ROOT if _ROOT in disks else next(iter(disks), _ROOT)
    extra = {mount: _filesystem(page, mount) for mount in disks if mount != root}
    gpus = {key: _gpu(page, key, names) for key in sheet.keys("gpus[]")}
    stats = {
        **_cpu(page), **_memory(page), **_root_disk(page, root), **_network(page, sheet), **_sensors(page, names),
        "efs": {mount: told for mount, told in extra.items() if told},
        "g": {key: told for key, told in gpus.items() if len(told) > 1},
    }  # fmt: skip
    return _told(stats)


def _cpu(page: Page) -> dict[str, Any]:
    usage = page.main("cpu.usage_percent")
    shares = [page.main(f"cpu.{name}") for name in _CPU]
    idle = None if usage is None else max(0.0, 100 - usage - (shares[2] or 0))
    return {
        "cpu": _two(usage),
        "cpum": _two(page.high("cpu.usage_percent")),
        "cpub": _list([*shares, idle]),
        "cpus": [round(core or 0) for core in page.by_position("cpu.cores_percent[]")],
        "la": _list(page.by_position("cpu.load_average[]")),
    }


def _memory(page: Page) -> dict[str, Any]:
    return {
        "m": _scaled(page.main("memory.total_bytes"), _GIB),
        "mu": _scaled(page.main("memory.used_bytes"), _GIB),
        "mm": _scaled(page.high("memory.used_bytes"), _GIB),
        "mp": _two(page.main("memory.usage_percent")),
        "mb": _scaled(page.main("memory.cache_bytes"), _GIB),
        "mz": _scaled(page.main("memory.zfs_arc_bytes"), _GIB),
        "s": _scaled(page.main("memory.swap_total_bytes"), _GIB),
        "su": _scaled(page.main("memory.swap_used_bytes"), _GIB),
    }


def _root_disk(page: Page, mount: str) -> dict[str, Any]:
    return {
        "d": _scaled(page.main("disk[].total_bytes", mount), _GIB),
        "du": _scaled(page.main("disk[].used_bytes", mount), _GIB),
        "dp": _two(page.main("disk[].usage_percent", mount)),
        "dio": _pair(_rate(page, mount, "read"), _rate(page, mount, "write")),
        "diom": _pair(_peak(page, mount, "read"), _peak(page, mount, "write")),
        "dios": _io([page.main(f"disk[].{name}", mount) for name in _IO]),
        "diosm": _io([page.high(f"disk[].{name}", mount) for name in _IO]),
    }


def _filesystem(page: Page, mount: str) -> dict[str, Any]:
    read, write = _rate(page, mount, "read"), _rate(page, mount, "write")
    read_peak, write_peak = _peak(page, mount, "read"), _peak(page, mount, "write")
    return _told({
        "d": _scaled(page.main("disk[].total_bytes", mount), _GIB),
        "du": _scaled(page.main("disk[].used_bytes", mount), _GIB),
        "r": _scaled(read, _MIB), "w": _scaled(write, _MIB),
        "rm": _scaled(read_peak, _MIB), "wm": _scaled(write_peak, _MIB),
        "rb": _whole(read), "wb": _whole(write), "rbm": _whole(read_peak), "wbm": _whole(write_peak),
        "dios": _io([page.main(f"disk[].{name}", mount) for name in _IO]),
        "diosm": _io([page.high(f"disk[].{name}", mount) for name in _IO]),
    })  # fmt: skip


def _rate(page: Page, mount: str, way: str) -> float | None:
    return page.main(f"disk[].{way}_bytes_per_second", mount)


def _peak(page: Page, mount: str, way: str) -> float | None:
    return page.high(f"disk[].{way}_bytes_per_second", mount)


def _network(page: Page, sheet: Sheet) -> dict[str, Any]:
    ways = ("sent", "recv")
    interfaces = {}
    for name in sheet.keys("network.interfaces[]"):
        rates = [page.main(f"network.interfaces[].{way}_bytes_per_second", name) for way in ways]
        totals = [page.main(f"network.interfaces[].bytes_{way}", name) for way in ways]
        if any(value is not None for value in (*rates, *totals)):
            interfaces[name] = [round(value or 0) for value in (*rates, *totals)]
    return {
        "b": _pair(*(page.main(f"network.{way}_bytes_per_second") for way in ways)),
        "bm": _pair(*(page.high(f"network.{way}_bytes_per_second") for way in ways)),
        "ni": interfaces,
    }


def _sensors(page: Page, names: Names) -> dict[str, Any]:
    charges = page.by_key("batteries[].charge_percent", make=round)
    own = charges.get(names.battery)
    return {
        "t": page.by_key("temperatures[]", make=_rounded),
        "f": page.by_key("fans[]", make=round),
        "bats": charges,
        "bat": None if own is None else [own, _BATTERY_STATES.get(names.battery_state, 0)],
    }


def _gpu(page: Page, key: str, names: Names) -> dict[str, Any]:
    return _told({
        "n": names.gpus.get(key, key),
        "u": _two(page.main("gpus[].usage_percent", key)),
        "mu": _scaled(page.main("gpus[].memory_used_bytes", key), _MIB),
        "mt": _scaled(page.main("gpus[].memory_total_bytes", key), _MIB),
        "p": _two(page.main("gpus[].power_watts", key)),
        "pp": _two(page.main("gpus[].package_power_watts", key)),
        "e": page.by_key("gpus[].engines_percent[]", key, make=_rounded),
    })  # fmt: skip


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None and value not in ({}, [])}


def _two(value: float | None) -> float | None:
    return None if value is None else _rounded(value)


def _rounded(value: float) -> float:
    return round(value, 2)


def _scaled(value: float | None, unit: int) -> float | None:
    return None if value is None else round(value / unit, 2)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _pair(one: float | None, other: float | None) -> list[int] | None:
    return None if one is None and other is None else [round(one or 0), round(other or 0)]


def _list(values: list[float | None]) -> list[float] | None:
    return None if all(value is None for value in values) else [round(value or 0, 2) for value in values]


def _io(values: list[float | None]) -> list[float] | None:
    """The queue's depth is a share of time there, so that 1 is 100."""
    *shares, depth = values
    return _list([*shares, None if depth is None else 100 * depth])
