import pytest

from beszel_protocol import feed
from beszel_protocol.feed import (
    Auth,
    FeedError,
    Fleet,
    FleetRow,
    Jobs,
    JobState,
    Pace,
    Resync,
    Subscribe,
    SystemSample,
    Unsubscribe,
)
from tests.support.samples import make_metrics


@pytest.mark.parametrize(
    "frame", [Auth(token="t"), Subscribe(topics=["fleet"]), Unsubscribe(topics=["system:abc"]), Pace(seconds=9)]
)
def test_client_frames(frame: feed.ClientFrame) -> None:
    assert feed.client_decoder.decode(feed.encode(frame)) == frame


@pytest.mark.parametrize(
    "frame",
    [
        Fleet(
            sequence=1, hub_ms=5, systems=[FleetRow(id="a", name="web-1", status="up", cpu_percent=41.2)], removed=["b"]
        ),
        SystemSample(sequence=2, system="a", timestamp="2026-11-22T12:00:00.000Z", metrics=make_metrics()),
        Resync(sequence=3, topics=["fleet"]),
        Jobs(sequence=5, hub_ms=5, jobs=[JobState(name="seal", interval_seconds=15, runs=2, last_seconds=0.1)]),
        FeedError(sequence=4, code="forbidden", message="no"),
    ],
)
def test_server_frames(frame: feed.ServerFrame) -> None:
    assert feed.server_decoder.decode(feed.encode(frame)) == frame


def test_a_row_leaves_out_what_its_host_cannot_tell() -> None:
    row = FleetRow(id="a", name="web-1", status="pending")
    assert feed.encode(Fleet(sequence=1, hub_ms=5, systems=[row])).count(b"percent") == 0
