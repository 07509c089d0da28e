"""What an engine answers, as far as it is of use: nothing that is not named here is even decoded.

Docker and Podman leave out or null what is empty, hence the many None.
"""

from typing import Any, Final, TypeVar

import msgspec

from beszel_agent.errors import EngineFailed

T = TypeVar("T")

_NEVER: Final = "0001-01-01T00:00:00Z"


class _Document(msgspec.Struct, frozen=True, rename="pascal"):
    """Settings shared by all."""


class Listed(_Document, frozen=True):
    """A row of `/containers/json`."""

    id: str
    names: list[str] | None = None
    state: str | None = None
    status: str | None = None
    """Holds the health and a running clock."""


class HealthState(_Document, frozen=True):
    status: str | None = None


class State(_Document, frozen=True):
    status: str | None = None
    paused: bool | None = None
    oom_killed: bool | None = msgspec.field(default=None, name="OOMKilled")
    pid: int | None = None
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    health: HealthState | None = None


class HostConfig(_Document, frozen=True):
    network_mode: str | None = None
    memory: int | None = None
    nano_cpus: int | None = None
    cpu_quota: int | None = None
    cpu_period: int | None = None


class ContainerConfig(_Document, frozen=True):
    image: str | None = None
    labels: dict[str, str] | None = None
    tty: bool | None = None


class PortBinding(_Document, frozen=True):
    host_ip: str | None = None
    host_port: str | None = None


class NetworkSettings(_Document, frozen=True):
    ports: dict[str, list[PortBinding] | None] | None = None


class Inspected(_Document, frozen=True):
    """`/containers/{id}/json`."""

    id: str
    name: str | None = None
    image: str | None = None
    """The image's id."""
    restart_count: int | None = None
    state: State = State()
    host_config: HostConfig | None = None
    config: ContainerConfig | None = None
    network_settings: NetworkSettings | None = None


class ImageDocument(_Document, frozen=True):
    repo_digests: list[str] | None = None


class Actor(_Document, frozen=True):
    id: str | None = msgspec.field(default=None, name="ID")
    attributes: dict[str, str] | None = None


class EventDocument(msgspec.Struct, frozen=True):
    """A line of `/events`; Podman has the fields of Docker."""

    type: str | None = msgspec.field(default=None, name="Type")
    action: str | None = msgspec.field(default=None, name="Action")
    actor: Actor | None = msgspec.field(default=None, name="Actor")


class CpuUsage(msgspec.Struct, frozen=True):
    total_usage: int | None = None


class Throttling(msgspec.Struct, frozen=True):
    periods: int | None = None
    throttled_periods: int | None = None


class CpuStatistics(msgspec.Struct, frozen=True):
    cpu_usage: CpuUsage | None = None
    throttling_data: Throttling | None = None


class MemoryStatistics(msgspec.Struct, frozen=True):
    usage: int | None = None
    stats: dict[str, Any] | None = None


class PidStatistics(msgspec.Struct, frozen=True):
    current: int | None = None


class NetworkStatistics(msgspec.Struct, frozen=True):
    rx_bytes: int = 0
    tx_bytes: int = 0


class BlkioEntry(msgspec.Struct, frozen=True):
    major: int = 0
    minor: int = 0
    op: str | None = None
    value: int = 0


class BlkioStatistics(msgspec.Struct, frozen=True):
    io_service_bytes_recursive: list[BlkioEntry] | None = None


class Statistics(msgspec.Struct, frozen=True):
    """`/containers/{id}/stats`."""

    read: str | None = None
    """When, by the engine."""
    cpu_stats: CpuStatistics | None = None
    memory_stats: MemoryStatistics | None = None
    pids_stats: PidStatistics | None = None
    networks: dict[str, NetworkStatistics] | None = None
    blkio_stats: BlkioStatistics | None = None


def read_document(answer: Any, kind: type[T]) -> T:
    """Raise `EngineFailed` if the engine's answer is not what its API says."""
    try:
        return msgspec.convert(answer, kind, strict=False)
    except msgspec.ValidationError as error:
        raise EngineFailed(f"an answer is not understood: {error}") from error


def read_rows(answer: Any, kind: type[T]) -> list[T]:
    """Those of a list that are understood; one that is not costs itself only."""
    if not isinstance(answer, list):
        raise EngineFailed("an answer is no list")
    rows: list[T] = []
    for row in answer:
        try:
            rows.append(read_document(row, kind))
        except EngineFailed:
            continue
    return rows


def instant_or_none(text: str | None) -> str | None:
    """What engines write for an instant that never came is none."""
    return None if not text or text.startswith(_NEVER[:10]) else text
