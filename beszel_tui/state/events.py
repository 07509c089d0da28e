"""What happens to the client: the only way into `reduce`. Instants are ms since the epoch by our clock."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from beszel_protocol.details import HostDetails
from beszel_protocol.feed import Alerts, Containers, Fleet, Resync, SystemSample
from beszel_protocol.processes import ProcessList
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.series import Columns, Trail
from beszel_tui.state.windows import Window


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """Settings shared by all events."""


class Connected(_Event, frozen=True, kw_only=True):
    at_ms: int


class Disconnected(_Event, frozen=True, kw_only=True):
    at_ms: int
    reason: str
    retry_at_ms: int


class Refused(_Event, frozen=True, kw_only=True):
    """The hub does not accept our token; trying again would not help."""

    at_ms: int
    reason: str


class Received(_Event, frozen=True, kw_only=True):
    at_ms: int
    frame: Fleet | SystemSample | Containers | Alerts | Resync
    hub: str = ""
    """Of several; empty where there is one."""


class HubChanged(_Event, frozen=True, kw_only=True):
    """One of several hubs came, went, or turned us away."""

    hub: str
    event: Connected | Disconnected | Refused


class Ticked(_Event, frozen=True, kw_only=True):
    at_ms: int


class SystemOpened(_Event, frozen=True, kw_only=True):
    system_id: str


class SystemClosed(_Event, frozen=True, kw_only=True):
    pass


class WindowChosen(_Event, frozen=True, kw_only=True):
    window: Window


class ContainersChosen(_Event, frozen=True, kw_only=True):
    """Other containers than before are looked at, or none."""


class TrailsLoaded(_Event, frozen=True, kw_only=True):
    trails: Mapping[str, Trail]


class ContainerTrailsLoaded(_Event, frozen=True, kw_only=True):
    """By system and id."""

    trails: Mapping[str, Trail]


class DetailsLoaded(_Event, frozen=True, kw_only=True):
    system_id: str
    details: HostDetails


class ProcessesLoaded(_Event, frozen=True, kw_only=True):
    system_id: str
    processes: ProcessList


class ProcessesFailed(_Event, frozen=True, kw_only=True):
    system_id: str
    reason: str


class ProcessesLeft(_Event, frozen=True, kw_only=True):
    """Nobody looks at them any more."""


class AlertBookLoaded(_Event, frozen=True, kw_only=True):
    book: AlertBook


class AlertBookFailed(_Event, frozen=True, kw_only=True):
    reason: str


class HistoryLoaded(_Event, frozen=True, kw_only=True):
    system_id: str
    window: Window
    columns: Columns


class HistoryFailed(_Event, frozen=True, kw_only=True):
    system_id: str
    window: Window
    reason: str


class PastChosen(_Event, frozen=True, kw_only=True):
    """An instant that is over is looked at, by the hub's clock."""

    at_ms: int
    speed: int


class PastLeft(_Event, frozen=True, kw_only=True):
    """Now is looked at again."""


class PageLoaded(_Event, frozen=True, kw_only=True):
    system_id: str
    number: int
    end_ms: int
    columns: Columns
    of_containers: bool = False
    created_ms: int | None = None
    """When the hub was told of the system, if it may have been later than the page begins."""


Event: TypeAlias = (
    Connected
    | Disconnected
    | Refused
    | Received
    | HubChanged
    | Ticked
    | SystemOpened
    | SystemClosed
    | WindowChosen
    | ContainersChosen
    | TrailsLoaded
    | ContainerTrailsLoaded
    | DetailsLoaded
    | ProcessesLoaded
    | ProcessesFailed
    | ProcessesLeft
    | AlertBookLoaded
    | AlertBookFailed
    | HistoryLoaded
    | HistoryFailed
    | PastChosen
    | PastLeft
    | PageLoaded
)
FeedEvent: TypeAlias = Connected | Disconnected | Refused | Received | HubChanged
"""What a source of data tells by itself."""


def concerns_alerts(event: Event) -> bool:
    """Whether what is known of alerts may be another after it."""
    return isinstance(event, Connected) or (isinstance(event, Received) and isinstance(event.frame, Alerts))
