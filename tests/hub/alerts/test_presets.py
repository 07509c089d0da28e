"""Beszel's kinds of alert, and targets that are made of others or seldom told: each fires and recovers."""

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
from msgspec.structs import replace

from beszel_hub.alerts.presets import PRESETS, expand_preset
from beszel_hub.alerts.rule import STATUS
from beszel_protocol.messages import Event
from beszel_protocol.sample import (
    BatteryMetrics,
    ContainerMetrics,
    CpuMetrics,
    GpuMetrics,
    IoMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
)
from beszel_protocol.storage import DiskMetrics
from tests.support.alertwatch import Watch
from tests.support.alertworld import AlertWorld, rule
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub, running_hub
from tests.support.samples import make_metrics

_MINUTE: Final = 60
_MEBI: Final = 1 << 20
HOST_ROOT: Final = DiskMetrics(usage_percent=30.0, inodes_total=1000, inodes_used=100, inodes_usage_percent=10.0)
HOST: Final = replace(
    make_metrics(),
    cpu=CpuMetrics(usage_percent=12.5, cores_percent=[10.0] * 4, load_average=[0.8, 0.6, 0.4], pressure_percent=0.3),
    memory=MemoryMetrics(usage_percent=25.0, pressure_percent=0.1, pressure_full_percent=0.0),
    disk={"/": HOST_ROOT, "/mnt/v1.2": DiskMetrics(usage_percent=50.0, inodes_usage_percent=1.0)},
    network=NetworkMetrics(sent_bytes_per_second=1000.0, recv_bytes_per_second=2000.0),
    temperatures={"coretemp_package_id_0": 54.0, "nvme_composite": 38.9},
    fans={"cpu_fan": 1200.0},
    batteries={"BAT0": BatteryMetrics(charge_percent=80.0), "mouse": BatteryMetrics(charge_percent=5.0)},
    gpus={"0": GpuMetrics(name="RTX", usage_percent=7.0, temperature_celsius=41.0)},
    io=IoMetrics(pressure_percent=0.5, pressure_full_percent=0.2),
    containers=[
        ContainerMetrics(id="0123456789ab", name="db", cpu_percent=1.0, health="healthy"),
        ContainerMetrics(id="123456789abc", name="cache", cpu_percent=1.0),
    ],
)
"""A laptop that serves, on which all is well."""


SICK: Final = ContainerMetrics(id="0123456789ab", name="db", cpu_percent=1.0, health="unhealthy")


def loaded(*averages: float) -> Metrics:
    """Of four cores."""
    return replace(HOST, cpu=CpuMetrics(usage_percent=12.5, cores_percent=[10.0] * 4, load_average=list(averages)))


class Kind(NamedTuple):
    name: str
    value: float
    """As Beszel has it."""
    bad: Metrics
    told: str
    """Which target it is about."""
    peak: float
    """In the unit of the target."""


KINDS: Final = (
    Kind("CPU", 80, replace(HOST, cpu=CpuMetrics(usage_percent=97.0)), "cpu.usage_percent", 97),
    Kind("Memory", 80, replace(HOST, memory=MemoryMetrics(usage_percent=91.0)), "memory.usage_percent", 91),
    Kind(
        "Disk", 80, replace(HOST, disk={"/": HOST_ROOT, "/mnt/v1.2": DiskMetrics(usage_percent=95.0)}),
        "disk[/mnt/v1.2].usage_percent", 95,
    ),
    Kind(
        "Temperature", 80, replace(HOST, temperatures={"coretemp_package_id_0": 54.0, "nvme_composite": 84.5}),
        "temperature[nvme_composite]", 84.5,
    ),
    Kind(
        "Bandwidth", 10,
        replace(HOST, network=NetworkMetrics(sent_bytes_per_second=6.0 * _MEBI, recv_bytes_per_second=5.0 * _MEBI)),
        "bandwidth", 11 * _MEBI,
    ),
    Kind("GPU", 80, replace(HOST, gpus={"0": GpuMetrics(usage_percent=99.0)}), "gpus[0].usage_percent", 99),
    Kind("LoadAvg1", 4, loaded(5.5, 0.6, 0.4), "cpu.load_average[0]", 5.5),
    Kind("LoadAvg5", 4, loaded(0.8, 5.5, 0.4), "cpu.load_average[1]", 5.5),
    Kind("LoadAvg15", 4, loaded(0.8, 0.6, 5.5), "cpu.load_average[2]", 5.5),
    Kind(
        "Battery", 20,
        replace(HOST, batteries={"BAT0": BatteryMetrics(charge_percent=12.0), "mouse": BatteryMetrics()}),
        "battery_percent", 12,
    ),
)  # fmt: skip


def test_every_kind_of_beszel_is_tried() -> None:
    assert {kind.name for kind in KINDS} | {"Status"} == set(PRESETS)
    assert PRESETS["Status"].target == STATUS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_beszel_fires_after_its_minutes_and_recovers(kind: Kind) -> None:
    made = expand_preset(kind.name, kind.value, 2)
    world = AlertWorld(rule(made.conditions[0].target, conditions=made.conditions, for_seconds=made.for_seconds))
    world.pass_start()
    world.send(HOST, 3 * _MINUTE)
    assert world.told() == []
    world.send(kind.bad, 10)
    assert world.told() == [], "its minutes are not over"
    world.send(kind.bad, 3 * _MINUTE)
    world.send(HOST, 5 * _MINUTE)
    assert [(step.happened, step.target) for step in world.steps] == [("fired", kind.told), ("recovered", kind.told)]
    assert world.steps[1].peak == pytest.approx(kind.peak)


class Target(NamedTuple):
    """A rule, and of a host the samples or events by which it fires and is over."""

    target: str
    value: float
    bad: Metrics
    told: str
    comparison: str = "above"


TARGETS: Final = (
    Target("load_per_core_1", 1, loaded(6.0, 0.6, 0.4), "Load per core over 1 minute at 1.50, above 1.00"),
    Target("load_per_core_5", 1, loaded(0.8, 6.0, 0.4), "Load per core over 5 minutes at 1.50, above 1.00"),
    Target("load_per_core_15", 1, loaded(0.8, 0.6, 6.0), "Load per core over 15 minutes at 1.50, above 1.00"),
    Target(
        "battery_percent", 20, replace(HOST, batteries={"BAT0": BatteryMetrics(charge_percent=12.0)}),
        "Battery at 12.0%, below 20.0%", "below",
    ),
    Target("container_unhealthy", 0, replace(HOST, containers=[SICK]), "Container unhealthy [db]"),
    Target(
        "disk[*].inodes_usage_percent", 90, replace(HOST, disk={"/": DiskMetrics(inodes_usage_percent=99.0)}),
        "Disk inodes in use [/] at 99.0%, above 90.0%",
    ),
    Target("fans[*]", 300, replace(HOST, fans={"cpu_fan": 0.0}), "Fan [cpu_fan] at 0, below 300", "below"),
    Target(
        "io.pressure_full_percent", 20, replace(HOST, io=IoMetrics(pressure_full_percent=44.0)),
        "I/O pressure on all at 44.0%, above 20.0%",
    ),
    Target(
        "cpu.pressure_percent", 20, replace(HOST, cpu=CpuMetrics(pressure_percent=44.0)),
        "CPU pressure at 44.0%, above 20.0%",
    ),
    Target(
        "memory.pressure_full_percent", 20, replace(HOST, memory=MemoryMetrics(pressure_full_percent=44.0)),
        "Memory pressure on all at 44.0%, above 20.0%",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as opened:
        yield opened


@pytest.mark.parametrize("case", TARGETS, ids=lambda case: case.target)
def test_a_target_fires_and_recovers_at_a_running_hub(running: RunningHub, case: Target) -> None:
    condition = {"target": case.target, "comparison": case.comparison, "value": case.value, "window_seconds": 0}
    site, agent = watch(running, case.target, condition)

    async def run() -> None:
        async with agent.enrolled() as connection:
            for sequence, metrics in enumerate((HOST, case.bad, HOST), 1):
                await connection.send(replace(agent.sample(sequence), metrics=metrics))
            await site.until(lambda: len(site.told) == 2)

    asyncio.run(run())
    fired, recovered = site.told
    assert (fired.kind, recovered.kind) == ("fired", "recovered")
    assert fired.text == f"{fired.system_name}: {case.told}"


def test_restarts_are_counted_within_the_window_and_forgotten_after_it(running: RunningHub) -> None:
    condition = {"target": "container_restarted", "value": 1, "window_seconds": 2}
    site, agent = watch(running, "container_restarted", condition)

    async def run() -> None:
        async with agent.enrolled() as connection:
            for sequence in (1, 2):
                made = agent.sample(sequence)
                await connection.send(
                    Event(
                        sequence=sequence, timestamp=made.timestamp, boot_ms=made.boot_ms, kind="container_restarted",
                        subject="db",
                    )
                )  # fmt: skip
            sequence = 2
            while len(site.told) < 2:
                sequence += 1
                await connection.send(agent.sample(sequence))
                await connection.await_stored((1, sequence))

    asyncio.run(run())
    fired, recovered = site.told
    assert fired.text == f"{fired.system_name}: Container restarted [db] 2 times in 2s, above 1"
    assert recovered.kind == "recovered"


def watch(running: RunningHub, name: str, condition: dict[str, object]) -> tuple[Watch, LinkAgent]:
    """Somebody with one system and one rule about it."""
    site = Watch(running)
    slug = "".join(letter for letter in name if letter.isalnum())
    user_id = running.create_user(f"{slug}@example.org")
    _, agent_token = running.create_system(slug, user_id)
    with site.client(user_id) as client:
        made = client.post("/api/collections/alert_rules/records", json={"name": name, "conditions": [condition]})
        assert made.status_code == 200, made.text
    return site, LinkAgent(running.link_url, agent_token)
