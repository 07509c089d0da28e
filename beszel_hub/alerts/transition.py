"""What the engine hands to delivery: one step of one alert, to be stored in the transaction that stores the step."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["info", "warning", "critical"]
Kind: TypeAlias = Literal["fired", "recovered", "escalated", "repeated", "closed", "summary"]
"""`fired` and `recovered` alternate for every pair of rule and target; `escalated` and `repeated` lie between them.

`closed` ends an alert that did not recover: its rule or target is gone, or its system is paused. Nobody has to hear of
it; what was planned for the alert ends. `summary` tells one user at the end of quiet hours what was held back; it
belongs to no rule.
"""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one alert. Instants are milliseconds since the epoch, values in the unit of the target's metric."""

    id: str
    """The idempotency key: the same step has the same one, however often it is handed over."""
    alert_id: str
    """Of the alert that the step belongs to, the same from `fired` to its end; the id of its row in the history."""
    rule_id: str
    name: str
    """Of the rule."""
    system_id: str
    """Empty in a summary."""
    system_name: str
    target: str
    """The address of the series, `status`, a name from the table of derived series, or `conditions` for several."""
    severity: Severity
    kind: Kind
    value: float | None
    """What was measured at this step, aggregated over the rule's window; None where there is nothing to measure."""
    peak: float | None
    """The worst value since the alert fired."""
    threshold: float | None
    since_ms: int
    """When the alert fired."""
    at_ms: int
    user_ids: tuple[str, ...]
    """Who is to be told. Empty if everybody who would be has quiet hours; the step is handed over all the same."""
    text: str
    """One plain line for people; may hold names that a monitored host chose, so it is no markup and no template."""
    lasting: tuple[str, ...] = ()
    """In a summary: the alerts that it says still last."""


OnTransition: TypeAlias = Callable[[Transition], None]
"""Runs on the database's writer thread, inside the transaction that stores the step; must not wait for anything."""
