"""What whoever watches over the hub from outside is told: how the fleet is, and the hub itself."""

from collections import Counter
from collections.abc import Iterable, Sequence

from beszel_hub.notifications.heartbeat import AlertNote, Situation, SystemNote
from beszel_hub.systems.directory import Entry
from beszel_protocol.feed import Alert


def describe(systems: Iterable[Entry], firing: Iterable[Alert], failing_jobs: Sequence[str]) -> Situation:
    """`firing` are alerts that last right now; one of a system that is gone has no name for it."""
    entries = list(systems)
    names = {entry.id: entry.name for entry in entries}
    down = [SystemNote(id=entry.id, name=entry.name, host=entry.host) for entry in entries if entry.status == "down"]
    alerts = [
        AlertNote(
            system_id=alert.system, system_name=names.get(alert.system, ""), alert_name=alert.name,
            threshold=alert.threshold,
        )
        for alert in firing
    ]  # fmt: skip
    return Situation(
        counts=dict(Counter(entry.status for entry in entries)), down=down, alerts=alerts, failing_jobs=failing_jobs
    )
