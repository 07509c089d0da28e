"""Channels on the screen of alerts, and the quiet hours in which they are silent."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from beszel_tui.state.alertbook import Delivery
from beszel_tui.widgets.lines_field import LinesField
from tests.support.alertbook import WEB
from tests.support.alertscreen import alerted_client, at_line, said


@pytest.mark.parametrize("size", [(160, 45), (60, 16)])
def test_a_template_of_several_lines_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels", size) as client:
            await at_line(client, "mail")
            await client.press("e", *["down"] * 13)
            await client.until(lambda: isinstance(client.app.focused, LinesField))
            await client.press(*"${sytem}", "enter", *"now")
            await client.press("ctrl+s")
            await client.until(lambda: said(client).startswith("There is no field sytem"))
            await client.press("up", "home", "right", "right", "right", "right", "s")
            assert not said(client)
            await client.press("down", "down")
            await client.until(lambda: not isinstance(client.app.focused, LinesField))
            await client.press("up", "tab")
            await client.until(lambda: not isinstance(client.app.focused, LinesField))
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            assert client.source.alerts.saved[0][2]["template"] == "${system}\nnow"

    asyncio.run(main())


def test_quiet_hours_are_made_by_a_clock_on_the_wall(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "quiet") as client:
            await client.press("n")
            await client.until_text("Time zone")
            await client.press("right")
            await client.until_text("sat sun")
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            _, _, values = client.source.alerts.saved[0]
            assert (values["type"], values["days"]) == ("weekly", ["sat", "sun"])
            await at_line(client, "later")
            await client.press("e")
            await client.until_text("2026-11-22")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            assert client.source.alerts.saved[1][:2] == ("quiet", "quiet2")
            assert client.source.alerts.saved[1][2]["type"] == "one-time"

    asyncio.run(main())


def test_a_channel_is_tried_and_the_truth_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels") as client:
            await at_line(client, "pager")
            client.source.alerts.test_result = "the host is not allowed"
            await client.press("t")
            await client.until_text("pager did not take it: the host is not allowed")
            client.source.alerts.test_result = ""
            await client.press("t")
            await client.until_text("pager has taken it")
            assert client.source.alerts.tried == ["channel2"] * 2

    asyncio.run(main())


def test_where_a_channel_leads_is_only_ever_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels") as client:
            await at_line(client, "mail")
            await client.press("e")
            await client.until_text("unchanged: ops@example.net")
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            assert "url" not in client.source.alerts.saved[0][2]
            await client.press("n")
            await client.until_text("New channel")
            await client.type("mine")
            await client.press("enter", "enter", "ctrl+s")
            await client.until(lambda: said(client).startswith("where to?"))
            await client.type("a@example.net")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            _, record_id, values = client.source.alerts.saved[1]
            assert (record_id, values["name"], values["kind"], values["url"]) == (
                None,
                "mine",
                "email",
                "a@example.net",
            )

    asyncio.run(main())


def test_what_was_given_up_is_told_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "history") as client:
            alert, desk = f"pastbusy{WEB}", client.source.alerts
            await client.press("r")
            await client.until_text("every channel has taken it")
            dead = Delivery(id="dead1", alert=alert, channel="channel2", status="dead", reason="answered 410")
            desk.book = replace(desk.book, deliveries={alert: [dead]})
            client.app.bridge.read_alerts()
            await client.until_text("pager (not delivered:")
            await client.press("r")
            await client.until_text("pager (not delivered: answered 410).")
            assert desk.told_again == []
            await client.press("y")
            await client.until_text("it waits to be told again")
            assert desk.told_again == ["dead1"]

    asyncio.run(main())


def test_with_read_only_nothing_is_told_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "history", read_only=True) as client:
            await client.press("r")
            await client.settle()
            assert "tell again" not in client.lines()[-1]
            assert client.source.alerts.told_again == []

    asyncio.run(main())
