"""The time machine: the fleet and a system as they were."""

import asyncio
from pathlib import Path

from beszel_tui.state.past import ADDRESSES
from beszel_tui.state.series import Columns, Lane
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS
from tests.tui.screens.test_system import make_metrics


def make_past(outage_ms: tuple[int, int] = (0, 0)) -> Columns:
    """An hour in which processor usage is the minute of the hour, with a time without readings."""
    times = tuple(range(NOW_MS - 3_600_000, NOW_MS, 5000))
    readings = tuple(
        None if outage_ms[0] <= at_ms < outage_ms[1] else float(at_ms // 60_000 % 60) + 0.5 for at_ms in times
    )
    return Columns(resolution_ms=5000, timestamps_ms=times, lanes={"cpu.usage_percent": Lane.exact(readings)})


def minute(at_ms: int) -> str:
    return f"{at_ms // 60_000 % 60}.5%"


def asked_past(client: Client) -> list[str]:
    """The systems whose past was asked for."""
    return [asked[0] for asked in client.source.asked if asked[1] == ADDRESSES]


def test_a_moment_is_held_and_left(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_past()
            await client.press("P")
            await client.until_text(" at 1")
            await client.until_text(minute(NOW_MS - 1000))
            assert set(asked_past(client)) == {row.id for row in FLEET}
            await client.press("left_curly_bracket")
            await client.until_text("5m ago")
            await client.until_text(minute(NOW_MS - 301_000))
            await client.press("end")
            await client.until_text("● live")
            await client.until_text("41.2%")

    asyncio.run(main())


def test_the_past_is_played_again_and_reaches_now(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_past()
            await client.press("left_curly_bracket", "x", "x")
            await client.until_text("5m ago 10×")
            past = client.app.bridge.state.past
            assert past is not None
            before_ms = past.at_ms
            client.app.bridge.times.tick()
            await client.until_text("4m ago 10×")
            assert client.app.bridge.state.past is not None
            assert client.app.bridge.state.past.at_ms >= before_ms + 10_000
            await client.press("x")
            for _ in range(6):
                client.app.bridge.times.tick()
            await client.until_text("● live")

    asyncio.run(main())


def test_a_time_without_readings_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_past((NOW_MS - 400_000, NOW_MS - 200_000))
            await client.press("left_curly_bracket")
            await client.until_text("no data")
            assert "5 ▼ down" in client.text()

    asyncio.run(main())


def test_a_system_that_was_not_there_yet_is_neither_down_nor_listed(tmp_path: Path) -> None:
    young, old = FLEET[0], FLEET[1]

    async def main() -> None:
        async with running_client(tmp_path, young, old) as client:
            client.source.history = Columns(resolution_ms=5000)
            client.source.births_ms = {young.id: NOW_MS - 60_000, old.id: NOW_MS - 86_400_000}
            await client.press("left_curly_bracket")
            await client.until_text("1 ▼ down")
            assert client.fleet.visible_ids == [old.id]
            assert "1 system " in client.text()
            client.source.births_ms[old.id] = NOW_MS - 60_000
            await client.press("end")
            await client.until_text("● live")
            await client.until(lambda: client.fleet.visible_ids == [young.id, old.id])
            await client.press("left_curly_bracket")
            await client.until_text("no system was there yet")
            await client.press("end")
            await client.until(lambda: client.app.focused is client.fleet.table)
            await client.press("enter")
            await client.until_text("Load average")
            await client.press("left_curly_bracket")
            await client.until_text("this system was not there yet")

    asyncio.run(main())


def test_whoever_was_measured_before_is_not_asked_about(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_past()
            await client.press("left_curly_bracket")
            await client.until_text(minute(NOW_MS - 300_000))
            await client.until(lambda: len(asked_past(client)) == len(FLEET))
            assert client.source.births_asked == []

    asyncio.run(main())


def test_what_the_hub_does_not_answer_is_not_made_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("less_than_sign")
            await client.until_text("looking it up…")
            assert "41.2%" not in client.text()
            client.source.history = make_past()
            await client.until_text(minute(NOW_MS - 10_000))

    asyncio.run(main())


def test_the_charts_of_a_system_go_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_past()
            await client.press("left_curly_bracket", "j", "j", "j", "enter")
            await client.until(lambda: client.source.watched == FLEET[0].id)
            client.source.sample(FLEET[0].id, make_metrics())
            await client.until_text("Disk I/O")
            await client.until(lambda: client.system.panels[0].view.cursor_ms == NOW_MS - 300_000)
            assert client.system.window.end_ms is not None
            await client.until_text(minute(NOW_MS - 300_000))
            await client.press("left")
            past = client.app.bridge.state.past
            assert past is not None
            assert past.at_ms < NOW_MS - 300_000
            await client.press("end")
            await client.until(lambda: client.system.window.live)
            assert client.system.panels[0].view.cursor_ms is None

    asyncio.run(main())


def test_end_is_the_last_line_while_now_is_shown(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("end")
            await client.until(lambda: client.cursor_name == client.names[-1])

    asyncio.run(main())
