"""How a fleet is, for whoever watches over the hub."""

from beszel_hub.lookout import describe
from beszel_hub.notifications.heartbeat import AlertNote, Situation, SystemNote
from beszel_hub.systems.directory import Entry
from beszel_protocol.feed import Alert, SystemStatus


def entry(name: str, status: SystemStatus) -> Entry:
    return Entry(id=name, name=f"{name}.lan", host="10.0.0.1", status=status, status_since_ms=0, interval_seconds=1.0)


def alert(system: str) -> Alert:
    return Alert(
        id="a", rule="r", name="Heat", system=system, target="", severity="critical", since_ms=0, threshold=80.0
    )


def test_a_fleet_of_nobody_is_well() -> None:
    assert describe([], [], []) == Situation(counts={}, down=[], alerts=[], failing_jobs=[])


def test_what_is_down_and_what_fires_is_named() -> None:
    fleet = [entry("a", "up"), entry("b", "down"), entry("c", "up")]
    assert describe(fleet, [alert("a"), alert("gone")], ["seal"]) == Situation(
        counts={"up": 2, "down": 1},
        down=[SystemNote(id="b", name="b.lan", host="10.0.0.1")],
        alerts=[
            AlertNote(system_id="a", system_name="a.lan", alert_name="Heat", threshold=80.0),
            AlertNote(system_id="gone", system_name="", alert_name="Heat", threshold=80.0),
        ],
        failing_jobs=["seal"],
    )
