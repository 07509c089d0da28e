"""The topic `jobs`: how everything goes that the hub does by itself, for who may ask; then what changes."""

from collections.abc import Sequence

import msgspec

from beszel_hub.actions import Action
from beszel_hub.live.frames import SharedFrame, share
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.scheduler import JobReport
from beszel_protocol.feed import JOBS_TOPIC, Jobs, JobState


class KnownJobs:
    """What one client has been sent."""

    __slots__ = ("reports",)

    def __init__(self) -> None:
        self.reports: dict[str, JobReport] | None = None
        """By name; None before the first frame."""


def may_see_jobs(actor: Actor) -> bool:
    """Who may read `/api/beszel/jobs`."""
    return decide(actor, Action.JOBS) is Decision.ALLOW


def jobs_frame(reports: Sequence[JobReport], known: KnownJobs, hub_ms: int) -> SharedFrame | None:
    """What is news to a client; None if nothing is. The first frame has everything."""
    before, known.reports = known.reports, {report.name: report for report in reports}
    news = [report for report in reports if before is None or before.get(report.name) != report]
    if before is not None and not news:
        return None
    states = [JobState(**msgspec.structs.asdict(report)) for report in news]
    return share(Jobs(sequence=0, hub_ms=hub_ms, jobs=states), JOBS_TOPIC)
