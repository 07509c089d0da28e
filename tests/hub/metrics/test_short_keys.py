"""Beszel's short keys: units, what stands as 0 when it is not told, and what is left out."""

from beszel_hub.metrics.short_keys import GIB, MIB, make_container_stats, make_stats
from beszel_protocol.sample import (
    BatteryMetrics,
    ContainerMetrics,
    CpuMetrics,
    GpuMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
)
from beszel_protocol.storage import DiskMetrics

EVERYTHING = Metrics(
    cpu=CpuMetrics(
        usage_percent=42.126, user_percent=30.0, system_percent=10.0, iowait_percent=2.0, steal_percent=0.0,
        cores_percent=[10.4, 73.6], load_average=[1.5, 1.0, 0.5],
    ),
    memory=MemoryMetrics(
        total_bytes=16 * GIB, used_bytes=4 * GIB, usage_percent=25.0, cache_bytes=GIB, swap_total_bytes=2 * GIB,
        swap_used_bytes=0, zfs_arc_bytes=GIB // 2,
    ),
    disk={
        "/": DiskMetrics(
            total_bytes=100 * GIB, used_bytes=30 * GIB, usage_percent=30.0, read_bytes_per_second=MIB,
            write_bytes_per_second=2.4, utilization_percent=5.0, read_await_ms=1.5, queue_depth=0.25,
        ),
        "/data": DiskMetrics(total_bytes=10 * GIB, used_bytes=GIB, read_bytes_per_second=1.5 * MIB),
    },
    network=NetworkMetrics(
        sent_bytes_per_second=100.4, recv_bytes_per_second=200.6,
        interfaces={"eth0": InterfaceMetrics(bytes_sent=5, bytes_recv=6, sent_bytes_per_second=100.4)},
    ),
    temperatures={"cpu": 41.256},
    fans={"cpu_fan": 1200.0},
    batteries={"BAT0": BatteryMetrics(charge_percent=79.6), "BAT1": BatteryMetrics()},
    gpus={"0": GpuMetrics(name="RTX", usage_percent=7.0, memory_used_bytes=512 * MIB, engines_percent={"video": 1.0})},
)  # fmt: skip


def test_everything_a_host_can_tell() -> None:
    assert make_stats(EVERYTHING) == {
        "cpu": 42.13, "cpub": [30.0, 10.0, 2.0, 0, 55.87], "cpus": [10, 74], "la": [1.5, 1.0, 0.5],
        "m": 16.0, "mu": 4.0, "mp": 25.0, "mb": 1.0, "mz": 0.5, "s": 2.0, "su": 0.0,
        "d": 100.0, "du": 30.0, "dp": 30.0, "dio": [MIB, 2], "dios": [0, 0, 5.0, 1.5, 0, 25.0],
        "efs": {"/data": {"d": 10.0, "du": 1.0, "r": 1.5, "w": 0, "rb": 1.5 * MIB}},
        "b": [100, 201], "ni": {"eth0": [100, 0, 5, 6]}, "t": {"cpu": 41.26}, "f": {"cpu_fan": 1200},
        "bats": {"BAT0": 80}, "g": {"0": {"n": "RTX", "u": 7.0, "mu": 512.0, "e": {"video": 1.0}}},
    }  # fmt: skip


def test_nothing_told_is_zero_only_where_clients_calculate_with_it() -> None:
    zeros = {"cpu": 0, "m": 0, "mu": 0, "mp": 0, "mb": 0, "d": 0, "du": 0, "dp": 0}
    assert make_stats(Metrics()) == {**zeros, "la": [0.0, 0.0, 0.0]}


def test_containers() -> None:
    busy = ContainerMetrics(
        id="a", name="web", cpu_percent=1.236, memory_bytes=3 * MIB // 2, tx_bytes_per_second=5.0,
        rx_bytes_per_second=6.0,
    )  # fmt: skip
    assert make_container_stats([busy, ContainerMetrics(id="b", name="db")]) == [
        {"n": "web", "c": 1.24, "m": 1.5, "b": [5, 6]},
        {"n": "db", "c": 0, "m": 0, "b": [0, 0]},
    ]
