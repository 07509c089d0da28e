"""What came of checking other services from a host."""

from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.sample import CheckMetrics
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Sort, Thresholds, natural_key
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow, level_of


def check_rows(focus: Focus, _thresholds: Thresholds) -> list[SheetRow]:
    checks = (focus.whole.checks if focus.whole else None) or {}
    return [
        _row(name, checks[name], focus.standing.told_ms("checks", name), focus)
        for name in sorted(checks, key=natural_key)
    ]


def _row(name: str, check: CheckMetrics, told_ms: int | None, focus: Focus) -> SheetRow:
    age_ms = None if told_ms is None or focus.sampled_ms is None else max(0, focus.sampled_ms - told_ms)
    is_undone = check.up is None and check.severity is None
    return SheetRow(
        key=name,
        name=name,
        level=level_of(check.severity),
        values={
            "state": check.state or ("not made" if is_undone else "up" if check.up else "down"),
            "latency": check.latency_ms,
            "status": check.status_code,
            "certificate": check.certificate_expires_seconds,
            "age": None if age_ms is None else age_ms / 1000,
        },
        told={"name": name, **to_builtins(check)},
    )


CHECKS: Final = Sheet(
    key="checks",
    title="Checks",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("state", "STATE", by_level=True),
        SheetColumn("latency", "LATENCY", Unit.MILLISECONDS),
        SheetColumn("status", "HTTP", Unit.COUNT),
        SheetColumn("certificate", "CERTIFICATE", Unit.SECONDS, "CERT"),
        SheetColumn("age", "AGO", Unit.SECONDS),
    ),
    claims=(
        ("name", 16), ("state", 10), ("latency", 8), ("certificate", 5), ("status", 4), ("age", 4), ("name", 24),
        ("state", 30), ("certificate", 11), ("name", 36), ("state", 60),
    ),
    rows=check_rows,
    sort=Sort("state", descending=True),
    empty="no checks\n\nan administrator defines them at the hub; CHECKS=off at the agent forbids them",
    hint="words  down  latency>200  certificate<14d  /regex/",
)  # fmt: skip
