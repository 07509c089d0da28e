"""Alerts in words: what fires, has fired, watches, is silent and told."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from beszel_protocol.feed import Alerts, FleetRow, Resync
from beszel_protocol.metrics import Unit
from beszel_tui.state.alertbook import AlertBook, Condition, Delivery, Quiet
from beszel_tui.state.alerts import (
    AlertView,
    alerts_by_system,
    count_alerts,
    given_up,
    is_quiet,
    label_of,
    rule_text,
    snoozed_until_ms,
    tab_of_target,
    told_text,
    unit_of,
    zone_of,
)
from beszel_tui.state.alertsheets import ACTIVE, CHANNELS, HISTORY, OF_SYSTEM, PANES, QUIET, RULES
from beszel_tui.state.events import AlertBookFailed, AlertBookLoaded, Connected, Received
from beszel_tui.state.filterline import NO_FILTER
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.selectors import Thresholds
from beszel_tui.state.sheet import Sheet, SheetRow, sheet_rows
from tests.support.alertbook import FULL_BOOK, NOW_MS, make_alert, make_book, make_past, make_rule
from tests.support.scriptedsource import make_row

ROWS = (make_row("web-1", tags=["prod"]), make_row("nas", status="down"))
HOUR_MS = 3_600_000


def make_view(
    *alerts: str, book: AlertBook = FULL_BOOK, rows: tuple[FleetRow, ...] = ROWS, only: str | None = None
) -> AlertView:
    """With an alert on each of the systems named."""
    fired = {alert.id: alert for system in alerts for alert in [make_alert(system_id(system))]}
    state = State(now_ms=NOW_MS, systems={row.id: row for row in rows}, alerts=fired, alerts_loaded=True)
    return AlertView(state, book, UTC, None if only is None else system_id(only))


def system_id(name: str) -> str:
    return make_row(name).id


def rows_of(sheet: Sheet, view: AlertView) -> list[SheetRow]:
    return sheet_rows(sheet.rows(view, Thresholds()), NO_FILTER, sheet.sort, sheet)


def test_the_first_frame_says_all_that_fires_and_the_next_what_changed() -> None:
    first, second = make_alert("a"), make_alert("b")
    state = reduce(State(), [Received(at_ms=1, frame=Alerts(sequence=1, hub_ms=1, alerts=[first, second]))])
    assert set(state.alerts) == {first.id, second.id}
    state = reduce(state, [Received(at_ms=2, frame=Alerts(sequence=2, hub_ms=2, alerts=[], removed=[first.id]))])
    assert set(state.alerts) == {second.id}
    for forgetting in (Connected(at_ms=3), Received(at_ms=3, frame=Resync(sequence=3, topics=["alerts"]))):
        again = reduce(state, [forgetting])
        assert not again.alerts_loaded
        assert set(again.alerts) == {second.id}, "what was known stays on the screen"
        told = Received(at_ms=4, frame=Alerts(sequence=4, hub_ms=4, alerts=[first]))
        assert set(reduce(again, [told]).alerts) == {first.id}


def test_a_book_that_cannot_be_read_again_is_kept() -> None:
    state = reduce(State(), [AlertBookLoaded(book=FULL_BOOK), AlertBookFailed(reason="no answer")])
    assert state.book is FULL_BOOK
    assert state.book_problem == "no answer"
    assert not reduce(state, [AlertBookLoaded(book=FULL_BOOK)]).book_problem


def test_what_is_acknowledged_is_not_counted() -> None:
    state = State(alerts={"1": make_alert("a"), "2": make_alert("a", severity="critical", acknowledged=True)})
    counts = count_alerts(state)
    assert (counts.total, counts.open, counts.worst) == (2, 1, "warning")
    assert alerts_by_system(state) == {"a": 1}


@pytest.mark.parametrize(
    ("target", "label", "unit", "tab"),
    [
        ("cpu.usage_percent", "CPU", Unit.PERCENT, "cpu"),
        ("disk[/var].usage_percent", "Disk [/var]", Unit.PERCENT, "disks"),
        ("disk[*].usage_percent", "Disk", Unit.PERCENT, "disks"),
        ("temperature[cpu]", "Temperature [cpu]", Unit.CELSIUS, "sensors"),
        ("status", "Status", Unit.NUMBER, "overview"),
        ("what[is", "what[is [is]", Unit.NUMBER, "overview"),
    ],
)
def test_a_target_is_a_label_a_unit_and_a_tab(target: str, label: str, unit: Unit, tab: str) -> None:
    book = make_book()
    assert (label_of(target, book), unit_of(target, book), tab_of_target(target)) == (label, unit, tab)


def test_how_a_rule_reads() -> None:
    book = make_book()
    cases = {
        "CPU > 80.0%": [Condition(target="cpu.usage_percent", value=80)],
        "Status down": [Condition(target="status")],
        "CPU not told": [Condition(target="cpu.usage_percent", comparison="absent")],
        "Disk forecast < 24h": [
            Condition(target="disk[*].usage_percent", comparison="below", value=86_400, aggregate="forecast")
        ],
        "CPU > 80.0% and Temperature > 70°C": [
            Condition(target="cpu.usage_percent", value=80),
            Condition(target="temperature[*]", value=70),
        ],
    }
    for text, conditions in cases.items():
        assert rule_text(make_rule(conditions=conditions), book) == text


def test_active_alerts_with_value_and_since() -> None:
    row = rows_of(ACTIVE, make_view("web-1"))[0]
    assert row.name == "web-1"
    assert row.values["since"] == 240
    assert (row.values["value"], row.units["value"]) == (91.4, Unit.PERCENT)
    assert row.level == "warning"
    assert row.told["since"].startswith("2026-11-22T10:20:31")


def test_a_snooze_is_said() -> None:
    alert = make_alert(system_id("web-1"))
    snooze = Quiet(
        id="q", type="one-time", start_ms=NOW_MS - 1, end_ms=NOW_MS + HOUR_MS, rule=alert.rule, system=alert.system
    )
    view = make_view("web-1", book=make_book(quiet=[snooze]))
    assert snoozed_until_ms(alert, view) == NOW_MS + HOUR_MS
    assert rows_of(ACTIVE, view)[0].values["note"] == "snoozed to 11:24"
    elsewhere = make_view("web-1", book=make_book(quiet=[replace(snooze, system="another")]))
    assert snoozed_until_ms(alert, elsewhere) is None


def test_history_is_newest_first_and_says_who_was_told() -> None:
    past = [make_past("web-1", since_ms=NOW_MS - hours * HOUR_MS, id=str(hours)) for hours in (9000, 30, 2)]
    rows = rows_of(HISTORY, make_view(book=make_book(history=past)))
    assert [row.key for row in rows] == ["2", "30", "9000"]
    told = rows_of(HISTORY, make_view())[0]
    assert (told.values["told"], told.values["lasted"], told.values["end"]) == ("mail", 3600, "recovered")


def test_what_was_not_delivered_is_said() -> None:
    statuses = [("channel2", "dead"), ("channel1", "waiting"), ("gone", "sent"), ("channel2", "sent")]
    deliveries = [Delivery(alert="a", channel=channel, status=status) for channel, status in statuses]
    book = make_book(channels=FULL_BOOK.channels, deliveries={"a": deliveries})
    assert told_text("a", book) == "pager (not delivered), mail (waiting), (gone)"


def test_what_was_given_up_has_its_reason_and_can_be_told_again() -> None:
    told = [
        Delivery(id="4", alert="a", channel="channel1", status="sent"),
        Delivery(id="3", alert="a", channel="channel2", status="dead", reason="answered 410"),
        Delivery(id="2", alert="a", channel="channel1", status="dead", reason="answered 502"),
        Delivery(id="1", alert="a", channel="channel2", status="dead", reason="answered 502"),
    ]
    book = make_book(channels=FULL_BOOK.channels, deliveries={"a": told})
    assert told_text("a", book) == "mail, pager (not delivered: answered 410)"
    assert [delivery.id for delivery in given_up("a", book)] == ["1", "3"]
    assert given_up("b", book) == []


def test_rules_say_for_what_and_whether_they_fire() -> None:
    rows = {row.name: row for row in rows_of(RULES, make_view("web-1"))}
    assert (rows["busy"].values["state"], rows["busy"].level) == ("fires", "warning")
    assert (rows["disk full"].values["state"], rows["disk full"].values["tells"]) == ("on", "the file")
    off = make_view(book=make_book(make_rule(enabled=False, tag="prod", user="somebody")))
    row = rows_of(RULES, off)[0]
    assert (row.values["state"], row.level) == ("off", None)
    assert (row.values["scope"], row.values["tells"]) == ("tag prod", "another user")


def test_of_one_system_only_what_concerns_it() -> None:
    book = make_book(
        make_rule("all"), make_rule("tagged", tag="prod"), make_rule("other tag", tag="lab"),
        make_rule("here", system=system_id("web-1")), make_rule("there", system=system_id("nas")),
    )  # fmt: skip
    view = make_view("web-1", "nas", book=book, only="web-1")
    assert [row.name for row in rows_of(ACTIVE, view)] == ["web-1"]
    assert [row.name for row in rows_of(RULES, view)] == ["all", "tagged", "here"]
    kinds = [row.values["kind"] for row in rows_of(OF_SYSTEM, view)]
    assert kinds == ["fires", "rule", "rule", "rule"]


def test_channels_in_trouble_and_quiet_hours_that_hold() -> None:
    channels = {row.name: row.level for row in rows_of(CHANNELS, make_view())}
    assert channels == {"mail": "good", "pager": "critical"}
    states = {row.name: row.values["state"] for row in rows_of(QUIET, make_view())}
    assert states == {"nap": "now", "later": "later"}
    assert ACTIVE.note(make_view()) == "quiet hours: 1 holds now"


@pytest.mark.parametrize(
    ("zone", "days", "at", "holds"),
    [
        ("", [], "2026-11-22T22:30+00:00", True),
        ("", [], "2026-11-23T06:59+00:00", True),
        ("", [], "2026-11-23T07:00+00:00", False),
        ("", ["sun"], "2026-11-23T06:00+00:00", True),  # the night that began on Sunday
        ("", ["sun"], "2026-11-23T22:30+00:00", False),
        ("Europe/Amsterdam", [], "2026-11-22T22:30+00:00", True),
        ("Europe/Amsterdam", [], "2026-07-22T21:30+00:00", True),  # half past eleven in summer
        ("Not/AZone", [], "2026-11-22T22:30+00:00", True),
    ],
)
def test_quiet_hours_follow_a_clock_on_a_wall(zone: str, days: list[str], at: str, holds: bool) -> None:
    start, end = (round(datetime(2026, 11, 22, hour, tzinfo=zone_of(zone)).timestamp() * 1000) for hour in (22, 7))
    quiet = Quiet(id="q", type="weekly" if days else "daily", start_ms=start, end_ms=end, timezone=zone, days=days)
    assert is_quiet(quiet, round(datetime.fromisoformat(at).timestamp() * 1000)) is holds


def test_systems_and_rules_that_are_gone_leave_a_name() -> None:
    view = make_view(book=make_book(make_rule(system="gone")), rows=())
    assert rows_of(RULES, view)[0].values["scope"] == "(gone)"
    for sheet in PANES:
        assert isinstance(rows_of(sheet, make_view("web-1", rows=())), list)
