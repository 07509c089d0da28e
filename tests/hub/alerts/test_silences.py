"""When a user is left in peace: time zones, midnights, daylight saving time."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from beszel_hub.alerts.silences import About, Silence, find_zone, is_silent

ABOUT = About("uma", "system1", ("db", "eu"), "rule1")


def at(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def silence(start: str, end: str, zone: str = "", **others: object) -> Silence:
    fields: dict[str, object] = {
        "id": "quiet1", "user_id": "uma", "type": "daily", "start_ms": at(start, zone or "UTC"),
        "end_ms": at(end, zone or "UTC"), "timezone": zone, **others,
    }  # fmt: skip
    return Silence(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "is_active"),
    [
        ("2026-05-01T21:59", False),
        ("2026-05-01T22:00", True),
        ("2026-05-01T23:59", True),
        ("2026-05-02T05:59", True),
        ("2026-05-02T06:00", False),
        # Clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
        ("2026-03-28T22:00", True),
        ("2026-03-29T05:59", True),
        ("2026-03-29T06:00", False),
        ("2026-03-29T21:59", False),
        ("2026-03-29T22:00", True),
        ("2026-10-24T21:59", False),
        ("2026-10-24T22:00", True),
        ("2026-10-25T05:59", True),
        ("2026-10-25T06:00", False),
    ],
)
@pytest.mark.parametrize("made_in", ["2026-01-10", "2026-07-10"])
def test_nights_stay_nights_when_clocks_change(now: str, made_in: str, *, is_active: bool) -> None:
    night = silence(f"{made_in}T22:00", f"{made_in}T06:00", "Europe/Berlin")
    assert night.is_active(at(now, "Europe/Berlin")) is is_active


@pytest.mark.parametrize(
    ("now", "is_active"),
    [
        ("2026-03-29T00:59:59", False),  # UTC
        ("2026-03-29T01:00", True),  # 03:00 in summer time: 02:30 does not exist and is as long after midnight
        ("2026-03-29T01:29:59", True),
        ("2026-10-25T00:29:59", False),
        ("2026-10-25T00:30", True),  # the first 02:30
        ("2026-10-25T01:30", True),  # the second
        ("2026-10-25T02:00", False),
    ],
)
def test_times_that_a_clock_skips_or_shows_twice(now: str, *, is_active: bool) -> None:
    starts = {"2026-03-29": ("02:00", "03:30"), "2026-10-25": ("02:30", "03:00")}[now[:10]]
    short = silence(f"2026-01-10T{starts[0]}", f"2026-01-10T{starts[1]}", "Europe/Berlin")
    assert short.is_active(at(now)) is is_active


def test_without_a_time_zone_it_is_utc_as_with_beszel() -> None:
    daily = silence("2026-01-10T22:00", "2026-01-10T06:00")
    assert daily.is_active(at("2026-07-01T22:30"))
    assert not daily.is_active(at("2026-07-01T21:30"))


def test_a_night_of_a_week_belongs_to_the_day_it_begins_on() -> None:
    friday = silence("2026-01-10T22:00", "2026-01-10T06:00", "America/New_York", type="weekly", days=(4,))
    assert friday.is_active(at("2026-05-01T23:00", "America/New_York"))  # a Friday
    assert friday.is_active(at("2026-05-02T05:00", "America/New_York"))
    assert not friday.is_active(at("2026-05-02T23:00", "America/New_York"))
    assert not friday.is_active(at("2026-05-01T05:00", "America/New_York"))


def test_the_whole_day() -> None:
    sunday = silence("2026-01-10T00:00", "2026-01-10T00:00", "Europe/Berlin", type="weekly", days=(6,))
    assert sunday.is_active(at("2026-05-03T12:00", "Europe/Berlin"))
    assert not sunday.is_active(at("2026-05-04T00:00", "Europe/Berlin"))


def test_once() -> None:
    once = silence("2026-05-01T10:00", "2026-05-01T11:00", type="one-time")
    assert not once.is_active(at("2026-05-01T09:59"))
    assert once.is_active(at("2026-05-01T10:00"))
    assert not once.is_active(at("2026-05-01T11:00"))


@pytest.mark.parametrize(
    ("narrowed", "is_covered"),
    [
        ({}, True),
        ({"user_id": "otto"}, False),
        ({"system_id": "system1"}, True),
        ({"system_id": "system2"}, False),
        ({"tag": "db"}, True),
        ({"tag": "web"}, False),
        ({"rule_id": "rule1"}, True),
        ({"rule_id": "rule2"}, False),
        ({"system_id": "system1", "tag": "web"}, False),
    ],
)
def test_about_what(narrowed: dict[str, Any], *, is_covered: bool) -> None:
    always = silence("2020-01-01T00:00", "2099-01-01T00:00", type="one-time", **narrowed)
    assert is_silent([always], ABOUT, at("2026-05-01T10:00")) is is_covered


def test_a_zone_that_there_is_not() -> None:
    for name in ("Mars/Olympus", "../../etc/passwd", "\0"):
        with pytest.raises(ValueError, match="time zone"):
            find_zone(name)


def test_a_zone_that_this_host_does_not_know_is_taken_for_utc() -> None:
    moved = silence("2026-01-10T22:00", "2026-01-10T06:00")
    moved = msgspec.structs.replace(moved, timezone="Mars/Olympus")
    assert moved.is_active(at("2026-07-01T22:30"))
