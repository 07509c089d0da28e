"""Forms of alerts: what is typed becomes what the hub stores, or a sentence about what is wrong."""

from datetime import UTC
from typing import Any

import pytest

from beszel_protocol.metrics import Unit
from beszel_protocol.template import FIELDS
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import Channel, Condition, Quiet, Trial, TrialStep
from beszel_tui.state.alertforms import rule_form
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.channelforms import channel_form
from beszel_tui.state.form import Form, read_number, read_seconds, write_number, write_seconds
from beszel_tui.state.model import State
from beszel_tui.state.quietforms import quiet_form
from beszel_tui.state.trialforms import trial_text
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
        ({"calm": "soon"}, "calm", "a time such as"),
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


def test_other_kinds_of_trouble_are_said_of_the_first_condition() -> None:
    form = rule_form(VIEW)
    assert form.read({**form.values, "worse": "95%"})[0]["escalate_value"] == 95.0
    assert form.read(form.values)[0]["escalate_value"] is None
    assert problem(form, worse="75") == ("worse", "what is worse lies beyond the threshold")
    assert problem(form, comparison="below", recover="", worse="85")[0] == "worse"
    shown = next(field for field in form.fields if field.key == "worse").is_shown
    assert shown(form.values)
    for values in ({"target": "status"}, {"comparison": "absent"}):
        assert not shown({**form.values, **values})
        assert form.read({**form.values, **values, "worse": "nonsense"})[0]["escalate_value"] is None


TWO = [
    Condition(target="cpu.usage_percent", value=90.0, recover_value=80.0, window_seconds=300),
    Condition(target="temperature", comparison="below", value=5.0, aggregate="max", window_seconds=60),
]


def test_conditions_that_are_not_on_the_screen_stay() -> None:
    rule = make_rule(conditions=TWO, match="any", escalate_value=99.0, recover_seconds=120)
    form = rule_form(VIEW, rule)
    (record,) = form.read(form.values)
    assert [Condition(**condition) for condition in record["conditions"]] == TWO
    assert (record["match"], record["escalate_value"], record["recover_seconds"]) == ("any", 99.0, 120)
    assert form.preview(form.values).split("\n") == [
        "any of these:", "1 CPU > 90.0% over 5m", "2 Temperature max < 5°C over 1m", "critical once CPU > 99.0%",
    ]  # fmt: skip


def test_a_condition_is_added_and_taken_out() -> None:
    form = Filled(rule_form(VIEW))
    form.put(match="all")
    assert form.offers() == ["1 of 1: CPU > 80.0%", "one more"]
    form.put(at="2")
    assert form.values["target"] == ""
    assert form.says("“What” is empty")
    form.put(target="temperature", value="70")
    assert form.offers() == ["1 of 2: CPU > 80.0%", "2 of 2: Temperature > 70°C", "one more"]
    form.put(at="3")
    form.put(target="disk[*].usage_percent", value="95", aggregate="last")
    assert [condition["target"] for condition in form.conditions()] == [
        "cpu.usage_percent", "temperature", "disk[*].usage_percent",
    ]  # fmt: skip
    form.put(at="2")
    form.put(target="")
    assert form.offers()[1] == "2 of 3: taken out"
    form.put(at="3")
    assert (form.values["at"], form.values["target"]) == ("2", "disk[*].usage_percent")
    assert [condition["value"] for condition in form.conditions()] == [80.0, 95.0]
    form.put(match="alone")
    assert [condition["value"] for condition in form.conditions()] == [80.0]
    form.put(match="any")
    assert len(form.conditions()) == 2, "nothing is lost by looking at the other choice"
    form.put(at="2")
    form.put(target="")
    assert [condition["value"] for condition in form.conditions()] == [80.0]


def test_there_are_no_more_conditions_than_the_hub_takes() -> None:
    form = Filled(rule_form(VIEW))
    form.put(match="all")
    for number in range(2, 9):
        assert form.offers()[-1] == "one more"
        form.put(at=str(number))
        form.put(target="temperature", value=str(number))
    assert form.offers()[-1] == "8 of 8: Temperature > 8°C"
    assert len(form.conditions()) == 8


def test_what_is_wrong_with_a_condition_is_said_where_it_is() -> None:
    form = Filled(rule_form(VIEW, make_rule(conditions=TWO)))
    form.put(value="x")
    assert problem(form.form, **form.values)[0] == "value"
    form.put(at="2")
    where, said = problem(form.form, **form.values)
    assert (where, said) == ("at", "condition 1: this is a number such as 80")
    assert form.says("1 cpu.usage_percent")
    form.put(at="1")
    form.put(value="80", target="status")
    where, said = problem(form.form, **form.values)
    assert where == "target"
    assert "status stands alone" in said
    form.put(target="")
    form.put(at="1")
    form.put(target=" ")
    assert problem(form.form, **form.values)[0] == "target"


class Filled:
    """A form as it is filled in."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.values = dict(form.values)

    def put(self, **values: str) -> None:
        for key, text in values.items():
            self.values = dict(self.form.follow(key, {**self.values, key: text}))

    def offers(self) -> list[str]:
        field = next(field for field in self.form.fields if field.key == "at")
        assert field.offers is not None
        return [text for _, text in field.offers(self.values)]

    def conditions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.form.read(self.values)[0]["conditions"]
        return found

    def says(self, text: str) -> bool:
        return text in self.form.preview(self.values)


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
        ({"name": "x", "url": "a@b", "template": "${sytem}"}, "template", "no field sytem"),
        ({"name": "x", "url": "a@b", "subject": "${sytem}"}, "subject", "no field sytem"),
        ({"name": "x", "url": "a@b", "group": "2h"}, "group", "from 0s to 1h"),
        ({"name": "x", "url": "a@b", "subject": "a\r\nBcc: b"}, "subject", "one line"),
        ({"name": "x", "url": "a@b", "subject": "x" * 513}, "subject", "at most 512"),
        ({"name": "x", "url": "a@b", "template": "5$"}, "template", "$$ for a dollar"),
        ({"name": "x", "url": "a@b", "template": "x" * 8193}, "template", "at most 8192"),
        ({"name": "x", "url": "a@b", "kind": "webhook", "template": "${text}"}, "template", "a JSON document"),
    ],
)
def test_what_is_wrong_with_a_channel(values: dict[str, str], field: str, sentence: str) -> None:
    where, said = problem(channel_form(VIEW), **values)
    assert where == field
    assert sentence in said


def test_a_channel_as_it_is_stored_is_what_its_form_says() -> None:
    channel = Channel(
        id="c", name="mail", kind="email", hint="ops@…", systems=[ROWS[0].id], tags=["prod"], rules=["rulebusy"],
        repeat=3600, group=90, per_hour=30, weekly=True, enabled=False,
    )  # fmt: skip
    (record,) = channel_form(VIEW, channel).read(channel_form(VIEW, channel).values)
    assert "url" not in record
    assert "kind" not in record
    assert (record["systems"], record["tags"], record["rules"]) == ([ROWS[0].id], ["prod"], ["rulebusy"])
    assert record["group"] == 90
    assert (record["repeat"], record["per_hour"], record["weekly"], record["enabled"]) == (3600, 30, True, False)


def test_a_template_is_shown_with_an_alert() -> None:
    form = channel_form(VIEW)
    assert form.preview({**form.values, "template": "${system}:\n${value} of ${threshold}"}).endswith(
        "it would say:\nweb-1:\n91.4 of 80"
    )
    hook = {**form.values, "kind": "webhook"}
    assert form.preview({**hook, "template": '{"a": "${value}"}'}).endswith('{"a":91.4}')
    assert "the template: The body of a webhook" in form.preview({**hook, "template": "${value}"})
    every = " ".join(f"${{{name}}}" for name in FIELDS)
    assert "it would say" in form.preview({**form.values, "template": every})


def test_a_subject_is_shown_with_an_alert() -> None:
    form = channel_form(VIEW)
    values = {**form.values, "subject": "${severity}: ${system}", "template": "${value}"}
    assert form.preview(values).endswith("the subject: warning: web-1\nof an alert it would say:\n91.4")
    assert "the subject: There is no field" in form.preview({**form.values, "subject": "${no}"})


def test_a_subject_that_nobody_touched_is_not_sent() -> None:
    channel = Channel(id="c", name="mail", kind="email", subject_template="${title}")
    form = channel_form(VIEW, channel)
    assert "subject_template" not in form.read(form.values)[0]
    assert form.read({**form.values, "subject": " "})[0]["subject_template"] == ""
    assert form.read({**form.values, "subject": "${rule} "})[0]["subject_template"] == "${rule}"


def test_a_template_that_nobody_touched_is_not_sent() -> None:
    channel = Channel(id="c", name="hook", kind="webhook", template='{"a": "${text}"}')
    form = channel_form(VIEW, channel)
    assert "template" not in form.read(form.values)[0]
    assert form.read({**form.values, "template": " "})[0]["template"] == ""
    assert form.read({**form.values, "template": "[]"})[0]["template"] == "[]"
    assert problem(form, template="nonsense")[0] == "template"


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


def test_a_trial_says_what_the_hub_does_not_know() -> None:
    gap = "Traffic is known every ten minutes."
    steps = [TrialStep(at="2026-11-22T10:30:00.000Z", kind="fired", text="web-1: much")]
    assert trial_text(Trial(fired=0, samples=3, gaps=[gap]), VIEW).endswith(f"3 samples were looked at.\n{gap}")
    assert trial_text(Trial(fired=1, samples=3, steps=steps, gaps=[gap]), VIEW).endswith(f"web-1: much\n{gap}")
