"""What became of arrays, pools, disks and checks between one sample and the next: events of changed verdicts."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from beszel_agent.severity import WORDS
from beszel_protocol.messages import Event
from beszel_protocol.sample import CheckMetrics, Metrics
from beszel_protocol.storage import ArrayMetrics, PoolMetrics, SmartMetrics
from beszel_protocol.timestamps import format_timestamp

_Judged: TypeAlias = ArrayMetrics | PoolMetrics | SmartMetrics | CheckMetrics

KINDS: Final = {
    "arrays": "array_verdict", "pools": "pool_verdict", "smart": "disk_verdict", "checks": "check_verdict",
}  # fmt: skip
"""Of the events, by what in a sample they are about."""


MAX_KNOWN: Final = 4096
"""Checks come and go by names that the hub makes up; the longest known gives way."""


class Change(NamedTuple):
    kind: str
    subject: str
    before: int
    after: int
    state: str

    def as_event(self, sequence: int, *, instant_ms: int, boot_ms: int) -> Event:
        return Event(
            sequence=sequence,
            timestamp=format_timestamp(instant_ms),
            boot_ms=boot_ms,
            kind=self.kind,
            subject=self.subject,
            text=f"{WORDS[self.before]} → {WORDS[self.after]}: {self.state}",
            attributes={"before": self.before, "after": self.after},
        )


class Verdicts:
    """Remembers the last severity of each. What is seen for the first time has not changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._seen: dict[str, object] = {}

    def changes(self, metrics: Metrics) -> list[Change]:
        found: list[Change] = []
        for field, kind in KINDS.items():
            judged = getattr(metrics, field)
            # A paced part stands unchanged in many samples.
            if judged is not None and judged is not self._seen.get(field):
                self._seen[field] = judged
                found += self._compare(kind, judged)
        return found

    def _compare(self, kind: str, judged: Mapping[str, _Judged]) -> list[Change]:
        found = []
        for subject, item in judged.items():
            after = item.severity
            if after is None:
                continue
            before = self._known.get((kind, subject))
            self._remember((kind, subject), after)
            if before is not None and before != after:
                found.append(Change(kind, subject, before, after, item.state or ""))
        return found

    def _remember(self, key: tuple[str, str], severity: int) -> None:
        self._known[key] = severity
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
