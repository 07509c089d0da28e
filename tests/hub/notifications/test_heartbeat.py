"""What a heartbeat says, and what becomes of one that is not taken."""

import asyncio

import pytest

from beszel_hub.notifications.failures import DeliveryFailed
from beszel_hub.notifications.heartbeat import AlertNote, Heartbeat, Situation, SystemNote, make_payload
from tests.support.hookserver import receiving

DOWN = SystemNote(id="s1", name="web", host="192.0.2.1")
ALERT = AlertNote(system_id="s2", system_name="db", alert_name="CPU", threshold=80.0)


@pytest.mark.parametrize(
    ("situation", "status", "text"),
    [
        (Situation(counts={"up": 2}), "ok", "All systems operational"),
        (Situation(counts={"up": 1, "down": 1}, down=[DOWN], alerts=[ALERT]), "error", "1 system(s) down: web"),
        (Situation(counts={"up": 1}, alerts=[ALERT]), "warn", "1 alert(s) triggered"),
        (Situation(counts={}, failing_jobs=["seal"]), "warn", "jobs of the hub fail: seal"),
    ],
)
def test_payload(situation: Situation, status: str, text: str) -> None:
    payload = make_payload(situation, 1_800_000_000_000)
    assert (payload.status, payload.msg, payload.timestamp) == (status, text, "2027-01-15T08:00:00.000Z")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_methods(method: str) -> None:
    async def look() -> Situation:
        return Situation(counts={"up": 1})

    with receiving() as receiver:
        heartbeat = Heartbeat(receiver.url, method, 60, lambda: 5, look)
        asyncio.run(heartbeat.beat())
        assert (receiver.requests[0].method, bool(receiver.requests[0].body)) == (method, method == "POST")
        assert (heartbeat.last_sent_ms, heartbeat.last_error) == (5, "")


def test_a_failure_is_noted_and_the_job_goes_on() -> None:
    async def look() -> Situation:
        return Situation(counts={})

    with receiving(500, 500) as receiver:
        heartbeat = Heartbeat(receiver.url, "POST", 60, lambda: 5, look)
        asyncio.run(heartbeat.beat())
        assert (heartbeat.last_sent_ms, heartbeat.last_error) == (None, "it answers HTTP 500")
        with pytest.raises(DeliveryFailed):
            asyncio.run(heartbeat.send())
