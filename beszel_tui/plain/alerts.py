"""Alerts without a screen: each table once, acknowledging and snoozing, and a line for whatever happens."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple, TextIO, TypeAlias

import msgspec

from beszel_protocol.feed import Alert, Alerts, Fleet, Resync
from beszel_tui.client.source import Source
from beszel_tui.errors import HubUnreachable, RequestError, TuiError
from beszel_tui.plain.feed import frames
from beszel_tui.plain.tables import format_plain
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.alertsheets import BY_KEY
from beszel_tui.state.cells import shown_text
from beszel_tui.state.events import AlertBookLoaded, Received
from beszel_tui.state.filterline import NO_FILTER
from beszel_tui.state.model import State
from beszel_tui.state.quietforms import snooze_form
from beszel_tui.state.reduce import reduce
from beszel_tui.state.request import find_system
from beszel_tui.state.selectors import Thresholds
from beszel_tui.state.sheet import SheetRow, sheet_rows

NONE_FIRES: Final = 0
SOME_FIRE: Final = 1
NOT_POSSIBLE: Final = 2


Work: TypeAlias = Callable[[TextIO], Coroutine[Any, Any, int]]


class AlertOrder(NamedTuple):
    """Which table is to be printed, and how."""

    pane: str = "active"
    system: str = ""
    """Only what concerns the system of that name."""
    as_json: bool = False


def list_alerts(source: Source, order: AlertOrder, out: TextIO | None = None) -> int:
    """Print a table once; returns the exit status."""

    async def work(out: TextIO) -> int:
        view = await _ask(source, order.system)
        sheet = BY_KEY[order.pane]
        rows = sheet_rows(sheet.rows(view, Thresholds()), NO_FILTER, sheet.sort, sheet)
        if order.as_json:
            out.write(format_json(order.pane, rows))
        elif rows:
            table = format_plain(rows, sheet)
            out.write(_with_ids(table, rows) if order.pane == "active" else table)
        else:
            out.write(sheet.empty.partition("\n")[0] + "\n")
        return SOME_FIRE if order.pane == "active" and rows else NONE_FIRES

    return _run(source, work, out)


def acknowledge(source: Source, name: str, out: TextIO | None = None) -> int:
    """Say that somebody looks after an alert: of that id, or the only one of the system of that name."""

    async def work(out: TextIO) -> int:
        view = await _ask(source)
        alert = find_alert(view, name)
        await source.alerts.acknowledge(alert.id)
        out.write(f"acknowledged: {_title(alert, view)}\n")
        return NONE_FIRES

    return _run(source, work, out)


def snooze(source: Source, name: str, span: str, out: TextIO | None = None) -> int:
    """Have nothing told of an alert for a while such as `1h`."""

    async def work(out: TextIO) -> int:
        view = await _ask(source)
        alert = find_alert(view, name)
        for record in snooze_form([alert], view).read({"span": span, "other": span}):
            await source.alerts.save("quiet", None, record)
        out.write(f"snoozed for {span}: {_title(alert, view)}\n")
        return NONE_FIRES

    return _run(source, work, out)


def follow(source: Source, out: TextIO | None = None) -> int:
    """Print a line for each alert that fires, changes or is over, until interrupted."""

    async def work(out: TextIO) -> int:
        known: dict[str, Alert] = {}
        async for state in _states(source):
            view = AlertView(state, AlertBook(), _zone())
            out.writelines(line + "\n" for line in _changes(known, view))
            out.flush()
            known = dict(state.alerts)
        raise HubUnreachable("the hub ended the feed")

    return _run(source, work, out)


def find_alert(view: AlertView, name: str) -> Alert:
    """By how its id begins, or by its system's name. Raises `RequestError` if that is none, or several."""
    alerts = list(view.state.alerts.values())
    found = [alert for alert in alerts if name and alert.id.startswith(name)]
    found = found or [alert for alert in alerts if view.system_name(alert.system) == name]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(f"no alert that fires is called {name!r}, and none is of a system of that name")
    ids = ", ".join(f"{alert.id} ({shown_text(alert.name)})" for alert in found[:5])
    raise RequestError(f"{name!r} may be any of {ids}")


def format_json(pane: str, rows: list[SheetRow]) -> str:
    """`{"active": [...]}`: what is not known is absent."""
    return msgspec.json.format(msgspec.json.encode({pane: [dict(row.told) for row in rows]}), indent=2).decode() + "\n"


def _with_ids(table: str, rows: list[SheetRow]) -> str:
    """In front of each line the id that `ack` and `snooze` take."""
    width = max(len("ID"), *(len(row.key) for row in rows))
    ids = ["ID", *(shown_text(row.key) for row in rows)]
    return "".join(f"{key.ljust(width)}  {line}\n" for key, line in zip(ids, table.splitlines(), strict=True))


def _changes(known: dict[str, Alert], view: AlertView) -> list[str]:
    now = datetime.fromtimestamp(view.now_ms / 1000, view.zone).strftime("%H:%M:%S")
    lines: list[str] = []
    for alert in view.state.alerts.values():
        before = known.get(alert.id)
        if before is None:
            lines.append(f"{now}  fires  {alert.severity}  {_title(alert, view)}")
        elif alert.acknowledged and not before.acknowledged:
            lines.append(f"{now}  acknowledged  {_title(alert, view)}")
        elif alert.severity != before.severity:
            lines.append(f"{now}  escalated  {alert.severity}  {_title(alert, view)}")
    gone = [alert for alert_id, alert in known.items() if alert_id not in view.state.alerts]
    return lines + [f"{now}  over  {_title(alert, view)}" for alert in gone]


def _title(alert: Alert, view: AlertView) -> str:
    text = f": {alert.text}" if alert.text else ""
    return shown_text(f"{view.system_name(alert.system)}  {alert.name}{text}", 512)


async def _ask(source: Source, system: str = "") -> AlertView:
    """What fires, and all that the hub keeps. Raises `TuiError`."""
    async with aclosing(_states(source)) as states:
        async for state in states:
            book = await source.alerts.read()
            told = reduce(state, [AlertBookLoaded(book=book)])
            system_id = find_system(told.systems.values(), system).id if system else None
            return AlertView(told, book, _zone(), system_id)
    raise HubUnreachable("the hub ended the feed")


async def _states(source: Source) -> AsyncGenerator[State, None]:
    """Whenever alerts have changed, once the systems and all alerts are known."""
    state = State()
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet | Alerts | Resync):
                at_ms = frame.hub_ms if isinstance(frame, Fleet | Alerts) else state.now_ms
                alerts = state.alerts
                was_known = state.loaded and state.alerts_loaded
                state = reduce(state, [Received(at_ms=at_ms, frame=frame)])
                is_known = state.loaded and state.alerts_loaded
                if is_known and (not was_known or state.alerts is not alerts):
                    yield state


def _run(source: Source, work: Work, out: TextIO | None) -> int:
    async def run() -> int:
        try:
            return await work(out or sys.stdout)
        finally:
            await source.close()

    try:
        return asyncio.run(run())
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_POSSIBLE
    except KeyboardInterrupt:
        return NONE_FIRES


def _zone() -> tzinfo:
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None  # noqa: S101 (a local time always has one)
    return zone
