"""Changed verdicts become events, once each."""

from beszel_agent.verdicts import MAX_KNOWN, Verdicts
from beszel_protocol.messages import Event
from beszel_protocol.sample import CheckMetrics, Metrics
from beszel_protocol.storage import ArrayMetrics, PoolMetrics, SmartMetrics


def disk(severity: int | None, state: str = "passed") -> Metrics:
    return Metrics(smart={"WD-1": SmartMetrics(severity=severity, state=state)})


def test_a_change_is_told_once_and_what_is_new_is_none() -> None:
    verdicts = Verdicts()
    readings = [disk(0), Metrics(), disk(0), disk(None), disk(2, "failing"), disk(2, "failing"), disk(0)]
    found = [[(change.before, change.after) for change in verdicts.changes(reading)] for reading in readings]
    assert found == [[], [], [], [], [(0, 2)], [], [(2, 0)]]


def test_arrays_and_pools_are_told_apart() -> None:
    verdicts = Verdicts()
    sound = Metrics(arrays={"a": ArrayMetrics(severity=0)}, pools={"a": PoolMetrics(severity=1)})
    failed = Metrics(arrays={"a": ArrayMetrics(severity=2)}, pools={"a": PoolMetrics(severity=0)})
    assert verdicts.changes(sound) == []
    assert [(change.kind, change.after) for change in verdicts.changes(failed)] == [
        ("array_verdict", 2),
        ("pool_verdict", 0),
    ]


def test_checks_that_come_and_go_are_not_remembered_for_ever() -> None:
    verdicts = Verdicts()

    def told(name: str, severity: int) -> list[int]:
        part = Metrics(checks={name: CheckMetrics(severity=severity, state="up")})
        return [change.after for change in verdicts.changes(part)]

    assert told("web", 0) == []
    assert told("web", 2) == [2]
    for number in range(MAX_KNOWN):
        told(f"check {number}", 0)
    assert told("web", 0) == []  # as if for the first time
    assert len(verdicts._known) == MAX_KNOWN


def test_as_it_goes_over_the_link() -> None:
    verdicts = Verdicts()
    verdicts.changes(disk(0))
    (change,) = verdicts.changes(disk(1, "24 sectors pending"))
    assert change.as_event(7, instant_ms=1_000, boot_ms=5) == Event(
        sequence=7,
        timestamp="1970-01-01T00:00:01.000Z",
        boot_ms=5,
        kind="disk_verdict",
        subject="WD-1",
        text="sound → of concern: 24 sectors pending",
        attributes={"before": 0, "after": 1},
    )
