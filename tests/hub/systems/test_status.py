import msgspec
import pytest

from beszel_hub.systems.status import Facts, next_status
from beszel_protocol.feed import SystemStatus

START = 1_000_000
UP = Facts(
    interval_seconds=1.0, connected=True, last_sample_ms=START + 60_000, last_change_ms=START + 1_000,
    watched_since_ms=START, ever_seen=True,
)  # fmt: skip
GONE = msgspec.structs.replace(UP, connected=False, last_change_ms=START + 60_500)
SLOW = msgspec.structs.replace(UP, interval_seconds=60.0)
NEVER = Facts(interval_seconds=1.0, connected=False, watched_since_ms=START)
RESTARTED = Facts(interval_seconds=1.0, connected=False, watched_since_ms=START, last_change_ms=START, ever_seen=True)
BACK_WITHOUT_DATA = msgspec.structs.replace(RESTARTED, connected=True, last_change_ms=START + 14_000)


@pytest.mark.parametrize(
    ("current", "facts", "at_ms", "expected"),
    [
        pytest.param("pending", UP, 60_001, "up", id="the first sample takes a pending system up"),
        pytest.param("down", UP, 60_001, "up", id="a sample takes a system up again"),
        pytest.param("up", UP, 69_999, "up", id="ten seconds of silence are allowed"),
        pytest.param("up", UP, 70_000, "down", id="more are not, though connected"),
        pytest.param("up", SLOW, 239_999, "up", id="a slow agent may be silent for three intervals"),
        pytest.param("up", SLOW, 240_000, "down", id="but not longer"),
        pytest.param("up", GONE, 65_499, "up", id="a short disconnection is no outage"),
        pytest.param("up", GONE, 65_500, "down", id="five seconds are"),
        pytest.param("pending", NEVER, 10**9, "pending", id="a system nobody enrolled for waits for ever"),
        pytest.param("up", RESTARTED, 14_999, "up", id="after a restart of the hub agents have time to return"),
        pytest.param("up", RESTARTED, 15_000, "down", id="fifteen seconds"),
        pytest.param("down", RESTARTED, 14_999, "down", id="what was down stays down"),
        pytest.param("pending", RESTARTED, 15_000, "down", id="a resumed system whose agent is gone is down"),
        pytest.param("up", BACK_WITHOUT_DATA, 15_000, "up", id="an agent that just returned may take its time"),
        pytest.param("up", BACK_WITHOUT_DATA, 24_000, "down", id="but has to send something"),
        pytest.param("paused", UP, 60_001, "paused", id="samples do not end a pause"),
        pytest.param("paused", GONE, 10**9, "paused", id="nor does silence"),
    ],
)
def test_next_status(current: SystemStatus, facts: Facts, at_ms: int, expected: SystemStatus) -> None:
    assert next_status(current, facts, START + at_ms) == expected


def test_samples_from_before_a_pause_do_not_make_a_resumed_system_up() -> None:
    resumed = msgspec.structs.replace(UP, watched_since_ms=START + 61_000)
    assert next_status("pending", resumed, START + 61_001) == "pending"
    again = msgspec.structs.replace(resumed, last_sample_ms=START + 61_500)
    assert next_status("pending", again, START + 61_501) == "up"


def test_a_life_second_by_second() -> None:
    """Enrols at 5 s, streams until 30 s, is cut off, comes back at 60 s."""
    status: SystemStatus = "pending"
    changes: list[tuple[int, SystemStatus]] = []
    for second in range(90):
        streaming = 5 <= second < 30 or second >= 60
        facts = Facts(
            interval_seconds=1.0,
            connected=streaming,
            last_sample_ms=None if second < 5 else START + 1000 * (second if streaming else 29),
            last_change_ms=START + 1000 * (60 if second >= 60 else 30 if second >= 30 else 5),
            watched_since_ms=START,
            ever_seen=second >= 5,
        )
        following = next_status(status, facts, START + 1000 * second)
        if following != status:
            changes.append((second, following))
        status = following
    assert changes == [(5, "up"), (35, "down"), (60, "up")]
