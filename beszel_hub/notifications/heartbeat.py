"""A call out at regular intervals, in Beszel's form: whoever stops getting it knows that the hub is gone."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.notifications import http_client
from beszel_hub.notifications.egress import Policy
from beszel_hub.notifications.failures import DeliveryFailed
from beszel_hub.notifications.http_client import Call
from beszel_protocol.targets import parse_url
from beszel_protocol.timestamps import format_timestamp
from beszel_protocol.version import VERSION

TIMEOUT_SECONDS: Final = 10.0
MAX_LISTED: Final = 100
"""Systems and alerts that one call names; the numbers count all."""

log = logging.getLogger(__name__)


class SystemNote(msgspec.Struct, frozen=True, kw_only=True):
    """A system that is down."""

    id: str
    name: str
    host: str


class AlertNote(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that lasts."""

    system_id: str
    system_name: str
    alert_name: str
    threshold: float | None


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """How the fleet and the hub are right now."""

    counts: dict[str, int]
    """Systems by status."""
    down: Sequence[SystemNote] = ()
    alerts: Sequence[AlertNote] = ()
    failing_jobs: Sequence[str] = ()
    """Of the hub itself."""


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["ok", "warn", "error"]
    timestamp: str
    msg: str
    systems: dict[str, int]
    down_systems: Sequence[SystemNote]
    triggered_alerts: Sequence[AlertNote]
    failing_jobs: Sequence[str]
    beszel_version: str


def make_payload(situation: Situation, now_ms: int) -> Payload:
    """Pure. Down systems are an error, alerts and failing jobs a warning."""
    counts = {status: situation.counts.get(status, 0) for status in ("up", "down", "paused", "pending")}
    status, text = _judge(situation, counts["down"])
    return Payload(
        status=status, timestamp=format_timestamp(now_ms), msg=text,
        systems={"total": sum(counts.values()), **counts}, down_systems=situation.down[:MAX_LISTED],
        triggered_alerts=situation.alerts[:MAX_LISTED], failing_jobs=situation.failing_jobs, beszel_version=VERSION,
    )  # fmt: skip


def _judge(situation: Situation, down: int) -> tuple[Literal["ok", "warn", "error"], str]:
    if down:
        names = ", ".join(system.name for system in situation.down[:MAX_LISTED])
        return "error", f"{down} system(s) down: {names}"
    if situation.alerts:
        return "warn", f"{len(situation.alerts)} alert(s) triggered"
    if situation.failing_jobs:
        return "warn", f"jobs of the hub fail: {', '.join(situation.failing_jobs)}"
    return "ok", "All systems operational"


class Heartbeat:
    """The URL is a secret of the operator's, whose own networks it may lead to; only its host is ever shown."""

    def __init__(
        self, url: str, method: str, interval_seconds: int, clock: Clock, look: Callable[[], Awaitable[Situation]]
    ) -> None:
        self.interval_seconds = interval_seconds
        self.method = method
        self.host = urlsplit(url).hostname or ""
        self.last_sent_ms: int | None = None
        self.last_error = ""
        self._url = parse_url(url)
        self._clock = clock
        self._look = look

    async def beat(self) -> None:
        """As a job: a failure is noted, not raised."""
        try:
            await self.send()
        except DeliveryFailed as failure:
            log.warning("the heartbeat was not taken: %s", failure.reason)

    async def send(self) -> None:
        """Raise `DeliveryFailed` if the call was not taken."""
        headers = {"User-Agent": f"Beszel-Heartbeat {http_client.USER_AGENT}"}
        body = b""
        if self.method == "POST":
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(make_payload(await self._look(), self._clock()))
        call = Call(url=self._url, method=self.method, headers=headers, body=body)
        try:
            await http_client.send(call, Policy(allows_private=True), timeout_seconds=TIMEOUT_SECONDS)
        except DeliveryFailed as failure:
            self.last_error = failure.reason
            raise
        self.last_sent_ms, self.last_error = self._clock(), ""
