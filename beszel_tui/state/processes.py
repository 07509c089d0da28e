"""The processes of a host: all of them while somebody looks, else the busiest that its samples name."""

from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.processes import ProcessOrder
from beszel_protocol.sample import ProcessMetrics
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Sort, Thresholds
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow

_ASKED_BY: Final[dict[str, ProcessOrder]] = {"cpu": "cpu", "mem": "memory", "read": "io", "write": "io"}
"""A host with more processes than one answer holds tells those first that the table is sorted by."""


def order_asked(sort: Sort) -> ProcessOrder:
    return _ASKED_BY.get(sort.key, "cpu")


def process_rows(focus: Focus, _thresholds: Thresholds) -> list[SheetRow]:
    """Those that were asked for, unless the hub could not say."""
    told = focus.processes
    if told is not None:
        return [_row(process) for process in told.processes]
    return [_row(process) for process in (focus.whole.top_processes if focus.whole else None) or ()]


def processes_note(focus: Focus) -> str:
    """How many there are, and whether these are all."""
    counts = focus.processes.counts if focus.processes else focus.whole.processes if focus.whole else None
    parts = [
        f"{number} {word}"
        for number, word in (
            (counts.threads, "threads"), (counts.zombies, "zombie" if counts.zombies == 1 else "zombies"),
        )
        if number
    ] if counts else []  # fmt: skip
    if focus.processes is None:
        why = focus.processes_problem or "asking the host for the rest…"
        parts.append(f"the busiest only: {why}")
    elif focus.processes_problem:
        parts.append(f"of before: {focus.processes_problem}")
    return " · ".join(parts)


def _row(process: ProcessMetrics) -> SheetRow:
    return SheetRow(
        key=str(process.pid),
        name=process.name,
        values={
            "pid": process.pid,
            "user": process.user,
            "cpu": process.cpu_percent,
            "mem": process.memory_bytes,
            "read": process.read_bytes_per_second,
            "write": process.write_bytes_per_second,
            "where": process.container or process.unit,
        },
        told=to_builtins(process),
        parent=None if process.parent is None else str(process.parent),
    )


PROCESSES: Final = Sheet(
    key="processes",
    title="Processes",
    columns=(
        SheetColumn("process", "PROCESS"),
        SheetColumn("pid", "PID", Unit.COUNT),
        SheetColumn("user", "USER"),
        SheetColumn("cpu", "CPU", Unit.PERCENT, is_share=True),
        SheetColumn("mem", "MEMORY", Unit.BYTES, "MEM"),
        SheetColumn("read", "READ", Unit.BYTES_PER_SECOND),
        SheetColumn("write", "WRITE", Unit.BYTES_PER_SECOND),
        SheetColumn("where", "UNIT OR CONTAINER", short="UNIT"),
    ),
    claims=(
        ("process", 14), ("cpu", 6), ("mem", 6), ("pid", 7), ("user", 8), ("write", 7), ("read", 7), ("process", 18),
        ("where", 12), ("user", 10), ("where", 22), ("process", 26), ("cpu", 14), ("user", 14), ("write", 9),
        ("read", 9), ("mem", 8), ("where", 34), ("process", 40), ("where", 60), ("process", 60),
    ),
    rows=process_rows,
    sort=Sort("cpu", descending=True),
    empty="no processes\n\nthe agent has not told of any yet; ACTIONS=off at the agent keeps them to itself",
    hint="words  cpu>5  mem>1G  user:postgres  where:docker  /regex/",
    has_levels=False,
    note=processes_note,
    has_tree=True,
)  # fmt: skip
