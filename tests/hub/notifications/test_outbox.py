"""The outbox in a real database: once, in order, grouped, limited, and ended with its alert."""

import functools
from pathlib import Path
from typing import Any

import pytest

from beszel_hub.accounts.tables import User
from beszel_hub.alerts.queries import insert_quiet
from beszel_hub.notifications import outbox, queries
from beszel_hub.notifications.outbox import Claim
from beszel_hub.notifications.tables import PlanRow
from beszel_hub.systems.tables import Membership
from tests.support.transitions import CHANNEL_ID, NOW_MS, Office, make_transition, open_office

URL = "https://hooks.example.org/x"


def put(office: Office, transition_id: str = "t1", **changes: Any) -> int:
    transition = make_transition(transition_id, user_ids=(office.user_id,), **changes)
    return office.database.write_now(lambda: outbox.put(transition, now_ms=office.now_ms))


def claim(office: Office, *busy: str) -> list[Claim]:
    return office.database.write_now(lambda: outbox.claim(office.now_ms, busy=busy, limit=8))


def work_plans(office: Office) -> int:
    return office.database.write_now(lambda: outbox.work_plans(office.now_ms, shares_all=False))


def ids(claimed: Claim) -> list[str]:
    return [step.transition.id for step in claimed.steps]


def test_a_step_handed_over_twice_is_told_once(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        assert put(office) == 1
        assert put(office) == 0
        assert len(office.rows()) == 1


def test_who_else_is_told_is_nobodys_business(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office)
        assert office.rows()[0].step["transition"]["user_ids"] == []


def test_a_step_rolled_back_is_not_told(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    with open_office(tmp_path) as office:
        office.add_channel(URL)

        def fail() -> None:
            outbox.put(make_transition(user_ids=(office.user_id,)), now_ms=NOW_MS)
            raise Stop

        with pytest.raises(Stop):
            office.database.write_now(fail)
        assert office.rows() == []


def test_many_at_once_are_one_message_with_a_key_that_stays(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL, group_seconds=3)
        for index in range(5):
            office.now_ms = NOW_MS + index
            put(office, f"t{index}", alert_id=f"a{index}")
        assert claim(office) == []
        office.now_ms = NOW_MS + 3000
        (first,) = claim(office)
        assert ids(first) == ["t0", "t1", "t2", "t3", "t4"]
        put(office, "late", alert_id="late")
        (again,) = claim(office)
        assert (again.key, ids(again)) == (first.key, ids(first))
        assert claim(office, CHANNEL_ID) == []


def test_what_comes_later_keeps_its_place_behind_a_message_that_is_tried_again(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office)
        (first,) = claim(office)
        office.database.write_now(lambda: outbox.mark_waiting(first, NOW_MS, "HTTP 500", due_ms=NOW_MS + 9000))
        office.now_ms = NOW_MS + 5000
        put(office, "t2", kind="recovered")
        assert claim(office) == []
        office.now_ms = NOW_MS + 9000
        (again,) = claim(office)
        assert (again.key, again.attempts) == (first.key, 1)
        office.database.write_now(lambda: outbox.mark_sent(again, office.now_ms))
        (rest,) = claim(office)
        assert ids(rest) == ["t2"]


def test_what_is_above_the_limit_waits_and_is_told_in_one(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL, per_hour=2)
        for index in range(5):
            office.now_ms += 1000
            put(office, f"t{index}", alert_id=f"a{index}")
            for claimed in claim(office):
                office.database.write_now(functools.partial(outbox.mark_sent, claimed, office.now_ms))
        assert [row.status for row in office.rows()] == ["sent", "sent", "waiting", "waiting", "waiting"]
        office.now_ms += 3_600_000
        (claimed,) = claim(office)
        assert ids(claimed) == ["t2", "t3", "t4"]


def test_a_full_outbox_gives_up_the_newest_and_says_so(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office, "t1")
        put(office, "t2", alert_id="a2")
        assert {row.transition_id: row.status for row in office.rows()} == {"t1": "waiting", "t2": "dead"}


def test_an_escalation_comes_if_the_alert_lasts_and_repeats(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL, escalate_after_seconds=60, repeat_seconds=30)
        assert put(office) == 0
        office.now_ms = NOW_MS + 60_000
        assert work_plans(office) == 1
        assert work_plans(office) == 0
        office.now_ms = NOW_MS + 90_000
        assert work_plans(office) == 1
        assert [row.step["transition"]["kind"] for row in office.rows()] == ["escalated", "repeated"]
        put(office, "t2", kind="recovered")
        assert office.rows()[-1].step["transition"]["kind"] == "recovered"
        office.now_ms = NOW_MS + 900_000
        assert work_plans(office) == 0


def test_an_alert_that_ends_before_it_escalates_is_never_told(tmp_path: Path) -> None:
    for kind in ("recovered", "closed"):
        (tmp_path / kind).mkdir()
        with open_office(tmp_path / kind) as office:
            office.add_channel(URL, escalate_after_seconds=60)
            put(office)
            put(office, "t2", kind=kind)
            office.now_ms = NOW_MS + 60_000
            assert work_plans(office) == 0
            assert office.rows() == []


def test_who_heard_of_an_alert_in_a_summary_hears_of_its_end(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        summary = f"summary:{office.user_id}:1"
        put(office, summary, alert_id=summary, kind="summary", system_id="", rule_id="", lasting=("alert1",))
        assert put(office, "t1", kind="recovered") == 1
        assert put(office, "t2", kind="recovered", alert_id="alert2") == 0
        assert [row.transition_id for row in office.rows()] == [summary, "t1"]


def test_what_comes_due_in_quiet_hours_is_told_after_them_if_it_lasts(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL, escalate_after_seconds=60)
        put(office)
        put(office, "t2", alert_id="a2")
        quiet = {
            "id": "quiet1", "user_id": office.user_id, "type": "one-time", "start": NOW_MS, "end": NOW_MS + 3_600_000,
            "timezone": "", "days": [], "note": "", "created": NOW_MS, "updated": NOW_MS,
        }  # fmt: skip
        office.database.write_now(lambda: insert_quiet(quiet))
        for minute in range(1, 60):
            office.now_ms = NOW_MS + 60_000 * minute
            work_plans(office)
        assert office.rows() == []
        office.database.write_now(lambda: outbox.end_plans("a2"))
        office.now_ms = NOW_MS + 3_660_000
        work_plans(office)
        assert [row.step["transition"]["kind"] for row in office.rows()] == ["escalated"]
        assert office.rows()[0].alert_id == "alert1"


def test_who_sees_the_system_no_more_is_not_told_again(tmp_path: Path) -> None:
    with open_office(tmp_path, "user") as office:
        office.add_channel(URL, repeat_seconds=30)
        put(office)
        office.database.write_now(lambda: Membership.delete().execute())
        office.now_ms = NOW_MS + 30_000
        work_plans(office)
        assert len(office.rows()) == 1
        assert office.database.read_now(lambda: PlanRow.select().count()) == 0


def test_a_user_who_is_gone_takes_channels_and_outbox_along(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office)
        office.database.write_now(lambda: User.delete().where(User.id == office.user_id).execute())
        assert office.rows() == []


def test_what_was_sent_is_forgotten_after_a_month(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office)
        (claimed,) = claim(office)
        office.database.write_now(lambda: outbox.mark_sent(claimed, NOW_MS))
        put(office, "t2", alert_id="a2")
        assert office.database.write_now(lambda: outbox.sweep(NOW_MS + outbox.SENT_KEPT_MS + 1)) == 1
        assert [row.transition_id for row in office.rows()] == ["t2"]


def test_a_dead_message_can_be_tried_again(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel(URL)
        put(office)
        (claimed,) = claim(office)
        office.database.write_now(lambda: outbox.mark_dead(claimed, NOW_MS, "HTTP 410"))
        assert claim(office) == []
        row_id = office.rows()[0].id
        office.database.write_now(lambda: queries.try_again(row_id, NOW_MS))
        (again,) = claim(office)
        assert again.key == claimed.key
