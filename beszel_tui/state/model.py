"""Everything the screens show. Frozen: `reduce` makes the next state, nobody changes one."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from beszel_protocol.details import HostDetails
from beszel_protocol.feed import Alert, FleetRow, HostContainers
from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import Metrics
from beszel_protocol.standing import Standing
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.hubs import hub_of
from beszel_tui.state.past import Past
from beszel_tui.state.series import Columns, Trail
from beszel_tui.state.windows import LIVE, Window

Phase: TypeAlias = Literal["connecting", "live", "offline", "refused"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The feed, as it stands."""

    phase: Phase = "connecting"
    since_ms: int = 0
    """When the phase began, by our clock. While reconnecting it stays the moment the hub was lost."""
    reason: str = ""
    retry_at_ms: int | None = None


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """The one system that is open."""

    system_id: str
    details: HostDetails | None = None
    metrics: Metrics | None = None
    """Of the newest sample."""
    sampled_ms: int | None = None
    pace_ms: int | None = None
    """Between its two newest samples."""
    standing: Standing = Standing()
    """What is not in every sample, as it was told last."""
    whole: Metrics | None = None
    """The newest sample with all that stands beside it."""
    processes: ProcessList | None = None
    """All of them, as long as somebody looks."""
    processes_problem: str = ""
    """Why there are none, or no newer ones."""
    live: Columns = Columns(resolution_ms=1000)
    window: Window = LIVE
    history: Columns | None = None
    """Of `window`, unless that is live; None until it has been loaded."""
    loading: bool = False
    problem: str = ""
    """Why there is no history."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    hub: str = ""
    """As people call it: host and port."""
    now_ms: int = 0
    """Our clock at the last tick."""
    hubs: Mapping[str, Connection] = msgspec.field(default_factory=dict)
    """Of several, by name; empty where there is one."""
    awaited: frozenset[str] = frozenset()
    """Hubs that have come and have not told all their systems yet; an empty name for the only one."""
    hub_offset_ms: int = 0
    """What to add to our clock to get the hub's."""
    connection: Connection = Connection()
    systems: Mapping[str, FleetRow] = msgspec.field(default_factory=dict)
    trails: Mapping[str, Trail] = msgspec.field(default_factory=dict)
    """Of processor usage."""
    containers: Mapping[str, HostContainers] = msgspec.field(default_factory=dict)
    """By system; only of those that are looked at."""
    container_trails: Mapping[str, Trail] = msgspec.field(default_factory=dict)
    """Of their processor usage, by system and id."""
    containers_loaded: bool = False
    """Whether what is known of containers is all that was asked for."""
    alerts: Mapping[str, Alert] = msgspec.field(default_factory=dict)
    """What fires now, by id."""
    alerts_loaded: bool = False
    """Whether that is all that fires."""
    book: AlertBook | None = None
    """What the hub keeps about alerts; None until somebody has looked."""
    book_problem: str = ""
    """Why it could not be read, or not again."""
    loaded: bool = False
    """Whether the hub has ever told us its systems."""
    focus: Focus | None = None
    past: Past | None = None
    """The instant that is looked at instead of now."""

    @property
    def hub_now_ms(self) -> int:
        return self.now_ms + self.hub_offset_ms

    @property
    def is_live(self) -> bool:
        return self.connection.phase == "live"

    def is_told(self, system_id: str) -> bool:
        """Whether the hub of this system tells it now."""
        hub = self.hubs.get(hub_of(system_id))
        return self.is_live if hub is None else hub.phase == "live"

    def is_but_later(self, before: "State") -> bool:
        """Whether nothing has happened since but that time went on."""
        return all(getattr(self, name) is getattr(before, name) for name in _TIMELESS)

    @property
    def focus_row(self) -> FleetRow | None:
        return self.systems.get(self.focus.system_id) if self.focus else None


_TIMELESS: Final = tuple(name for name in State.__struct_fields__ if name != "now_ms")
