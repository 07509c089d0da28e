"""The graphics processors of a host, and who holds their memory."""

from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.sample import GpuMetrics, GpuProcess
from beszel_protocol.units import format_number
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Level, Sort, Thresholds, natural_key
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow, worse

_OF_PROCESS: Final = "process"


def gpu_rows(focus: Focus, thresholds: Thresholds) -> list[SheetRow]:
    """Each with its processes below it, those that hold the most memory first."""
    gpus = (focus.whole.gpus if focus.whole else None) or {}
    rows: list[SheetRow] = []
    for key in sorted(gpus, key=natural_key):
        rows.append(_row(key, gpus[key], thresholds))
        rows += [_process_row(key, gpus[key], process) for process in gpus[key].processes or ()]
    return rows


def _row(key: str, gpu: GpuMetrics, thresholds: Thresholds) -> SheetRow:
    memory = _share(gpu.memory_used_bytes, gpu.memory_total_bytes)
    engines = sorted((gpu.engines_percent or {}).items(), key=lambda item: (-item[1], item[0]))
    levels: list[Level | None] = [
        thresholds.level(number) for number in (gpu.temperature_celsius, memory) if number is not None
    ]
    return SheetRow(
        key=key,
        name=gpu.name or f"GPU {key}",
        level=worse(*levels),
        values={
            "id": key,
            "state": gpu.state,
            "usage": gpu.usage_percent,
            "memory": memory,
            "used": gpu.memory_used_bytes,
            "total": gpu.memory_total_bytes,
            "power": gpu.power_watts,
            "temp": gpu.temperature_celsius,
            "engines": "  ".join(f"{name} {format_number(percent)}%" for name, percent in engines),
        },
        told={"id": key, **to_builtins(gpu)},
    )


def _process_row(key: str, gpu: GpuMetrics, process: GpuProcess) -> SheetRow:
    """Scripts find them in their GPU."""
    return SheetRow(
        key=f"{key}/{process.pid}",
        name=f"· {process.name or 'process'}",
        values={
            "id": str(process.pid),
            "state": _OF_PROCESS,
            "memory": _share(process.memory_bytes, gpu.memory_total_bytes),
            "used": process.memory_bytes,
        },
    )


def _share(used: int | None, total: int | None) -> float | None:
    return used / total * 100 if used is not None and total else None


GPUS: Final = Sheet(
    key="gpu",
    title="GPUs",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("id", "ID"),
        SheetColumn("state", "STATE"),
        SheetColumn("usage", "USAGE", Unit.PERCENT, is_share=True),
        SheetColumn("memory", "MEMORY", Unit.PERCENT, "MEM", is_share=True),
        SheetColumn("used", "USED", Unit.BYTES),
        SheetColumn("total", "SIZE", Unit.BYTES),
        SheetColumn("power", "POWER", Unit.WATTS),
        SheetColumn("temp", "TEMP", Unit.CELSIUS, by_level=False),
        SheetColumn("engines", "ENGINES"),
    ),
    claims=(
        ("name", 18), ("usage", 6), ("memory", 6), ("used", 6), ("power", 6), ("temp", 5), ("id", 6), ("total", 6),
        ("name", 26), ("usage", 16), ("memory", 16), ("state", 9), ("engines", 22), ("usage", 22), ("memory", 22),
        ("name", 34), ("engines", 46),
    ),
    rows=gpu_rows,
    counted=lambda row: row.values.get("state") != _OF_PROCESS,
    sort=Sort("name"),
    empty=(
        "no graphics processor\n\nthe agent finds those of NVIDIA, AMD and Intel by itself;\n"
        "SKIP_GPU=true leaves them alone"
    ),
    hint="words  usage>50  used>1G  temp>80  state:idle  /regex/",
)  # fmt: skip
