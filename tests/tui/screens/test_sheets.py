"""The tables on the tabs of a system: sensors, GPUs, processes, services, disks' health, checks."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import (
    CheckMetrics,
    GpuMetrics,
    GpuProcess,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
    UpsMetrics,
)
from beszel_protocol.services import ServiceDetail
from beszel_protocol.storage import PoolMetrics, SmartMetrics
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.choices import Choices, Order, load_choices, save_choices
from beszel_tui.errors import HubRefused
from beszel_tui.screens.system import SystemScreen
from beszel_tui.state.components import DiskAttribute, DiskRecord
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.chart_panel import ChartPanel
from beszel_tui.widgets.sheet_panel import SheetPanel
from beszel_tui.widgets.sheet_table import SheetTable
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS

WEB = FLEET[0]
THINGS = Metrics(
    temperatures={"cpu[red]": 55.0, "disk": 95.0},
    fans={"fan1": 900.0},
    ups={"rack": UpsMetrics(charge_percent=64.0, on_battery=1, status="OB DISCHRG", runtime_seconds=900.0)},
    gpus={
        "0": GpuMetrics(
            name="RTX", usage_percent=71.0, memory_used_bytes=1 << 30, memory_total_bytes=4 << 30,
            processes=[GpuProcess(pid=7, name="python", memory_bytes=1 << 29)],
        )
    },
    services=ServiceMetrics(
        total=3,
        failed=1,
        units={
            "cron": ServiceUnitMetrics(state="active", sub_state="running", cpu_percent=0.2, memory_bytes=4 << 20),
            "nginx": ServiceUnitMetrics(state="active", sub_state="running", cpu_percent=12.5, memory_bytes=64 << 20),
            "restic": ServiceUnitMetrics(state="failed", sub_state="failed", restarts=3),
        },
    ),
    smart={"S1": SmartMetrics(device="sda", severity=0, state="passed"), "S2": SmartMetrics(device="sdb", severity=2)},
    pools={"tank": PoolMetrics(severity=1, state="degraded", devices=4, devices_missing=1, usage_percent=80.0)},
    checks={"shop": CheckMetrics(severity=2, state="status 503", up=0), "api": CheckMetrics(up=1, latency_ms=12.0)},
    top_processes=[ProcessMetrics(pid=1, name="busiest", cpu_percent=50.0)],
)  # fmt: skip
RUNNING = ProcessList(
    counts=ProcessCounts(total=3, threads=9, zombies=1),
    processes=[
        ProcessMetrics(
            pid=10, name="post[b]gres\x1b[2J", user="postgres", cpu_percent=33.3, memory_bytes=1 << 30, parent=2
        ),
        ProcessMetrics(pid=2, name="init", user="root", cpu_percent=0.1, memory_bytes=1 << 20, unit="init.scope"),
        ProcessMetrics(
            pid=300, name="worker" * 60, cpu_percent=8.0, memory_bytes=2 << 30, write_bytes_per_second=5e6, parent=10
        ),
    ],
)


async def open_tab(client: Client, tab: str) -> SystemScreen:
    await client.press("j", "j", "j", "enter")
    await client.until(lambda: client.source.watched == WEB.id)
    client.source.sample(WEB.id, THINGS)
    await client.until_text("Services")
    client.app.run_command(f"tab {tab}")
    await client.until(lambda: client.system.tab.key.startswith(tab))
    await client.until(lambda: isinstance(client.app.focused, SheetTable))
    return client.system


def names(client: Client) -> list[str]:
    return [line.row.name for line in client.system.query_one(SheetTable)._lines]


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


def test_everything_that_is_told_of_a_line(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_tab(client, "services")
            await client.press("enter")
            await client.until_text("as told")
            table = client.app.screen_stack[-2].query_one(SheetTable)
            assert table.cursor_line is not None
            assert f'"name": "{table.cursor_line.row.name}"' in client.text()
            await client.press("escape")
            await client.until(lambda: client.system.panel.has_focus_within)

    asyncio.run(main())


def test_a_service_in_full(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.services["restic"] = ServiceDetail(
                unit="restic.service", description="keeps [b]copies\x1b[2J", state="failed", sub_state="failed",
                result="exit-code", exit_status=3, restarts=3, inactive_since=format_timestamp(NOW_MS - 7_200_000),
                cpu_seconds=90.0, tasks_limit=50, active_since="never",
            )  # fmt: skip
            await open_tab(client, "services")
            await client.press("enter")
            await client.until_text("⚠ exit-code, status 3")
            for part in (
                "restic on web-1",
                "state           ⚠ failed",
                "2h 0m ago",
                "processor time  1m",
                "keeps [b]copies[2J",
            ):
                assert part in client.text(), part
            assert '"name": "restic"' in client.text()
            assert "tasks" not in client.text()
            client.source.services["restic"] = HubRefused(503, "The agent of this system is not connected.")
            await client.press("r")
            await client.until_text("The agent of this system is not connected.")
            assert "⚠ exit-code, status 3" in client.text()

    asyncio.run(main())


def test_a_service_of_which_nobody_tells(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.services["restic"] = HubRefused(503, "The agent of this system is not connected.")
            await open_tab(client, "services")
            await client.press("enter")
            await client.until_text("The agent of this system is not connected.")
            assert '"name": "restic"' in client.text()
            await client.press("escape")
            await client.until(lambda: client.system.panel.has_focus_within)
            client.app.run_command("tab checks")
            await client.until(lambda: names(client) == ["shop", "api"])
            await client.press("enter")
            await client.until_text("shop on web-1, as told")
            assert "r again" not in client.text()

    asyncio.run(main())


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_disk_in_full(tmp_path: Path, is_read_only: bool) -> None:
    async def main() -> None:
        async with running_client(tmp_path, read_only=is_read_only) as client:
            table = [
                DiskAttribute(id=5, name="Reallocated_Sector_Ct", value=9, worst=9, threshold=10, raw="48 (0 1)"),
                DiskAttribute(id=9, name="Power_On_Hours\x1b[2J", value=79, raw="18400"),
                DiskAttribute(name="Wear", number=2.0, failed="past"),
            ]
            client.source.disks["S2"] = DiskRecord(
                serial="S2", state="FAILED", firmware="82.00", hours=18_400, attributes=table,
                updated=format_timestamp(NOW_MS - 7_200_000),
            )  # fmt: skip
            client.source.disk_problem = HubRefused(503, "The agent of this system is not connected.")
            await open_tab(client, "health")
            await client.press("enter")
            await client.until_text("Reallocated_Sector_Ct")
            for part in ("⚠ failed", "2h 0m ago", "18400 hours", "⚠ 48 (0 1)", "Power_On_Hours[2J", "2, failed past"):
                assert part in client.text(), part
            reason = "this client is read-only" if is_read_only else "The agent of this system is not connected."
            await client.until_text(reason)
            client.source.disk_problem = None
            client.source.disks["S2"] = DiskRecord(serial="S2", state="WARNING", updated=format_timestamp(NOW_MS))
            await client.press("r")
            await client.until_text("⚠ warning")
            assert client.source.disks_read == ([] if is_read_only else [WEB.id] * 2)

    asyncio.run(main())


@pytest.mark.parametrize("tab", ["services", "health"])
def test_an_answer_that_comes_when_nobody_reads_any_more(tmp_path: Path, tab: str) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.services["restic"] = ServiceDetail(state="failed")
            client.source.disks["S2"] = DiskRecord(serial="S2", state="FAILED")
            client.source.answering.clear()
            await open_tab(client, tab)
            await client.press("enter")
            await client.until_text("asking the agent…")
            await client.press("escape")
            await client.until(lambda: client.system.panel.has_focus_within)
            client.source.answering.set()
            await client.settle()
            assert client.source.disks_read == []
            await client.press("enter")
            await client.until_text("⚠ failed")

    asyncio.run(main())
