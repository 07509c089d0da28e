"""Who is told of what."""

from typing import Any

import pytest

from beszel_hub.notifications.channel import Channel, wants
from beszel_hub.notifications.steps import route
from tests.support.transitions import NOW_MS, SYSTEM_ID, make_transition

TAGS = frozenset({"prod"})


def channel(**fields: Any) -> Channel:
    return Channel(id="c", user_id="u", kind="webhook", name="n", **fields)


@pytest.mark.parametrize(
    ("fields", "is_wanted"),
    [
        ({}, True), ({"is_enabled": False}, False), ({"min_severity": "critical"}, False),
        ({"min_severity": "warning"}, True), ({"rules": ("rule1",)}, True), ({"rules": ("other",)}, False),
        ({"systems": (SYSTEM_ID,)}, True), ({"systems": ("other",)}, False), ({"tags": ("prod",)}, True),
        ({"tags": ("test",)}, False), ({"systems": ("other",), "tags": ("prod",)}, True),
        ({"rules": ("other",), "tags": ("prod",)}, False),
    ],
)  # fmt: skip
def test_routing(fields: dict[str, Any], is_wanted: bool) -> None:
    assert wants(channel(**fields), make_transition(), TAGS) is is_wanted


def test_a_summary_belongs_to_no_rule_and_no_system() -> None:
    summary = make_transition(kind="summary", rule_id="", system_id="")
    assert wants(channel(rules=("x",), systems=("y",), tags=("z",)), summary, frozenset())


def test_a_recovery_follows_only_what_was_told() -> None:
    recovery = make_transition(kind="recovered")
    assert route(recovery, channel(), TAGS, was_told=False) is None
    routed = route(recovery, channel(), TAGS, was_told=True)
    assert routed is not None
    assert routed.is_told_now
    assert route(recovery, channel(sends_recoveries=False), TAGS, was_told=True) is None


def test_nobody_hears_that_an_alert_was_closed() -> None:
    assert route(make_transition(kind="closed"), channel(), TAGS, was_told=True) is None


def test_escalation_waits_and_repetition_follows() -> None:
    escalated = route(make_transition(), channel(escalate_after_seconds=600), TAGS, was_told=False)
    assert escalated is not None
    assert (escalated.is_told_now, escalated.plan_due_ms) == (False, NOW_MS + 600_000)
    repeated = route(make_transition(), channel(repeat_seconds=60), TAGS, was_told=False)
    assert repeated is not None
    assert (repeated.is_told_now, repeated.plan_due_ms) == (True, NOW_MS + 60_000)
