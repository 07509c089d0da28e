"""An engine over virtual time, driven sample by sample."""

import itertools

from beszel_hub.alerts.engine import START_GRACE_MS, Engine, Watched
from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.past import Recollection, condense
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.steps import Kept, Place, Step
from beszel_hub.alerts.surroundings import Surroundings
from beszel_hub.alerts.validation import check_rule
from beszel_hub.metrics.past import PastSample
from beszel_protocol.feed import SystemStatus
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, Metrics
from beszel_protocol.storage import DiskMetrics

NOON_MS = 1_795_348_800_000
SYSTEM = "system000000001"


def cpu(percent: float | None) -> Metrics:
    return Metrics(cpu=CpuMetrics(usage_percent=percent))


def disks(**percents: float) -> Metrics:
    return Metrics(disk={f"/{name}": DiskMetrics(usage_percent=percent) for name, percent in percents.items()})


def containers(**percents: float) -> Metrics:
    return Metrics(
        containers=[ContainerMetrics(id=name, name=name, cpu_percent=percent) for name, percent in percents.items()]
    )


def rule(target: str = "cpu.usage_percent", value: float = 80.0, **others: object) -> Rule:
    """A rule of one condition; `others` are fields of the rule or of the condition."""
    of_condition = {name: others.pop(name) for name in list(others) if name in Condition.__struct_fields__}
    condition = Condition(target=target, value=value, **{"window_seconds": 0, **of_condition})  # type: ignore[arg-type]
    fields: dict[str, object] = {"id": "rule1", "name": "test", "conditions": (condition,), **others}
    return check_rule(Rule(**fields))  # type: ignore[arg-type]


class AlertWorld:
    """One engine, its clocks, and everything that it has told. Clocks stand still unless moved."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = list(rules)
        self.monotonic_ms = 1_000_000
        self.wall_ms = NOON_MS
        self.ids = itertools.count(1)
        self.steps: list[Step] = []
        self.sent: list[tuple[int, Metrics]] = []
        self.kept: dict[Place, Kept] = {}
        self.watched = Watched(id=SYSTEM, status="up", status_since_ms=NOON_MS - 86_400_000)
        self.engine = self._make()

    @property
    def moment(self) -> Moment:
        return Moment(self.monotonic_ms, self.wall_ms)

    @property
    def around(self) -> Surroundings:
        return self.engine.around(SYSTEM)

    def told(self) -> list[str]:
        """What has happened so far, in one word each."""
        return [step.happened for step in self.steps]

    def take_told(self) -> list[str]:
        told, self.steps = self.told(), []
        return told

    def pass_time(self, seconds: float) -> None:
        """No sample comes; the hub ticks."""
        for _ in range(max(1, round(seconds))):
            self.monotonic_ms += 1000
            self.wall_ms += 1000
            self._note(self.engine.tick(self.moment))

    def send(self, metrics: Metrics, seconds: int = 1, *, every: int = 1, late_ms: int = 0) -> None:
        """The same readings for some seconds."""
        for _ in range(0, seconds, every):
            self.pass_time(every)
            self.sent.append((self.wall_ms, metrics))
            self._note(self.engine.take(SYSTEM, self.wall_ms - late_ms, metrics, self.moment))

    def recall(self) -> int:
        """Tell the engine of the past what it wants to know, each sample by itself; how often it wanted anything."""
        wanted = [one for system_id in self.engine.asking(self.moment) for one in self.engine.wanting(system_id)]
        for one in wanted:
            from_ms = self.wall_ms - 1000 * (one.window_seconds + one.step_seconds)
            past = [PastSample(at_ms, at_ms + 1, 1, metrics) for at_ms, metrics in self.sent if from_ms <= at_ms]
            found = Recollection({}, past)
            self.engine.recall(one.system_id, condense(one._replace(form="samples"), found), self.moment)
        return len(wanted)

    def set_status(self, status: SystemStatus, **others: object) -> None:
        fields = {"id": SYSTEM, "status": status, "status_since_ms": self.wall_ms, **others}
        self.watched = Watched(**fields)  # type: ignore[arg-type]
        self._note(self.engine.set_system(self.watched, self.moment))

    def set_rules(self, *rules: Rule) -> None:
        self.rules = list(rules)
        self._note(self.engine.set_rules(self.rules, self.moment))

    def restart(self, away_seconds: int = 0) -> list[Kept]:
        """The hub stops, and another one starts on the same database; the monotonic clock begins anew."""
        self._save()
        stopped_ms = self.wall_ms
        self.wall_ms += away_seconds * 1000
        self.monotonic_ms = 5_000_000
        self.engine = self._make()
        return self.engine.restore(list(self.kept.values()), stopped_ms, self.moment)

    def pass_start(self) -> None:
        self.pass_time(START_GRACE_MS / 1000 + 1)

    def _make(self) -> Engine:
        engine = Engine(lambda: f"alert{next(self.ids)}", self.moment)
        engine.set_system(self.watched, self.moment)
        engine.set_rules(self.rules, self.moment)
        return engine

    def _note(self, steps: list[Step]) -> None:
        self.steps += steps
        self._save()

    def _save(self) -> None:
        for kept in self.engine.take_unsaved(self.moment):
            if kept.phase == "calm" and not kept.fires_ms:
                self.kept.pop(kept.place, None)
            else:
                self.kept[kept.place] = kept
