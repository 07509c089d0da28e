"""Write the reference pages that are read off the code; `--check` says which are out of date.

Run from the top of the checkout: `python docs/reference/generate.py`.
"""

import sys
from pathlib import Path

from api import write_api

from beszel_protocol.metrics import UNIT_BOUNDS, Metric
from beszel_protocol.sample import catalogue

PAGES = Path(__file__).parent


def write_metrics() -> str:
    rows = "\n".join(_metric_row(pattern, metric) for pattern, metric in catalogue().items())
    bounds = "\n".join(f"| {unit} | {low:g} | {high:g} |" for unit, (low, high) in UNIT_BOUNDS.items())
    above = [f"`{pattern}` up to {metric.largest:g}" for pattern, metric in catalogue().items() if metric.largest]
    wider = f"Above the bound of their unit lie {', '.join(above)}."
    return f"""# Metrics

Every series by its address; `[]` stands for a dynamic key, as in `disk[/mnt/v1.2].usage_percent`. In a key a backslash
escapes `]` and itself. This page is generated from the declarations in `beszel_protocol/sample.py` and `storage.py`.

*Roll-up* is what a longer interval keeps as its main value; *peak* says that it keeps the highest reading too; *alarm*
that a rule may watch it. The load averages are `cpu.load_average[0]`, `[1]` and `[2]`, over 1, 5 and 15 minutes.

| address | label | unit | roll-up | peak | alarm |
|---|---|---|---|---|---|
{rows}

A number outside the bounds of its unit is no reading and is dropped on arrival:

| unit | lowest | highest |
|---|---|---|
{bounds}

{wider}
"""


def _metric_row(pattern: str, metric: Metric) -> str:
    marks = " | ".join("yes" if flag else "" for flag in (metric.peak, metric.alarm))
    return f"| `{pattern}` | {metric.label} | {metric.unit} | {metric.rollup} | {marks} |"


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8") if page.exists() else ""


GENERATED = {"api.md": write_api, "metrics.md": write_metrics}


def main() -> None:
    stale = [name for name, write in GENERATED.items() if _read(PAGES / name) != write()]
    if "--check" in sys.argv[1:]:
        raise SystemExit(f"out of date: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (PAGES / name).write_text(GENERATED[name](), encoding="utf-8")


if __name__ == "__main__":
    main()
