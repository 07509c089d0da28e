"""The time machine on the screens that show containers."""

import asyncio
from pathlib import Path

from beszel_tui.screens.containers import ContainersScreen
from beszel_tui.screens.inspection import InspectionScreen
from beszel_tui.screens.logs import LogsScreen
from beszel_tui.state.model import State
from beszel_tui.state.pastcontainers import ADDRESSES
from beszel_tui.state.series import Columns, Lane
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS
from tests.tui.screens.test_containers import HOSTS, WEB, names, open_all
from tests.tui.screens.test_system import make_metrics


def make_past() -> Columns:
    """An hour in which usage is the minute of the hour; `leaver` was there until four minutes ago."""
    times = tuple(range(NOW_MS - 3_600_000, NOW_MS, 10_000))
    minutes = tuple(float(at_ms // 60_000 % 60) + 0.5 for at_ms in times)
    until = tuple(value if at_ms < NOW_MS - 240_000 else None for at_ms, value in zip(times, minutes, strict=True))
    lanes = {
        "cpu.usage_percent": Lane.exact(minutes),
        "containers[shop-api].cpu_percent": Lane.exact(minutes),
        "containers[leaver].cpu_percent": Lane.exact(until),
    }
    return Columns(resolution_ms=10_000, timestamps_ms=times, lanes=lanes)


def minute(at_ms: int) -> str:
    return f"{at_ms // 60_000 % 60}.5%"


def of_web(client: Client) -> int:
    """How often the containers that the first system had were asked for."""
    return sum(asked[:2] == (WEB.id, ADDRESSES) for asked in client.source.asked)


async def open_web(client: Client) -> ContainersScreen:
    client.source.history = make_past()
    client.app.open_system(WEB.id)
    await client.until(lambda: client.system.is_mounted)
    await client.press("c")
    await client.until(lambda: client.source.container_topics == [f"containers:{WEB.id}"])
    client.source.tell_containers(HOSTS[0])
    await client.until_text("33.3%")
    assert isinstance(client.app.screen, ContainersScreen)
    return client.app.screen


def test_the_containers_of_then_are_shown_and_now_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_web(client)
            await client.press("left_curly_bracket")
            await client.until_text("5m ago")
            await client.until(lambda: names(screen) == ["leaver", "shop-api"])
            await client.until_text(minute(NOW_MS - 300_000))
            await client.until_text("gone now")
            await client.until_text("2 ● running")
            text = client.text()
            assert "33.3%" not in text
            assert "healthy" not in text
            assert text.count("nginx:1.29") == 1, "of what still exists its image is known"
            assert of_web(client) == 1
            await client.press("end")
            await client.until(lambda: names(screen) == ["migrate", "shop-api"])
            await client.until_text("33.3%")
            await client.until_text("healthy")

    asyncio.run(main())


def test_playing_on_moves_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_web(client)
            shown: list[list[str]] = []
            show = screen.show_state

            def note(state: State) -> None:
                show(state)
                if state.past is not None and names(screen) not in shown[-1:]:
                    shown.append(names(screen))

            screen.show_state = note  # type: ignore[method-assign]
            await client.press("left_curly_bracket")
            await client.until(lambda: ["leaver", "shop-api"] in shown)
            await client.press("x", "x", "x")
            await client.until(lambda: shown[-1] == ["shop-api"])
            assert shown.index(["leaver", "shop-api"]) < shown.index(["shop-api"])

    asyncio.run(main())


def test_of_all_systems(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_all(client)
            await client.press("P")
            await client.until_text("looking it up…")
            await client.until_text(f"of all systems, {len(FLEET)} not looked up")
            client.source.history = make_past()
            client.source.connect()
            await client.until(lambda: len(names(screen)) == len(FLEET))
            await client.until(lambda: "not looked up" not in client.text())
            await client.until_text(f"{len(FLEET)} ● up")
            client.app.run_command("filter system:db cpu>1")
            await client.until(lambda: names(screen) == ["shop-api"])
            client.app.run_command("filter nothing")
            await client.until_text("no container matches the filter")

    asyncio.run(main())


def test_nothing_was_measured(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            client.source.history = Columns(resolution_ms=10_000)
            await client.press("left_curly_bracket")
            await client.until_text("no container was measured then")

    asyncio.run(main())


def test_logs_and_configuration_are_of_now_and_of_what_is_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_web(client)
            client.source.inspections["aaaaaaaaaaaa"] = "{}"
            await client.press("left_curly_bracket")
            await client.until(lambda: names(screen) == ["leaver", "shop-api"])
            await client.until_text("gone now")
            await client.press("g")
            for key in ("enter", "i"):
                await client.press(key)
                await client.until_text("leaver is no longer on web-1")
                assert client.app.screen is screen
            await client.press("G")
            await client.until(lambda: screen.chosen is not None and screen.chosen.facts.name == "shop-api")
            await client.press("i")
            await client.until(lambda: isinstance(client.app.screen, InspectionScreen))
            await client.until_text("of now")
            await client.press("escape", "enter")
            await client.until(lambda: isinstance(client.app.screen, LogsScreen))
            await client.until_text("of now")

    asyncio.run(main())


def test_the_tab_of_a_system_charts_what_was_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("escape")
            client.source.sample(WEB.id, make_metrics())
            await client.until_text("Disk I/O")
            assert "Containers" not in client.text()
            await client.press("left_curly_bracket")
            await client.until_text("Containers")
            client.system.show_tab("containers")
            await client.until_text("Containers' CPU")
            await client.until_text("leaver")

    asyncio.run(main())
