"""What a container writes, line after line, as `docker logs` does it: its errors go to standard error."""

import asyncio
import re
import sys
import time
from datetime import datetime
from typing import Final, NamedTuple, TextIO

from beszel_protocol.containers import LogLine, LogsQuery
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.client.source import Source
from beszel_tui.errors import HubRefused, HubUnreachable, TuiError
from beszel_tui.plain.containers import ask_containers
from beszel_tui.state.containers import ContainerItem
from beszel_tui.state.logs import LogCursor
from beszel_tui.state.request import find_container

PRINTED: Final = 0
NOT_POSSIBLE: Final = 2
INTERRUPTED: Final = 130
RESUME_SECONDS: Final = 2.0
_PASSING_STATUS: Final = 500
"""Answers from here on may be others the next time."""

_AGE: Final = re.compile(r"([0-9]{1,6})(s|m|h|d|w)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class LogsOrder(NamedTuple):
    """What is to be printed, and how."""

    system: str
    container: str
    follow: bool = False
    tail: int = 200
    since_ms: int | None = None
    timestamps: bool = False
    colour: bool = True
    """Where it is written to a terminal."""


def read_since(text: str, now_ms: int | None = None) -> int:
    """Milliseconds since the epoch of `15m` ago, or of a date; a date without an offset is local. Raises ValueError."""
    match = _AGE.fullmatch(text)
    if match is not None:
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        return max(0, now_ms - int(match[1]) * _SECONDS[match[2]] * 1000)
    try:
        return max(0, int(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise ValueError("an age such as 15m or 3d, or a date such as 2026-11-22T10:30:00Z") from error


def print_logs(source: Source, order: LogsOrder, out: TextIO | None = None, errors: TextIO | None = None) -> int:
    """Print the lines, with `follow` until interrupted; returns the exit status."""
    out, errors = out or sys.stdout, errors or sys.stderr
    try:
        asyncio.run(_print(source, order, out, errors))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_POSSIBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    return PRINTED


async def _print(source: Source, order: LogsOrder, out: TextIO, errors: TextIO) -> None:
    item = await _find(source, order)
    try:
        await _print_lines(source, item, order, out, errors)
    finally:
        await source.close()


async def _print_lines(source: Source, item: ContainerItem, order: LogsOrder, out: TextIO, errors: TextIO) -> None:
    """Once, or over and over from the newest line on."""
    cursor = LogCursor()
    while True:
        is_resumed = cursor.newest is not None
        since = cursor.newest if is_resumed else None if order.since_ms is None else format_timestamp(order.since_ms)
        query = LogsQuery(id=item.facts.id, tail=order.tail, since=since, follow=order.follow)
        try:
            async for batch in source.logs(item.system_id, query):
                for line in cursor.advance(batch.lines, is_resumed=is_resumed):
                    _write(line, order, errors if line.stream == "stderr" else out)
        except (HubRefused, HubUnreachable) as error:
            may_pass = not isinstance(error, HubRefused) or error.status >= _PASSING_STATUS
            if not (order.follow and may_pass and cursor.newest is not None):
                raise
            sys.stderr.write(f"beszel-tui: {error}; trying again\n")
        if not order.follow:
            return
        await asyncio.sleep(RESUME_SECONDS)


async def _find(source: Source, order: LogsOrder) -> ContainerItem:
    items = await ask_containers(source, order.system)
    facts = find_container([item.facts for item in items], order.container)
    return next(item for item in items if item.facts is facts)


def _write(line: LogLine, order: LogsOrder, out: TextIO) -> None:
    """Nothing but printable text, and colours where a terminal reads it."""
    has_colours = order.colour and out.isatty()
    text = line.ansi if has_colours and line.ansi is not None else line.text
    reset = "\x1b[m" if "\x1b" in text else ""
    stamp = f"{line.timestamp} " if order.timestamps and line.timestamp else ""
    out.write(f"{stamp}{text}{reset}\n")
    out.flush()
