"""The topic `alerts`: what fires now, for each client what it may see; then what changes. Pure."""

from itertools import count
from typing import Final, NamedTuple

from beszel_hub.live.frames import SharedFrame, share
from beszel_hub.permissions import Actor
from beszel_protocol.feed import ALERTS_TOPIC, Alert, Alerts

MAX_ALERTS: Final = 2000
"""In one frame; who sees more asks HTTP for the rest."""


class _Posted(NamedTuple):
    alert: Alert
    owner_id: str | None
    """Whose rule it is; None for a rule for everybody."""
    version: int


class KnownAlerts:
    """What one client has been sent."""

    def __init__(self) -> None:
        self.versions: dict[str, int] | None = None
        """By id; None before the first frame."""
        self.seen: tuple[int, frozenset[str]] = (-1, frozenset())
        """The board and the systems when that was last brought up to date."""


class AlertBoard:
    """All alerts that fire."""

    def __init__(self) -> None:
        self._posted: dict[str, _Posted] = {}
        self._versions = count(1)
        self._version = 0

    def put(self, alert: Alert, owner_id: str | None) -> None:
        self._version = next(self._versions)
        self._posted[alert.id] = _Posted(alert, owner_id, self._version)

    def remove(self, alert_id: str) -> None:
        if self._posted.pop(alert_id, None) is not None:
            self._version = next(self._versions)

    def frame_for(self, actor: Actor, visible: frozenset[str], known: KnownAlerts, hub_ms: int) -> SharedFrame | None:
        """What is news to a client that sees these systems; None if nothing is. The first frame has everything."""
        if known.seen == (self._version, visible):
            return None
        known.seen = (self._version, visible)
        mine = [posted for posted in self._posted.values() if _is_for(posted, actor, visible)][:MAX_ALERTS]
        before, versions = known.versions, {posted.alert.id: posted.version for posted in mine}
        news = [posted.alert for posted in mine if before is None or before.get(posted.alert.id) != posted.version]
        removed = sorted((before or {}).keys() - versions.keys())
        known.versions = versions
        if before is not None and not news and not removed:
            return None
        return share(Alerts(sequence=0, hub_ms=hub_ms, alerts=news, removed=removed), ALERTS_TOPIC)


def _is_for(posted: _Posted, actor: Actor, visible: frozenset[str]) -> bool:
    return posted.alert.system in visible and posted.owner_id in {None, actor.user_id}
