"""Lets clients that look know at once: the feed's `alerts`, and Beszel's event stream."""

from collections.abc import Callable, Sequence

import msgspec

from beszel_hub.alerts.telling import Told
from beszel_hub.live.alerts import AlertBoard
from beszel_hub.permissions import Verb
from beszel_protocol.feed import Alert


class Announcer:
    """`note` tells the event stream that the hub itself has made or changed a record of a collection."""

    def __init__(self, board: AlertBoard, note: Callable[[str, str, Verb], None]) -> None:
        self._board = board
        self._note = note
        self._firing: dict[str, tuple[Alert, str | None]] = {}

    @property
    def firing(self) -> list[Alert]:
        """What lasts right now."""
        return [alert for alert, _ in self._firing.values()]

    def restore(self, firing: Sequence[Told]) -> None:
        """After a start: what fires already."""
        for told in firing:
            self._put(to_alert(told), told.step.rule.user_id)

    def told(self, steps: Sequence[Told]) -> None:
        for told in steps:
            step = told.step
            if step.happened in {"recovered", "closed"}:
                self._board.remove(step.alert_id)
                self._firing.pop(step.alert_id, None)
            else:
                self._put(to_alert(told), step.rule.user_id)
            self._note("alerts_history", step.alert_id, Verb.CREATE if step.happened == "fired" else Verb.UPDATE)
            self._note("alerts", step.rule.id, Verb.UPDATE)

    def acknowledged(self, alert_id: str) -> None:
        firing = self._firing.get(alert_id)
        if firing is not None:
            alert, owner_id = firing
            self._put(msgspec.structs.replace(alert, acknowledged=True), owner_id)
        self._note("alerts_history", alert_id, Verb.UPDATE)

    def _put(self, alert: Alert, owner_id: str | None) -> None:
        self._firing[alert.id] = (alert, owner_id)
        self._board.put(alert, owner_id)


def to_alert(told: Told) -> Alert:
    transition = told.transition
    return Alert(
        id=transition.alert_id, rule=transition.rule_id, name=transition.name, system=transition.system_id,
        target=transition.target, severity=transition.severity, since_ms=transition.since_ms, value=transition.value,
        peak=transition.peak, threshold=transition.threshold, acknowledged=told.step.is_acknowledged,
        text=transition.text,
    )  # fmt: skip
