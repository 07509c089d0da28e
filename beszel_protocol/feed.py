"""The frames of the client feed (`/api/beszel/feed`): JSON text, each an object with a `type`.

A client subscribes to topics; the hub sends what changed. Every server frame carries a `sequence` that rises by one in
a connection. The feed may skip: a client that fell behind gets `resync` and asks again over HTTP.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics, Metrics

FLEET_TOPIC: Final = "fleet"
SYSTEM_TOPIC_PREFIX: Final = "system:"
CONTAINERS_TOPIC: Final = "containers"
"""Of every system one sees; `containers:<id>` of one."""
CONTAINERS_TOPIC_PREFIX: Final = "containers:"
ALERTS_TOPIC: Final = "alerts"
JOBS_TOPIC: Final = "jobs"
"""Of the hub itself; for administrators."""
MAX_TOPICS: Final = 64
MAX_CLIENT_FRAME_BYTES: Final = 16 << 10
MAX_PACE_SECONDS: Final = 60

SystemStatus: TypeAlias = Literal["up", "down", "paused", "pending"]


class _Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Settings shared by all frames."""


# Client to hub


class Auth(_Frame, frozen=True, kw_only=True, tag="auth"):
    """The first frame of a client that cannot send headers."""

    token: str


class Subscribe(_Frame, frozen=True, kw_only=True, tag="subscribe"):
    topics: list[str]


class Unsubscribe(_Frame, frozen=True, kw_only=True, tag="unsubscribe"):
    topics: list[str]


class Pace(_Frame, frozen=True, kw_only=True, tag="pace"):
    """How often the client wants the fleet, containers and jobs at most; samples and alerts come at once anyway."""

    seconds: int
    """Within 1, as without this frame, and `MAX_PACE_SECONDS`; the hub takes the nearest."""


# Hub to client


class FleetRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One system as the fleet screen shows it; a number that its host cannot tell is absent."""

    id: str
    name: str
    status: SystemStatus
    host: str = ""
    updated_ms: int | None = None
    """When the hub received the newest sample."""
    status_since_ms: int | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    disk_percent: float | None = None
    """Of the root filesystem."""
    sent_bytes_per_second: float | None = None
    recv_bytes_per_second: float | None = None
    load_average: list[float] | None = None
    temperature_celsius: float | None = None
    services_total: int | None = None
    services_failed: int | None = None
    uptime_seconds: float | None = None
    cores: int | None = None
    agent_version: str | None = None
    encrypted: bool | None = None
    """Whether the agent's link runs over TLS; None while there is no link."""
    tags: list[str] | None = None


class Fleet(_Frame, frozen=True, kw_only=True, tag="fleet"):
    """Rows that changed since the last such frame; the first after a subscription has them all."""

    sequence: int
    hub_ms: int
    """The hub's clock, so that a client need not trust its own."""
    systems: list[FleetRow]
    removed: list[str] = []
    """Ids of systems that are gone, or no longer visible to this client."""


class SystemSample(_Frame, frozen=True, kw_only=True, tag="sample"):
    """One sample as it arrived; the first after a subscription has everything that stands of the system."""

    sequence: int
    system: str
    timestamp: str
    metrics: Metrics


class HostContainers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The containers of one system; what is None is as it was."""

    system: str
    facts: list[ContainerFacts] | None = None
    """All of them."""
    image_updates: dict[str, bool] | None = None
    """By container: whether its tag stands for another image now, as its registry says; told with `facts`. What is not
    known is not in it."""
    usage: list[ContainerMetrics] | None = None
    """Of those that the newest sample tells about."""
    updated_ms: int | None = None
    """When the hub received that sample."""


class Containers(_Frame, frozen=True, kw_only=True, tag="containers"):
    """Systems whose containers changed since the last such frame; the first after a subscription has them all.

    What is used comes once a second, and less often to who sees very many containers.
    """

    sequence: int
    hub_ms: int
    hosts: list[HostContainers]
    removed: list[str] = []
    """Ids of systems that have no containers any more, or are no longer visible to this client."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert that fires; values in the unit of the target's metric."""

    id: str
    """Of its record in `alerts_history`."""
    rule: str
    name: str
    """Of the rule."""
    system: str
    target: str
    severity: Literal["info", "warning", "critical"]
    since_ms: int
    value: float | None = None
    """When it last fired, repeated or escalated."""
    peak: float | None = None
    threshold: float | None = None
    acknowledged: bool = False
    text: str = ""


class Alerts(_Frame, frozen=True, kw_only=True, tag="alerts"):
    """Alerts that are new or changed since the last such frame; the first after a subscription has them all."""

    sequence: int
    hub_ms: int
    alerts: list[Alert]
    removed: list[str] = []
    """Ids of those that are over, or no longer visible to this client."""


class JobState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one of the hub's own jobs is."""

    name: str
    interval_seconds: float
    """Between the starts of two runs."""
    runs: int = 0
    """Since the hub started."""
    failures_in_row: int = 0
    last_seconds: float | None = None
    """How long the newest run took."""
    last_error: str = ""
    """The sort of the newest run's failure; empty if that went well."""


class Jobs(_Frame, frozen=True, kw_only=True, tag="jobs"):
    """Jobs that ran since the last such frame; the first after a subscription has all that ever ran."""

    sequence: int
    hub_ms: int
    jobs: list[JobState]


class Resync(_Frame, frozen=True, kw_only=True, tag="resync"):
    """Frames of these topics were skipped."""

    sequence: int
    topics: list[str]


class FeedError(_Frame, frozen=True, kw_only=True, tag="error"):
    sequence: int
    code: str
    message: str


ClientFrame: TypeAlias = Auth | Subscribe | Unsubscribe | Pace
ServerFrame: TypeAlias = Fleet | SystemSample | Containers | Alerts | Jobs | Resync | FeedError

_encoder: Final = msgspec.json.Encoder()
client_decoder: Final = msgspec.json.Decoder(ClientFrame)
"""Raises msgspec.DecodeError."""
server_decoder: Final = msgspec.json.Decoder(ServerFrame)
"""Raises msgspec.DecodeError."""


def encode(frame: ClientFrame | ServerFrame) -> bytes:
    return _encoder.encode(frame)
