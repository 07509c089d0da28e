"""Forms of alerts: what is typed becomes what the hub stores, or a sentence about what is wrong."""

from datetime import UTC

import pytest

from beszel_protocol.metrics import Unit
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import Channel, Condition, Quiet
from beszel_tui.state.alertforms import rule_form
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.channelforms import channel_form
from beszel_tui.state.form import Form, read_number, read_seconds, write_number, write_seconds
from beszel_tui.state.model import State
from beszel_tui.state.quietforms import quiet_form
from tests.support.alertbook import NOW_MS, make_book, make_rule
from tests.support.scriptedsource import make_row

ROWS = (make_row("web-1", tags=["prod"]), make_row("db-1"))
VIEW = AlertView(State(now_ms=NOW_MS, systems={row.id: row for row in ROWS}), make_book(make_rule()), UTC)


def problem(form: Form, **values: str) -> tuple[str, str]:
    with pytest.raises(FormError) as raised:
        form.read({**form.values, **values})
    return raised.value.field, str(raised.value)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"name": " "}, "name", "a rule needs a name"),
        ({"name": "x" * 151}, "name", "at most 150"),
        ({"target": ""}, "target", "what is to be watched"),
        ({"target": "cpu.nonsense"}, "target", "nothing that can be watched"),
        ({"target": "cpu["}, "target", "not the address"),
        ({"value": "much"}, "value", "a number such as 80"),
        ({"value": "80G"}, "value", "a number such as 80"),
        ({"recover": "90"}, "recover", "well again above"),
        ({"comparison": "below", "recover": "70"}, "recover", "well again below"),
        ({"window": "soon"}, "window", "a time such as"),
        ({"window": "90d"}, "window", "from 0s to 30d"),
        ({"aggregate": "increase", "window": "0"}, "window", "needs a window"),
        ({"comparison": "absent", "window": "0"}, "window", "for how long"),
        ({"target": "temperature", "aggregate": "forecast", "value": "1d"}, "aggregate", "in percent"),
        ({"repeat": "5s"}, "repeat", "from 1m"),
        ({"scope": "system"}, "system", "which system?"),
        ({"scope": "system", "system": "nas"}, "system", "no system is called 'nas'"),
        ({"scope": "tag"}, "tag", "which tag?"),
    ],
)
def test_what_is_wrong_with_a_rule(values: dict[str, str], field: str, sentence: str) -> None:
    where, said = problem(rule_form(VIEW), **values)
    assert where == field
    assert sentence in said


def test_a_key_of_a_target_may_be_named() -> None:
    form = rule_form(VIEW)
    (record,) = form.read({**form.values, "target": "disk[/var].usage_percent", "recover": ""})
    assert record["conditions"] == [
        {"target": "disk[/var].usage_percent", "comparison": "above", "value": 80.0, "aggregate": "mean",
         "window_seconds": 600}
    ]  # fmt: skip


def test_bytes_and_times_are_read_in_their_units() -> None:
    form = rule_form(VIEW)
    values = {**form.values, "target": "network.recv_bytes_per_second", "value": "1.5M", "recover": ""}
    assert form.read(values)[0]["conditions"][0]["value"] == 1.5 * 2**20
    assert form.preview(values) == "Network received > 1.5M/s over 10m"


def test_of_several_conditions_only_the_rest_is_changed() -> None:
    conditions = [Condition(target="cpu.usage_percent", value=1), Condition(target="temperature", value=2)]
    form = rule_form(VIEW, make_rule(conditions=conditions))
    (record,) = form.read(form.values)
    assert "conditions" not in record
    assert form.preview(form.values) == "its 2 conditions stay as they are"


def test_only_administrators_are_asked_who_is_told() -> None:
    assert "tells" not in {field.key for field in rule_form(VIEW).fields}


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"type": "weekly", "days": ""}, "days", "on which days"),
        ({"type": "weekly", "days": "sat blursday"}, "days", "'blu' is no day"),
        ({"start": "25:00"}, "start", "a time of day"),
        ({"end": "22:00"}, "end", "no time at all"),
        ({"zone": "Middle/Earth"}, "zone", "no time zone"),
        ({"zone": "../../etc/passwd"}, "zone", "no time zone"),
        ({"rule": "nothing"}, "rule", "no rule is called"),
        ({"type": "one-time", "start": "tomorrow"}, "start", "a day and a time"),
        ({"type": "one-time", "start": "2026-11-23 10:00", "end": "2026-11-23 09:00"}, "end", "ends before"),
    ],
)
def test_what_is_wrong_with_quiet_hours(values: dict[str, str], field: str, sentence: str) -> None:
    where, said = problem(quiet_form(VIEW, "UTC"), **values)
    assert where == field
    assert sentence in said


def test_quiet_hours_keep_the_time_of_day_of_their_zone() -> None:
    form = quiet_form(VIEW, "Europe/Amsterdam")
    (record,) = form.read({**form.values, "start": "9:30", "rule": "busy"})
    assert (record["start"], record["timezone"], record["rule"]) == (
        "2026-11-22T08:30:00.000Z", "Europe/Amsterdam", "rulebusy",
    )  # fmt: skip
    once = form.follow("type", {**form.values, "type": "one-time"})
    assert (once["start"], once["end"]) == ("2026-11-22 10:24", "2026-11-22 14:24")
    assert form.follow("type", {**once, "type": "daily"})["start"] == "10:24"
    assert form.follow("days", once) is once


def test_quiet_hours_of_a_zone_that_is_not_known_here_are_shown() -> None:
    quiet = Quiet(id="q", type="daily", start_ms=NOW_MS, end_ms=NOW_MS + 60_000, timezone="Not/AZone")
    assert quiet_form(VIEW, "UTC", quiet).values["start"] == "10:24"


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({}, "name", "a channel needs a name"),
        ({"name": "x"}, "url", "where to? an address"),
        ({"name": "x", "kind": "webhook"}, "url", "takes JSON"),
        ({"name": "x", "url": "a@b", "systems": "web-1, nas"}, "systems", "no system is called 'nas'"),
        ({"name": "x", "url": "a@b", "rules": "nothing"}, "rules", "no rule is called"),
        ({"name": "x", "url": "a@b", "hour": "0"}, "hour", "from 1 to 600"),
        ({"name": "x", "url": "a@b", "hour": "9" * 5000}, "hour", "from 1 to 600"),
        ({"name": "x", "url": "a@b", "after": "x"}, "after", "a time such as"),
    ],
)
def test_what_is_wrong_with_a_channel(values: dict[str, str], field: str, sentence: str) -> None:
    where, said = problem(channel_form(VIEW), **values)
    assert where == field
    assert sentence in said


def test_a_channel_as_it_is_stored_is_what_its_form_says() -> None:
    channel = Channel(
        id="c", name="mail", kind="email", hint="ops@…", systems=[ROWS[0].id], tags=["prod"], rules=["rulebusy"],
        repeat=3600, per_hour=30, weekly=True, enabled=False,
    )  # fmt: skip
    (record,) = channel_form(VIEW, channel).read(channel_form(VIEW, channel).values)
    assert "url" not in record
    assert "kind" not in record
    assert (record["systems"], record["tags"], record["rules"]) == ([ROWS[0].id], ["prod"], ["rulebusy"])
    assert (record["repeat"], record["per_hour"], record["weekly"], record["enabled"]) == (3600, 30, True, False)


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 90, 3600, 5400, 86_400, 604_800, 1_209_600])
def test_a_time_is_read_as_it_is_written(seconds: int) -> None:
    assert read_seconds(write_seconds(seconds), "x") == seconds


def test_times_may_be_joined() -> None:
    assert read_seconds(" 1h30m ", "x") == 5400
    assert read_seconds("90", "x") == 90


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (80.0, Unit.PERCENT, "80"), (0.5, Unit.LOAD, "0.5"), (1.5 * 2**30, Unit.BYTES, "1.5G"),
        (86_400.0, Unit.SECONDS, "1d"), (1000.0, Unit.BYTES_PER_SECOND, "1000"), (-3.25, Unit.CELSIUS, "-3.25"),
        (0.0, Unit.BYTES, "0"), (1_000_000.0, Unit.COUNT, "1000000"), (None, Unit.COUNT, ""),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_written(value: float | None, unit: Unit, text: str) -> None:
    assert write_number(value, unit) == text
    if value is not None:
        assert read_number(text, "x", unit) == value
