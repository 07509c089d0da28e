"""What the engine gives out: steps of alerts for people to hear of, and states to be kept across restarts."""

import msgspec

from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.phases import Happened, Phase, State
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.transition import Severity


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something has happened to an alert. Instants are of the wall clock."""

    rule: Rule
    system_id: str
    target: str
    happened: Happened
    alert_id: str
    severity: Severity
    value: float | None
    peak: float | None
    since_ms: int
    at_ms: int
    number: int = 0
    """Of a repetition."""
    reason: str = ""
    """Why an alert was closed."""
    is_acknowledged: bool = False

    @property
    def id(self) -> str:
        """The same for the same step, however often it is handed over."""
        return f"{self.alert_id}:{self.happened}:{self.number}"


class Place(msgspec.Struct, frozen=True):
    """Whose state it is."""

    rule_id: str
    system_id: str
    target: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A state as it outlives the hub: every instant on the wall clock."""

    place: Place
    phase: Phase
    since_ms: int
    alert_id: str = ""
    value: float | None = None
    peak: float | None = None
    clear_since_ms: int | None = None
    reminded_ms: int = 0
    repeats: int = 0
    is_escalated: bool = False
    is_acknowledged: bool = False
    fires_ms: tuple[int, ...] = ()


def keep(place: Place, state: State, moment: Moment) -> Kept:
    """From the monotonic clock of this process to the wall clock."""
    return Kept(
        place=place, phase=state.phase, since_ms=moment.wall_of(state.since_ms), alert_id=state.alert_id,
        value=state.value, peak=state.peak, repeats=state.repeats, is_escalated=state.is_escalated,
        is_acknowledged=state.is_acknowledged, reminded_ms=moment.wall_of(state.reminded_ms),
        clear_since_ms=None if state.clear_since_ms is None else moment.wall_of(state.clear_since_ms),
        fires_ms=tuple(map(moment.wall_of, state.fires_ms)),
    )  # fmt: skip


def revive(kept: Kept, moment: Moment) -> State:
    """From the wall clock to the monotonic clock of this process; nothing lies in the future."""
    return State(
        phase=kept.phase, since_ms=moment.monotonic_of(kept.since_ms), alert_id=kept.alert_id, value=kept.value,
        peak=kept.peak, repeats=kept.repeats, is_escalated=kept.is_escalated, is_acknowledged=kept.is_acknowledged,
        reminded_ms=moment.monotonic_of(kept.reminded_ms),
        clear_since_ms=None if kept.clear_since_ms is None else moment.monotonic_of(kept.clear_since_ms),
        fires_ms=tuple(map(moment.monotonic_of, kept.fires_ms)),
    )  # fmt: skip


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was over before it came here, as the history has it; of another hub, which knows no severity."""

    id: str
    rule_id: str
    user_id: str
    system_id: str
    name: str
    target: str
    value: float | None
    reason: str
    created: int
    resolved: int
