"""Which channels are told of a step of an alert, and what is planned for the time it lasts. Pure.

A plan is a row of the outbox that is not due yet: it is made with `fired` and ends with the alert.
"""

from typing import Final, NamedTuple

import msgspec

from beszel_hub.alerts.transition import Transition
from beszel_hub.notifications.channel import Channel, wants
from beszel_hub.notifications.message import Step

_STARTING: Final = frozenset({"fired"})
ENDING: Final = frozenset({"recovered", "closed"})


class Routed(NamedTuple):
    """For one channel: to be told now, to be planned for an instant, or both."""

    channel: Channel
    is_told_now: bool
    plan_due_ms: int | None


def route(transition: Transition, channel: Channel, tags: frozenset[str], *, was_told: bool) -> Routed | None:
    """None if the step is nothing to this channel; `was_told` is whether it has heard of the alert before.

    A recovery follows only what was told, so nobody hears "recovered" of what they never heard of.
    """
    if transition.kind == "closed" or not wants(channel, transition, tags):
        return None
    if transition.kind == "recovered":
        return Routed(channel, True, None) if was_told and channel.sends_recoveries else None
    if transition.kind not in _STARTING:
        return Routed(channel, True, None)
    if channel.escalate_after_seconds:
        return Routed(channel, False, transition.at_ms + 1000 * channel.escalate_after_seconds)
    repeats_ms = transition.at_ms + 1000 * channel.repeat_seconds if channel.repeat_seconds else None
    return Routed(channel, True, repeats_ms)


def planned(step: Step, channel: Channel, *, told: int, now_ms: int) -> Step:
    """What a plan that has come due tells; its id differs from time to time and is the same at every try."""
    transition = step.transition
    kind = "repeated" if told else "escalated"
    return Step(
        transition=msgspec.structs.replace(
            transition, id=f"{transition.id}/{channel.id}/{told}", kind=kind, at_ms=now_ms
        ),
        facts=step.facts,
    )
