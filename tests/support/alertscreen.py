"""The screen of alerts in a pilot: two that fire, and where the cursor is."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from textual.widgets import Static

from beszel_tui.screens.alerts import AlertsScreen
from tests.support.alertbook import make_alert
from tests.support.pilotapp import Client, running_client
from tests.support.scriptedsource import make_row

WEB, NAS = make_row("web-1").id, make_row("nas").id
DOWN = make_alert(NAS, "down", target="status", severity="critical", value=None, peak=None, threshold=None)


@contextlib.asynccontextmanager
async def alerted_client(
    home: Path, pane: str = "active", size: tuple[int, int] = (160, 45), **flags: bool
) -> AsyncIterator[Client]:
    """With two alerts, at a pane of their screen, once the hub has told everything."""
    async with running_client(home, size=size, **flags) as client:
        client.source.tell_alerts(make_alert(WEB), DOWN)
        await client.until(lambda: client.app.bridge.state.alerts)
        client.app.open_alerts(pane=pane)
        await client.until(lambda: client.app.bridge.state.book is not None and screen_of(client).panel.rows)
        await client.settle()
        yield client


def screen_of(client: Client) -> AlertsScreen:
    screen = client.app.screen
    assert isinstance(screen, AlertsScreen), screen
    return screen


async def at_line(client: Client, name: str) -> None:
    """Put the cursor there."""
    row = next(row for row in screen_of(client).panel.rows if row.name == name)
    await client.until(lambda: row.key in screen_of(client).panel.table.visible_ids)
    screen_of(client).panel.table.move_cursor(row.key)


def said(client: Client) -> str:
    """What the form on the screen complains about."""
    lines = client.app.screen.query("#says, .wrong").results(Static)
    return "".join(str(line.content) for line in lines)
