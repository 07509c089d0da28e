"""The services of a host, as their manager has them."""

from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.sample import ServiceUnitMetrics
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Level, Sort, Thresholds, natural_key
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow

_SETTLED: Final[dict[str, Level | None]] = {"active": "good", "failed": "critical", "inactive": None}
"""What is on its way from one to another is of concern: it may stay there."""


def service_rows(focus: Focus, _thresholds: Thresholds) -> list[SheetRow]:
    units = (focus.whole.services.units if focus.whole and focus.whole.services else None) or {}
    return [_row(name, units[name]) for name in sorted(units, key=natural_key)]


def _row(name: str, unit: ServiceUnitMetrics) -> SheetRow:
    return SheetRow(
        key=name,
        name=name,
        level=None if unit.state is None else _SETTLED.get(unit.state, "warning"),
        values={
            "state": unit.state,
            "sub": unit.sub_state,
            "cpu": unit.cpu_percent,
            "mem": unit.memory_bytes,
            "peak": unit.memory_peak_bytes,
            "restarts": unit.restarts,
        },
        told={"name": name, **to_builtins(unit)},
    )


SERVICES: Final = Sheet(
    key="services",
    title="Services",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("state", "STATE", by_level=True),
        SheetColumn("sub", "SUB"),
        SheetColumn("cpu", "CPU", Unit.PERCENT, is_share=True),
        SheetColumn("mem", "MEMORY", Unit.BYTES, "MEM"),
        SheetColumn("peak", "PEAK", Unit.BYTES),
        SheetColumn("restarts", "RESTARTS", Unit.COUNT, "RST"),
    ),
    claims=(
        ("name", 20), ("state", 8), ("cpu", 6), ("mem", 6), ("name", 26), ("restarts", 8), ("sub", 8), ("peak", 6),
        ("name", 44), ("cpu", 18), ("state", 12), ("sub", 12), ("mem", 9), ("peak", 9), ("name", 60),
    ),
    rows=service_rows,
    sort=Sort("state", descending=True),
    empty=(
        "no services\n\nthe agent lists those of systemd and OpenRC by itself;\n"
        "SKIP_SYSTEMD=true at the agent hides them"
    ),
    hint="words  failed  cpu>1  mem>100M  restarts>0  /regex/",
)  # fmt: skip
