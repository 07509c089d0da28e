"""One line of a table in full: what was told of it, and what a host tells of a service or disk when it is asked."""

import asyncio
from pathlib import Path

import pytest

from beszel_protocol.services import ServiceDetail
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.errors import HubRefused
from beszel_tui.state.components import DiskAttribute, DiskRecord
from beszel_tui.widgets.sheet_table import SheetTable
from tests.support.pilotapp import running_client
from tests.support.scriptedsource import NOW_MS
from tests.support.tabscreen import WEB, names, open_tab


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
