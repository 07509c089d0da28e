"""Every container once: a table, or JSON."""

import asyncio
import sys
from contextlib import aclosing
from typing import Any, Final, TextIO

import msgspec

from beszel_protocol.feed import CONTAINERS_TOPIC, CONTAINERS_TOPIC_PREFIX, Containers, Fleet, Resync, SystemSample
from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_bytes, format_duration, format_value
from beszel_tui.client.source import Source
from beszel_tui.errors import HubUnreachable, TuiError
from beszel_tui.plain.feed import frames
from beszel_tui.plain.grid import in_columns
from beszel_tui.state.containers import ContainerItem, container_items
from beszel_tui.state.events import Connected, Received
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.request import find_system
from beszel_tui.state.selectors import natural_key

ALL_WELL: Final = 0
SOME_TROUBLED: Final = 1
NOT_REACHED: Final = 2

_HEADER: Final = ("SYSTEM", "NAME", "STATE", "HEALTH", "CPU", "MEMORY", "RECEIVED", "SENT", "PIDS", "UPTIME", "IMAGE")


def list_containers(source: Source, system: str | None, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print those of all systems, or of one; returns the exit status."""
    out = out or sys.stdout
    try:
        items = asyncio.run(ask_containers(source, system))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_REACHED
    items.sort(key=lambda item: (natural_key(item.system), natural_key(item.facts.name)))
    out.write(format_json(items) if as_json else format_plain(items))
    return SOME_TROUBLED if any(item.is_troubled for item in items) else ALL_WELL


async def ask_containers(source: Source, system: str | None) -> list[ContainerItem]:
    """What the hub knows of them now. Raises `TuiError`."""
    state, system_id = State(), None
    if system is None:
        source.watch_containers(CONTAINERS_TOPIC)
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet | Containers | SystemSample | Resync):
                at_ms = frame.hub_ms if isinstance(frame, Fleet | Containers) else state.now_ms
                connected = [] if state.is_live else [Connected(at_ms=at_ms)]
                state = reduce(state, [*connected, Received(at_ms=at_ms, frame=frame)])
            if system is not None and system_id is None and state.loaded:
                system_id = find_system(state.systems.values(), system).id
                source.watch_containers(CONTAINERS_TOPIC_PREFIX + system_id)
            if state.loaded and state.containers_loaded:
                return container_items(state, system_id)
    raise HubUnreachable("the hub ended the feed")


def format_json(items: list[ContainerItem]) -> str:
    """`{"containers": [...]}`: units stand in the names, what is not known is absent."""
    return (
        msgspec.json.format(msgspec.json.encode({"containers": [_json(item) for item in items]}), indent=2).decode()
        + "\n"
    )


def format_plain(items: list[ContainerItem]) -> str:
    """A table of words and numbers, without colour or drawing."""
    lines = [_HEADER, *(_plain(item) for item in items)]
    return in_columns(lines)


def _json(item: ContainerItem) -> dict[str, Any]:
    """Numbers of a system that sends nothing are not told: they are not of now."""
    usage: dict[str, Any] = {} if item.aged else msgspec.to_builtins(item.usage)
    facts: dict[str, Any] = msgspec.to_builtins(item.facts)
    told = {"system": item.system, "system_id": item.system_id, **usage, **facts}
    if item.uptime_ms is not None and not item.aged:
        told["uptime_seconds"] = item.uptime_ms / 1000
    if item.image_update is not None:
        told["image_update"] = item.image_update
    return told


def _plain(item: ContainerItem) -> tuple[str, ...]:
    facts, usage = item.facts, item.usage
    state = f"exited({facts.exit_code})" if facts.state == "exited" and facts.exit_code is not None else facts.state
    numbers = (
        _text(usage.cpu_percent, Unit.PERCENT),
        _text(usage.memory_bytes, Unit.BYTES),
        _rate(usage.rx_bytes_per_second),
        _rate(usage.tx_bytes_per_second),
        "-" if usage.pids is None else str(usage.pids),
        "-" if item.uptime_ms is None else format_duration(item.uptime_ms / 1000),
    )
    health = "-" if facts.health == "none" else facts.health
    shown = ("-",) * len(numbers) if item.aged else numbers
    return (item.system, facts.name, state, health, *shown, facts.image or "-")


def _text(value: float | None, unit: Unit) -> str:
    return "-" if value is None else format_value(value, unit)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{format_bytes(value)}/s"
