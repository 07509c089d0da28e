import asyncio
import gc
from functools import partial
from pathlib import Path

from beszel_protocol.details import HostDetails
from beszel_protocol.sample import CpuMetrics, InterfaceMetrics, MemoryMetrics, Metrics, NetworkMetrics
from beszel_protocol.storage import DiskMetrics
from beszel_tui.screens.system import SystemScreen
from beszel_tui.state.series import Columns, Lane
from beszel_tui.state.windows import LIVE
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS


def make_metrics(cpu: float = 41.2) -> Metrics:
    return Metrics(
        cpu=CpuMetrics(usage_percent=cpu, user_percent=cpu / 2, load_average=[0.8, 0.6, 0.4], cores_percent=[1.0, 2.0]),
        memory=MemoryMetrics(total_bytes=16 << 30, used_bytes=8 << 30, usage_percent=50.0),
        disk={"/": DiskMetrics(usage_percent=30.0, read_bytes_per_second=1024.0, write_bytes_per_second=2048.0)},
        network=NetworkMetrics(
            recv_bytes_per_second=5e5, sent_bytes_per_second=1e5, interfaces={"eth0": InterfaceMetrics()}
        ),
    )


def make_history(span_ms: int = 300_000, value: float = 33.3) -> Columns:
    times = tuple(range(NOW_MS - span_ms, NOW_MS, 1000))
    readings = tuple(value for _ in times)
    return Columns(resolution_ms=1000, timestamps_ms=times, lanes={"cpu.usage_percent": Lane.exact(readings)})


async def open_web(client: Client) -> None:
    """Open `web-1`, and let a first sample arrive."""
    await client.press("j", "j", "j", "enter")
    await client.until(lambda: client.source.watched == FLEET[0].id)
    client.source.sample(FLEET[0].id, make_metrics())
    await client.until_text("Disk I/O")


def test_a_system_is_opened_with_its_facts_and_charts(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.host = HostDetails(hostname="web-1", os_name="Debian GNU/Linux 12", kernel="6.1.0", threads=8)
            client.source.history = make_history()
            await open_web(client)
            await client.until_text("Debian GNU/Linux 12")
            for part in ("web-1", "8 cores", "Overview", "CPU", "Memory", "Network", "Load average", "Disk space",
                         "live", "1h", "30d", "41.2%"):  # fmt: skip
                assert part in client.text(), part

    asyncio.run(main())


def test_every_size_shows_a_chart(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            for width, height in ((160, 45), (80, 24), (60, 16), (40, 12), (160, 45)):
                await client.pilot.resize_terminal(width, height)
                await client.until(partial(client.fills, width))
                await client.until(lambda: "%┤" in client.text() and "41.2%" in client.text())

    asyncio.run(main())


def test_samples_move_the_charts(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            client.source.clock.advance(1)
            client.source.sample(FLEET[0].id, make_metrics(77.7))
            await client.until_text("77.7%")

    asyncio.run(main())


def test_history_is_asked_for_what_the_tab_shows(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_history()
            await open_web(client)
            await client.until(lambda: any("disk[/].usage_percent" in asked[1] for asked in client.source.asked))
            system, _, start, end, points = client.source.asked[-1]
            assert system == FLEET[0].id
            assert end - start == LIVE.span_ms
            assert points == 300
            await client.press("5")
            await client.until(lambda: "network.interfaces[eth0].recv_bytes_per_second" in client.source.asked[-1][1])
            await client.until_text("eth0")

    asyncio.run(main())


def test_ranges_zoom_and_pan(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_history()
            await open_web(client)

            def span() -> int:
                return client.source.asked[-1][3] - client.source.asked[-1][2] if client.source.asked else 0

            await client.press("r")
            await client.until(lambda: span() == 3_600_000)
            assert client.system.window.name == "1h"
            await client.press("plus")
            await client.until(lambda: span() == 1_800_000)
            await client.until_text(" 30m ")
            await client.press("comma")
            await client.until(lambda: client.source.asked[-1][3] <= NOW_MS - 800_000)
            await client.press("0")
            await client.until(lambda: client.system.window == LIVE)

    asyncio.run(main())


def test_one_time_cursor_for_all_charts(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_history()
            await open_web(client)
            await client.until(lambda: len(client.system.panels[0].view.timestamps_ms) > 200)
            await client.press("left", "left", "left", "left", "h")
            await client.until_text("33.3%")
            cursors = {panel.view.cursor_ms for panel in client.system.panels[:4]}
            assert len(cursors) == 1
            assert None not in cursors
            await client.press("escape")
            assert client.system.panels[0].view.cursor_ms is None
            await client.press("escape")
            await client.until(lambda: client.fleet)
            assert client.source.watched is None

    asyncio.run(main())


def test_the_mouse_points_at_an_instant(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_history()
            await open_web(client)
            await client.pilot.click("ChartPanel", offset=(40, 3))
            await client.until(lambda: client.system.panels[0].view.cursor_ms)
            assert client.system.panels[1].view.cursor_ms == client.system.panels[0].view.cursor_ms

    asyncio.run(main())


def test_one_chart_over_the_whole_screen(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("j", "f")
            await client.until(lambda: [panel.key for panel in client.system.panels if panel.display] == ["memory"])
            await client.until(lambda: "Load average" not in client.text())
            assert "Memory" in client.text()
            client.source.clock.advance(1)
            client.source.sample(FLEET[0].id, make_metrics(50.0))
            await client.settle()
            assert "Load average" not in client.text()
            await client.press("escape")
            await client.until_text("Load average")

    asyncio.run(main())


def test_tabs_by_key_number_and_mouse(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("tab")
            await client.until_text("CPU by kind")
            await client.press("3")
            await client.until_text("Memory in use")
            await client.press("shift+tab", "shift+tab", "shift+tab")
            assert client.system.tab.key == "alerts"
            await client.pilot.click("TabBar", offset=(4, 0))
            assert client.system.tab.key == "overview"

    asyncio.run(main())


def test_the_next_system_of_the_list(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("n")
            await client.until(lambda: client.source.watched == FLEET[1].id)
            assert "web-2" in client.text()
            await client.press("n")
            await client.until(lambda: client.source.watched == FLEET[2].id)
            await client.press("N", "escape")
            await client.until(lambda: client.cursor_name == "web-2")

    asyncio.run(main())


def test_an_outage_loses_no_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.history = make_history()
            await open_web(client)
            await client.press("2")
            await client.until_text("CPU by kind")
            client.source.lose()
            await client.until_text("offline since")
            assert "was up" in client.text()
            asked = len(client.source.asked)
            client.source.connect()
            client.source.tell(*FLEET)
            await client.until_text("● live")
            await client.until(lambda: len(client.source.asked) > asked)
            assert client.system.tab.key == "cpu"

    asyncio.run(main())


def test_a_system_that_is_removed_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            client.source.tell(removed=[FLEET[0].id])
            await client.until_text("gone from the hub")
            await client.press("escape")
            await client.until(lambda: client.fleet)

    asyncio.run(main())


def test_no_history_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("r")
            await client.until_text("no history here")

    asyncio.run(main())


def test_copying_the_values_of_a_chart(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            await client.press("y")
            assert client.app.clipboard == "CPU: used 41.2%"

    asyncio.run(main())


def test_a_range_of_ones_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("enter")
            await client.until(lambda: client.system)
            await client.press("d")
            await client.type("90m")
            await client.press("enter")
            await client.until(lambda: client.system.window.span_ms == 90 * 60_000)
            await client.until_text(" 1.5h ")
            await client.press("d")
            await client.type("2026-11-20 08:00..09:30")
            await client.press("enter")
            await client.until_text("20 Nov 08:00–09:30")
            assert not client.system.window.follows
            await client.press("d")
            await client.type("soon")
            await client.press("enter")
            await client.until_text("a range is 6h, 3d")

    asyncio.run(main())


def test_a_system_that_was_left_is_let_go(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            for _ in range(4):
                client.app.open_system(FLEET[0].id)
                await client.until(lambda: client.system)
                await client.press("escape")
                await client.until(lambda: client.fleet)
            gc.collect()
            kept = [found for found in gc.get_objects() if isinstance(found, SystemScreen)]
            assert len(kept) <= 2, "a megabyte each, all day"

    asyncio.run(main())


def test_charts_that_come_take_no_keys_from_who_types(tmp_path: Path) -> None:
    """Their focus is given some messages after they are there; by then a command line may be open."""

    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_web(client)
            client.system._mount_charts()
            client.system.open_command_line()
            await client.settle()
            await client.type("fleet")
            await client.press("enter")
            await client.until(lambda: client.fleet)

    asyncio.run(main())
