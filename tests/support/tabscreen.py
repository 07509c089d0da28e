"""A system with things of every kind in a pilot, at one of its tabs."""

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
from beszel_protocol.storage import PoolMetrics, SmartMetrics
from beszel_tui.screens.system import SystemScreen
from beszel_tui.widgets.sheet_table import SheetTable
from tests.support.pilotapp import FLEET, Client

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
