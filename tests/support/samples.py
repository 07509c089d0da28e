"""Samples for tests, and how hypothesis makes any."""

from hypothesis import strategies as st

from beszel_protocol.messages import Sample
from beszel_protocol.sample import (
    ContainerMetrics,
    CpuMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
)
from beszel_protocol.storage import DiskMetrics
from beszel_protocol.timestamps import format_timestamp

NOON_MS = 1_795_348_800_000
"""2026-11-22T12:00:00Z."""


def make_metrics(cpu_percent: float = 12.5) -> Metrics:
    """What a small host tells, every part of it different from zero."""
    return Metrics(
        cpu=CpuMetrics(
            usage_percent=cpu_percent,
            user_percent=cpu_percent / 2,
            system_percent=cpu_percent / 4,
            cores_percent=[cpu_percent, cpu_percent],
            load_average=[0.8, 0.6, 0.4],
        ),
        memory=MemoryMetrics(total_bytes=8 << 30, used_bytes=2 << 30, usage_percent=25.0, cache_bytes=1 << 30),
        disk={
            "/": DiskMetrics(
                total_bytes=100 << 30, used_bytes=30 << 30, usage_percent=30.0, read_bytes_per_second=4096.0
            ),
            "/mnt/v1.2": DiskMetrics(total_bytes=1 << 40, used_bytes=1 << 39, usage_percent=50.0),
        },
        network=NetworkMetrics(
            bytes_sent=1000,
            bytes_recv=2000,
            sent_bytes_per_second=10.0,
            recv_bytes_per_second=20.0,
            interfaces={"eth0": InterfaceMetrics(bytes_sent=1000, bytes_recv=2000, errors=0, drops=0)},
        ),
        temperatures={"coretemp_package_id_0": 54.0},
        uptime_seconds=86400.0,
    )


def make_sample(sequence: int = 1, instant_ms: int = NOON_MS, *, cpu_percent: float = 12.5) -> Sample:
    return Sample(
        sequence=sequence,
        timestamp=format_timestamp(instant_ms),
        boot_ms=86_400_000 + instant_ms - NOON_MS,
        metrics=make_metrics(cpu_percent),
    )


names = st.text(min_size=1, max_size=40)
percents = st.floats(0, 100)
sizes = st.integers(0, 2**53)

any_metrics = st.builds(
    Metrics,
    cpu=st.none()
    | st.builds(
        CpuMetrics,
        usage_percent=st.none() | percents,
        cores_percent=st.none() | st.lists(percents, max_size=8),
        load_average=st.none() | st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    ),
    disk=st.none()
    | st.dictionaries(
        names,
        st.builds(DiskMetrics, total_bytes=st.none() | sizes, usage_percent=st.none() | percents),
        max_size=5,
    ),
    temperatures=st.none() | st.dictionaries(names, st.floats(-200, 900), max_size=5),
    containers=st.none()
    | st.lists(
        st.builds(ContainerMetrics, id=names, name=names, cpu_percent=st.none() | percents),
        max_size=5,
        unique_by=lambda container: container.name,
    ),
    uptime_seconds=st.none() | st.floats(0, 1e9),
)
"""Metrics as no host would tell them but the wire allows."""
