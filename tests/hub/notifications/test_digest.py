"""The weekly digest comes once a week, whenever the hub is on."""

import functools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beszel_hub.notifications import outbox
from beszel_hub.notifications.digest import latest_due, put_digests
from tests.support.transitions import make_transition, open_office


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "due", "week"),
    [
        ("2026-11-23 08:00", "2026-11-23 08:00", "2026-W48"), ("2026-11-23 07:59", "2026-11-16 08:00", "2026-W47"),
        ("2026-11-29 23:59", "2026-11-23 08:00", "2026-W48"), ("2027-01-01 12:00", "2026-12-28 08:00", "2026-W53"),
    ],
)  # fmt: skip
def test_when_it_is_due(now: str, due: str, week: str) -> None:
    assert latest_due(instant(now)) == (instant(due), week)


def test_it_comes_once_and_tells_the_week(tmp_path: Path) -> None:
    monday = instant("2027-01-25 08:00")
    with open_office(tmp_path) as office:
        office.add_channel("https://hooks.example.org/x", is_weekly=True)
        for index, kind in enumerate(("fired", "fired", "recovered")):
            step = make_transition(f"t{index}", kind=kind, user_ids=(office.user_id,), severity="critical")
            office.database.write_now(functools.partial(outbox.put, step, now_ms=monday - 86_400_000))
        for _ in range(2):
            office.database.write_now(lambda: put_digests(monday + 60_000, shares_all=False))
        digest = office.rows()[3:]
        assert [row.transition_id for row in digest] == ["digest/channelchannel1/2027-W04"]
        assert digest[0].step["transition"]["text"] == "2 alerts in the last week."
        assert digest[0].step["facts"] == [
            "Systems: 1 pending", "Fired: 2 critical", "Recovered: 1", "Most: web (2)",
        ]  # fmt: skip


def test_a_channel_made_during_the_week_waits_for_the_next(tmp_path: Path) -> None:
    monday = instant("2027-01-25 08:00")
    with open_office(tmp_path) as office:
        office.add_channel("https://hooks.example.org/x", is_weekly=True, created=monday + 1)
        assert office.database.write_now(lambda: put_digests(monday + 60_000, shares_all=False)) == 0
