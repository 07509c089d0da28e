"""What was before a window began: which parts of history are asked for, and when. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from beszel_hub.alerts.derived import Keys
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.surroundings import Carried
from beszel_hub.alerts.targets import compile_target, needs_of
from beszel_hub.alerts.window import BUCKETS, Past
from beszel_protocol.addresses import Address
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics, catalogue

Side: TypeAlias = Literal["mean", "least", "greatest", "last"]
"""What stands for a stretch of time in which there were many readings."""

Form: TypeAlias = Literal["series", "samples", "single samples"]
"""How the past is wanted: series by series; put together as samples, for what is made of several series; or samples one
by one as they were, for texts and for the extremes of what is made of several readings of one instant."""

ASK_AFTER_MS: Final = (0, 60_000, 300_000)
"""After the first sample: agents may have to send what they kept while the hub was away."""
_MINUTE: Final = 60
_TIERS: Final = (_MINUTE, 600, 28_800)
"""How long the buckets of history are, in seconds."""


class Recalled(Protocol):
    """One stretch of the past as a sample, `from_ms <= instant < to_ms`, of so many readings."""

    @property
    def from_ms(self) -> int: ...
    @property
    def to_ms(self) -> int: ...
    @property
    def readings(self) -> int: ...
    @property
    def metrics(self) -> Metrics: ...


class Wanted(NamedTuple):
    """What windows lack. Conditions that can do with the same stretches are asked for together."""

    system_id: str
    conditions: tuple[Condition, ...]
    window_seconds: int
    step_seconds: int
    sides: Mapping[str, Side]
    """By pattern of the catalogue, or of a text."""
    form: Form = "samples"


class Recollection(NamedTuple):
    """What history has of something wanted, in the order of time: as series by their addresses, or as samples."""

    series: Mapping[Address, Sequence[Past]]
    samples: Sequence[Recalled]


Digest: TypeAlias = Mapping[Condition, Mapping[Keys, Sequence[Past]]]
"""Of each condition what each of its targets came to, in the order of time, by the wall clock."""


class Stretch(NamedTuple):
    """A part of the past, and in which resolution it is known; 1 for single samples."""

    from_ms: int
    to_ms: int
    seconds: int


class Annals(Protocol):
    """What alerts ask of history. Everything is told in the order of time, and runs inside `Database.read`."""

    def stretches(self, wanted: Sequence[Wanted]) -> Sequence[Recollection]:
        """Of each, up to now. What many systems want is found in one pass."""

    def events(self, system_ids: Sequence[str], from_ms: int) -> Sequence[tuple[str, int, Event]]:
        """System, instant and event."""

    def traffic(self, system_id: str, days: Iterable[int]) -> Mapping[int, Carried]:
        """What a system carried since its month began, by the day on which it does."""

    def traffic_course(
        self, system_id: str, days: Iterable[int], from_ms: int, to_ms: int
    ) -> Sequence[tuple[int, Mapping[int, Carried]]]:
        """Likewise at instants of the past."""

    def known(self, system_id: str, from_ms: int, to_ms: int, coarsest_raw_ms: int | None = None) -> list[Stretch]:
        """In which resolutions a part of the past is known; with `coarsest_raw_ms`, samples only if it is no longer."""

    def samples(self, system_id: str, rule: Rule, stretch: Stretch) -> Sequence[tuple[int, Metrics]]:
        """What the rule needs of the samples, each with its instant."""


def group(system_id: str, conditions: Iterable[Condition]) -> list[Wanted]:
    groups: dict[tuple[int, Side, Form], list[Condition]] = {}
    for condition in dict.fromkeys(conditions):
        key = _step_of(condition), side_of(condition), _form_of(condition)
        groups.setdefault(key, []).append(condition)
    return [
        Wanted(
            system_id, tuple(alike), max(condition.window_seconds for condition in alike), step_seconds,
            dict.fromkeys(needs_of(condition.target for condition in alike), side), form,
        )
        for (step_seconds, side, form), alike in groups.items()
    ]  # fmt: skip


def _form_of(condition: Condition) -> Form:
    """A long stretch is known by what its series came to each by itself, and by nothing else."""
    target = compile_target(condition.target)
    if target.keys_of is not None:
        return "series"
    if _step_of(condition) >= _MINUTE:
        return "samples"
    is_joint = len(target.needs) > 1 and side_of(condition) in {"least", "greatest"}
    return "single samples" if is_joint or not catalogue().keys() >= set(target.needs) else "samples"


def condense(wanted: Wanted, found: Recollection) -> Digest:
    """What windows take of it: as many stretches as they have buckets. For a thread that nobody waits for."""
    if wanted.form == "series":
        return {condition: _pick(condition, found.series) for condition in wanted.conditions}
    step_ms = wanted.step_seconds * 1000
    return {condition: _condense_one(condition, step_ms, found.samples) for condition in wanted.conditions}


def _pick(condition: Condition, series: Mapping[Address, Sequence[Past]]) -> Mapping[Keys, Sequence[Past]]:
    keys_of = compile_target(condition.target).keys_of
    if keys_of is None:
        return {}
    return {keys: stretches for address, stretches in series.items() if (keys := keys_of(address)) is not None}


def _condense_one(condition: Condition, step_ms: int, past: Sequence[Recalled]) -> Mapping[Keys, Sequence[Past]]:
    read, side = compile_target(condition.target).read, side_of(condition)
    found: dict[Keys, list[Past]] = {}
    for one in past:
        for keys, value in read(one.metrics):
            stretches = found.setdefault(keys, [])
            new = Past(one.from_ms, one.to_ms, one.readings, value)
            if stretches and stretches[-1].from_ms // step_ms == new.from_ms // step_ms:
                stretches[-1] = _joined(stretches[-1], new, side)
            else:
                stretches.append(new)
    return found


def _joined(before: Past, after: Past, side: Side) -> Past:
    readings = before.readings + after.readings
    value = after.value
    if side == "mean":
        value = (before.value * before.readings + after.value * after.readings) / readings
    elif side == "least":
        value = min(before.value, after.value)
    elif side == "greatest":
        value = max(before.value, after.value)
    return Past(before.from_ms, after.to_ms, readings, value)


def side_of(condition: Condition) -> Side:
    """What a window of this kind would have kept of a stretch."""
    match condition.aggregate:
        case "mean":
            return "mean"
        case "max":
            return "greatest"
        case "min":
            return "least"
    return "last"


def extreme_of(condition: Condition) -> Side:
    """What stands for a stretch when the rule is tried on it: its worst, unless the rule goes by the mean."""
    is_newest = not condition.window_seconds or condition.aggregate == "last"
    if is_newest and condition.comparison != "absent":
        return "greatest" if condition.comparison == "above" else "least"
    return side_of(condition)


def _step_of(condition: Condition) -> int:
    """As long as a bucket of its window, or as the tier of history that comes next below has them."""
    seconds = max(1, condition.window_seconds // BUCKETS)
    bucket_seconds = max((each for each in _TIERS if each <= seconds), default=1)
    return seconds - seconds % bucket_seconds
