"""The tables on the tabs of a system: sensors, GPUs, processes, services, disks' health, checks."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from beszel_protocol.sample import (
    Metrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from beszel_tui.choices import Choices, Order, load_choices, save_choices
from beszel_tui.errors import HubRefused
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.chart_panel import ChartPanel
from beszel_tui.widgets.sheet_panel import SheetPanel
from beszel_tui.widgets.sheet_table import SheetTable
from tests.support.pilotapp import FLEET, running_client
from tests.support.tabscreen import RUNNING, WEB, names, open_tab


@pytest.mark.parametrize(
    ("tab", "parts"),
    [
        ("sensors", ("Sensors 4", "2 ⚠ in trouble", "cpu[red]", "55°C", "95°C", "900", "OB DISCHRG", "15m")),
        ("gpu", ("GPUs 1", "RTX", "71.0%", "1.0G", "· python", "512M")),
        ("processes", ("Processes 3", "9 threads · 1 zombie", "post[b]gres[2J", "33.3%", "init.scope", "4.8M/s")),
        ("services", ("Services 3", "1 ⚠ in trouble", "▼ restic", "failed", "● nginx", "12.5%")),
        ("health", ("Disks' health 3", "2 ⚠ in trouble", "▼ sdb", "⚠ tank", "degraded", "4 devices, 1 missing")),
        ("checks", ("Checks 2", "▼ shop", "status 503", "12.0ms")),
    ],
)
def test_every_table_at_every_size(tmp_path: Path, tab: str, parts: tuple[str, ...]) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.running = RUNNING
            await open_tab(client, tab)
            for part in parts:
                await client.until_text(part)
            assert "\x1b" not in client.text()
            first = client.system.query_one(SheetTable).cursor_id
            for width, height in ((80, 24), (60, 16), (40, 12), (20, 8), (160, 45)):
                await client.pilot.resize_terminal(width, height)
                await client.until(partial(client.fills, width))
                await client.until(lambda: client.system.query_one(SheetTable).visible_ids)
            assert client.system.query_one(SheetTable).cursor_id == first

    asyncio.run(main())


def test_what_is_told_seldom_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_tab(client, "services")
            client.source.clock.advance(1)
            client.source.sample(WEB.id, Metrics(services=ServiceMetrics(total=3, failed=0)))
            await client.settle()
            assert names(client) == ["restic", "cron", "nginx"]
            client.source.clock.advance(1)
            told = Metrics(services=ServiceMetrics(total=1, units={"cron": ServiceUnitMetrics(state="failed")}))
            client.source.sample(WEB.id, told)
            await client.until(lambda: names(client) == ["cron"])

    asyncio.run(main())


def test_sort_filter_and_copy(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_tab(client, "services")
            assert names(client) == ["restic", "cron", "nginx"]
            panel = screen.query_one(SheetPanel)
            panel.sort_by("cpu")
            await client.until(lambda: names(client) == ["nginx", "cron", "restic"])
            await client.press("S")
            await client.until(lambda: names(client) == ["cron", "nginx", "restic"])
            await client.press("s")
            await client.until(lambda: panel.sort.key == "mem")
            await client.press("slash")
            await client.type("active !cron")
            await client.until(lambda: names(client) == ["nginx"])
            await client.until_text("1 of 3")
            await client.press("enter", "y")
            await client.until_text("copied: nginx")
            await client.press("escape")
            await client.until(lambda: len(names(client)) == 3)
            await client.press("slash")
            await client.type("nothing-like-it")
            await client.until_text("nothing here matches")
            await client.press("escape")
            await client.until(lambda: len(names(client)) == 3)
            await client.press("tab")
            await client.until(lambda: names(client)[0] == "sdb")
            await client.press("shift+tab")
            await client.until(lambda: panel.sort.key == "mem")

    asyncio.run(main())


def test_processes_are_asked_for_while_they_are_seen(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.running = HubRefused(403, "not for you")
            screen = await open_tab(client, "processes")
            await client.until_text("the busiest only: not for you")
            assert names(client) == ["busiest"]
            await client.press("shift+tab")
            client.source.running = RUNNING
            await client.press("tab")
            await client.until(lambda: len(names(client)) == 3 and names(client)[0].startswith("post"))
            assert client.source.processes_asked[-1] == (WEB.id, "cpu")
            screen.query_one(SheetPanel).sort_by("mem")
            await client.until(lambda: client.source.processes_asked[-1] == (WEB.id, "memory"))
            await client.until(lambda: names(client)[0].startswith("worker"))
            await client.press("question_mark")
            await client.until(lambda: client.app.screen is not screen)
            await client.settle()
            asked = len(client.source.processes_asked)
            await client.settle()
            assert screen.state.focus is not None
            assert len(client.source.processes_asked) == asked

    asyncio.run(main())


def test_processes_as_a_tree(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.running = RUNNING
            screen = await open_tab(client, "processes")
            await client.until(lambda: [name[:4] for name in names(client)] == ["post", "work", "init"])
            await client.press("t")
            await client.until(lambda: [name[:4] for name in names(client)] == ["init", "post", "work"])
            await client.until_text("└─post[b]gres")
            await client.press("slash")
            await client.type("worker")
            await client.until_text("1 of 3")
            assert [line.is_sought for line in screen.query_one(SheetTable)._lines] == [False, False, True]
            await client.press("enter", "t")
            await client.until(lambda: [name[:4] for name in names(client)] == ["work"])
            await client.press("tab")
            await client.until(lambda: "restic" in client.text() and "t tree" not in client.text())

    asyncio.run(main())


def test_orders_and_the_tree_are_as_they_were_at_the_next_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.running = RUNNING
            await open_tab(client, "processes")
            await client.press("t")
            client.app.run_command("sort mem")
            await client.until(lambda: client.system.panel.sort.key == "mem")
            await client.until(lambda: [name[:4] for name in names(client)] == ["init", "post", "work"])
        async with running_client(tmp_path) as client:
            client.source.running = RUNNING
            screen = await open_tab(client, "processes")
            await client.until(lambda: [name[:4] for name in names(client)] == ["init", "post", "work"])
            assert screen.panel.sort.key == "mem"
            assert client.source.processes_asked[-1] == (WEB.id, "memory")
            await client.press("t", "escape")
            client.app.run_command("sort cpu")
            await client.until(lambda: client.names[0] == "db-1")
        async with running_client(tmp_path) as client:
            await client.until(lambda: client.names[0] == "db-1")
        kept = load_choices(client.app.settings.paths.choices_file)
        assert not kept.process_tree
        save_choices(client.app.settings.paths.choices_file, Choices(orders={"fleet": Order(key="no such column")}))
        async with running_client(tmp_path) as client:
            await client.until(lambda: client.fleet.sort == Sort())

    asyncio.run(main())


def test_from_the_table_to_its_charts_and_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_tab(client, "sensors")
            await client.until_text("Temperatures")
            await client.press("j", "j", "j", "j")
            await client.until(lambda: isinstance(client.app.focused, ChartPanel))
            await client.press("f")
            await client.until(lambda: "OB DISCHRG" not in client.text())
            await client.press("escape")
            await client.until_text("OB DISCHRG")
            await client.press("k")
            await client.until(lambda: isinstance(client.app.focused, SheetTable))
            await client.press("r")
            await client.until(lambda: client.system.window.name == "1h")

    asyncio.run(main())


def test_keys_of_charts_are_not_offered_where_there_are_none(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(100, 120)) as client:
            await open_tab(client, "services")
            await client.until_text("s sort")
            assert "+ zoom" not in client.text()
            assert "30d" not in client.text()
            await client.press("question_mark")
            await client.until_text("Turn the order round")
            assert "Zoom out" not in client.text()
            await client.until_text("numbers: cpu mem peak restarts")

    asyncio.run(main())


def test_old_numbers_look_old(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_tab(client, "services")
            table = client.system.query_one(SheetTable)
            assert not table._lines[0].aged
            client.source.lose()
            await client.until(lambda: table._lines[0].aged)

    asyncio.run(main())


def test_a_host_without_such_things_has_no_such_tabs(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_tab(client, "processes")
            client.app.run_command("open web-2")
            await client.until(lambda: client.source.watched == FLEET[1].id)
            await client.until_text("has not told of any yet")
            assert "Services" not in client.text()

    asyncio.run(main())
