"""What came of a check, and how a sample tells it."""

from typing import Final, NamedTuple

from beszel_agent.checks.certificates import Validity
from beszel_agent.severity import CONCERN, FAILED, SOUND
from beszel_protocol.sample import CheckMetrics

_SOON_SECONDS: Final = 14 * 86_400.0
_SOON_SHARE: Final = 0.25
"""Of its whole life, for certificates that only live for days."""


class Outcome(NamedTuple):
    """Measured: the target did what was asked of it, or not."""

    problem: str | None = None
    """Why it counts as down."""
    latency_ms: float | None = None
    status_code: int | None = None
    certificate: Validity | None = None


def to_metrics(outcome: Outcome, now_seconds: float) -> CheckMetrics:
    """`now_seconds` since 1970, by which certificates end."""
    left = None if outcome.certificate is None else max(0.0, outcome.certificate.until - now_seconds)
    severity, state = _verdict(outcome, left)
    return CheckMetrics(
        severity=severity,
        state=state,
        up=int(outcome.problem is None),
        latency_ms=None if outcome.latency_ms is None else round(outcome.latency_ms, 3),
        status_code=outcome.status_code,
        certificate_expires_seconds=None if left is None else round(left),
    )


def down(problem: str) -> CheckMetrics:
    """Of a target that gave nothing to measure."""
    return CheckMetrics(severity=FAILED, state=problem, up=0)


def not_made(reason: str) -> CheckMetrics:
    """Nothing is known of the target: a gap, with words."""
    return CheckMetrics(state=reason)


def _verdict(outcome: Outcome, left_seconds: float | None) -> tuple[int, str]:
    if outcome.problem is not None:
        return FAILED, outcome.problem
    if left_seconds is not None and outcome.certificate is not None:
        lifetime = outcome.certificate.until - outcome.certificate.since
        if left_seconds < min(_SOON_SECONDS, lifetime * _SOON_SHARE):
            return CONCERN, f"its certificate ends in {_in_words(left_seconds)}"
    return SOUND, "up"


def _in_words(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} h"
