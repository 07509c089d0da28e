"""The fleet: one look, a line for each sample of a system, or a chart."""

import asyncio
import shutil
import sys
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, NamedTuple, TextIO

import msgspec

from beszel_protocol.feed import Fleet, FleetRow, SystemSample
from beszel_protocol.metrics import Unit
from beszel_protocol.sample import Metrics
from beszel_protocol.units import Style, format_bytes, format_value
from beszel_tui.client.source import Source
from beszel_tui.errors import HubUnreachable, TuiError
from beszel_tui.plain.feed import frames
from beszel_tui.plain.grid import in_columns
from beszel_tui.renderables.printed_chart import LEAST_HEIGHT, LEAST_WIDTH, PrintedLook, print_chart
from beszel_tui.state.cells import shown_text
from beszel_tui.state.charts import Chart
from beszel_tui.state.chartview import ChartLine, ChartView, newest_value
from beszel_tui.state.request import find_system, requested_chart
from beszel_tui.state.selectors import Sort, sort_rows
from beszel_tui.state.series import Columns, typical_step_ms
from beszel_tui.state.windows import Window

ALL_UP: Final = 0
SOME_DOWN: Final = 1
NOT_REACHED: Final = 2
PRINTED: Final = 0
NO_READINGS: Final = 1
NOT_POSSIBLE: Final = 2
INTERRUPTED: Final = 130
FALLBACK_SIZE: Final = (80, 20)

_FACTS: Final = frozenset({"id", "name", "status", "host", "tags", "updated_ms", "status_since_ms", "agent_version"})
"""What is still true of a system that sends nothing; its last numbers are not."""


def status(source: Source, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print every system once; returns the exit status."""
    out = out or sys.stdout
    try:
        rows = asyncio.run(_first_rows(source))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_REACHED
    rows = sort_rows(rows, Sort())
    out.write(format_json(rows) if as_json else format_plain(rows))
    return SOME_DOWN if any(row.status in {"down", "pending"} for row in rows) else ALL_UP


def watch(source: Source, name: str, out: TextIO | None = None, *, as_json: bool = False) -> int:
    """Print a line for each sample of one system until interrupted; returns the exit status."""
    out = out or sys.stdout
    try:
        asyncio.run(_watch(source, name, out, as_json=as_json))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_REACHED
    except KeyboardInterrupt:
        return ALL_UP
    return ALL_UP


class ChartOrder(NamedTuple):
    """What is to be printed, and how."""

    system: str
    """Its name, or how no other name begins."""
    metrics: str
    """Addresses, separated by commas."""
    window: Window
    size: tuple[int, int] | None
    """Width and height in cells; None: as large as the terminal."""
    units: Style
    symbols: str
    colour: bool
    """Unless the output is no terminal."""


def chart(source: Source, order: ChartOrder, out: TextIO | None = None) -> int:
    """Print one chart of stored history; returns the exit status."""
    out = out or sys.stdout
    try:
        row, view = asyncio.run(_ask_view(source, order))
        if not any(newest_value(line) is not None for line in view.lines):
            out.write(f"{shown_text(row.name)}: no readings of {view.title} in the last {order.window.name}\n")
            return NO_READINGS
        zone = datetime.fromtimestamp(view.end_ms / 1000).astimezone().tzinfo
        assert zone is not None  # noqa: S101 (a local time always has one)
        look = PrintedLook(order.symbols, order.units, zone, colour=order.colour and out.isatty())
        out.write(print_chart(view, row.name, *(order.size or _terminal_size()), look))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_POSSIBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    return PRINTED


def format_json(rows: list[FleetRow]) -> str:
    """`{"systems": [...]}`: units stand in the names, what is not known is absent."""
    systems = [_honest(msgspec.to_builtins(row)) for row in rows]
    return msgspec.json.format(msgspec.json.encode({"systems": systems}), indent=2).decode() + "\n"


def format_plain(rows: list[FleetRow]) -> str:
    """A table of words and numbers, without colour or drawing."""
    lines: list[tuple[str, ...]] = [("NAME", "STATUS", "CPU", "MEMORY", "DISK", "RECEIVED", "SENT", "LOAD", "UPTIME")]
    lines += [_plain_row(row) for row in rows]
    return in_columns(lines)


def format_json_line(sample: SystemSample, system: str) -> str:
    """`{"timestamp": ..., "system": ..., "system_id": ..., "metrics": {...}}`: what the host did not tell is absent."""
    told = {"timestamp": sample.timestamp, "system": system, "system_id": sample.system, "metrics": sample.metrics}
    return msgspec.json.encode(told).decode()


def format_sample_line(timestamp: str, metrics: Metrics) -> str:
    """`10:30:00  cpu 41.2%  memory 71.0%  …`, each number after its name."""
    cpu, memory, network = metrics.cpu, metrics.memory, metrics.network
    load = cpu.load_average[0] if cpu and cpu.load_average else None
    parts = [
        timestamp.partition("T")[2][:8] or timestamp,
        f"cpu {_text(cpu.usage_percent if cpu else None, Unit.PERCENT)}",
        f"memory {_text(memory.usage_percent if memory else None, Unit.PERCENT)}",
        f"load {_text(load, Unit.LOAD)}",
        f"received {_text(network.recv_bytes_per_second if network else None, Unit.BYTES_PER_SECOND)}",
        f"sent {_text(network.sent_bytes_per_second if network else None, Unit.BYTES_PER_SECOND)}",
    ]
    parts += [
        f"disk {name} {_text(disk.usage_percent, Unit.PERCENT)}" for name, disk in sorted((metrics.disk or {}).items())
    ]
    return "  ".join(parts)


def _honest(row: dict[str, Any]) -> dict[str, Any]:
    return row if row["status"] == "up" else {key: value for key, value in row.items() if key in _FACTS}


def _plain_row(row: FleetRow) -> tuple[str, ...]:
    if row.status != "up":
        return (row.name, row.status, "-", "-", "-", "-", "-", "-", "-")
    load = row.load_average[0] if row.load_average else None
    return (
        row.name,
        row.status,
        _text(row.cpu_percent, Unit.PERCENT),
        _text(row.memory_percent, Unit.PERCENT),
        _text(row.disk_percent, Unit.PERCENT),
        _rate(row.recv_bytes_per_second),
        _rate(row.sent_bytes_per_second),
        _text(load, Unit.LOAD),
        _text(row.uptime_seconds, Unit.SECONDS),
    )


def _text(value: float | None, unit: Unit) -> str:
    return "-" if value is None else format_value(value, unit)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{format_bytes(value)}/s"


async def _first_rows(source: Source) -> list[FleetRow]:
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet):
                return frame.systems
    raise HubUnreachable("the hub ended the feed")


async def _ask_view(source: Source, order: ChartOrder) -> tuple[FleetRow, ChartView]:
    wanted = requested_chart(order.metrics)
    addresses = [line.address for line in wanted.lines]
    width, _ = order.size or _terminal_size()
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet):
                row = find_system(frame.systems, order.system)
                start_ms, end_ms = order.window.bounds(frame.hub_ms)
                columns = await source.columns(row.id, addresses, start_ms, end_ms, width)
                return row, _view(wanted, columns, start_ms, end_ms)
    raise HubUnreachable("the hub ended the feed")


def _view(wanted: Chart, columns: Columns, start_ms: int, end_ms: int) -> ChartView:
    lines = tuple(
        ChartLine(line.label, columns.lane(line.address), typical_step_ms(columns, line.address))
        for line in wanted.lines
    )
    return ChartView(wanted.title, wanted.unit, columns.timestamps_ms, lines, start_ms, end_ms)


def _terminal_size() -> tuple[int, int]:
    """Without the line that the prompt takes; never so small that nothing can be drawn."""
    width, height = shutil.get_terminal_size((FALLBACK_SIZE[0], FALLBACK_SIZE[1] + 1))
    return max(LEAST_WIDTH, width), max(LEAST_HEIGHT, height - 1)


async def _watch(source: Source, name: str, out: TextIO, *, as_json: bool) -> None:
    system_id: str | None = None
    called = name
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet) and system_id is None:
                row = find_system(frame.systems, name)
                system_id, called = row.id, row.name
                source.watch(system_id)
            elif isinstance(frame, SystemSample) and frame.system == system_id:
                line = (
                    format_json_line(frame, called) if as_json else format_sample_line(frame.timestamp, frame.metrics)
                )
                out.write(line + "\n")
                out.flush()
