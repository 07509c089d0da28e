"""What people read; hostile names stay names."""

import pytest

from beszel_hub.notifications.message import Step, compose, fields_of, title_of, worst_of
from tests.support.transitions import NOW_MS, make_transition

APP_URL = "https://hub.example.org"
HOSTILE = "x\r\nBcc: all@example.org\x1b[31m\u202e <b>@everyone</b> [go](http://evil.example) `code`"


def step(transition_id: str = "t1", **changes: object) -> Step:
    return Step(transition=make_transition(transition_id, **changes))


def test_one_step() -> None:
    message = compose("k", [Step(transition=make_transition(), facts=("stress (42): 99.0 % CPU",))], app_url=APP_URL)
    assert message.title == "Warning: web · CPU"
    assert message.text == "CPU usage is above 80 % for 10 minutes: 93.5 %.\nstress (42): 99.0 % CPU"
    assert message.link == "https://hub.example.org/system/systemsystem001"


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("fired", "Critical: web · CPU"), ("recovered", "Recovered: web · CPU"), ("escalated", "Escalated: web · CPU"),
        ("repeated", "Still critical: web · CPU"), ("summary", "Summary: web · CPU"),
    ],
)  # fmt: skip
def test_titles(kind: str, title: str) -> None:
    assert title_of(make_transition(kind=kind, severity="critical")) == title


def test_a_recovery_tells_how_long_it_was() -> None:
    message = compose("k", [step(kind="recovered", at_ms=NOW_MS + 3_900_000)], app_url="")
    assert message.text.endswith("since 2027-01-15 08:00 UTC, for 1 h 5 min")
    assert message.is_good_news
    assert message.link == ""


def test_many_are_one_message_and_the_rest_is_counted() -> None:
    steps = [step(f"t{i}", system_id=f"s{i % 3}", severity="critical" if i == 7 else "info") for i in range(25)]
    message = compose("k", steps, app_url=APP_URL)
    assert message.title == "25 alerts on 3 systems: 25 fired"
    assert message.severity == "critical"
    assert message.link == APP_URL
    assert message.text.endswith("\nand 5 more")
    assert message.text.count("\n") == 20
    assert fields_of(message)["count"] == 25


def test_the_gravest_of_many_is_one_that_lasts() -> None:
    steps = [step("a", kind="recovered", severity="critical"), step("b", severity="info")]
    assert worst_of(steps).transition.id == "b"


def test_a_subject_of_several_has_the_fields_of_the_gravest() -> None:
    steps = [step("a"), step("b", severity="critical", system_name="db")]
    message = compose("k", steps, app_url="", subject_template="${severity} ${system} (${count}): ${title}")
    assert message.title == "critical db (2): 2 alerts on 1 systems: 2 fired"


@pytest.mark.parametrize("template", ["", "${peak}", "  ", "\r\n"])
def test_a_subject_of_which_nothing_is_left_is_the_hubs_own(template: str) -> None:
    assert compose("k", [step(peak=None)], app_url="", subject_template=template).title == "Warning: web · CPU"


def test_hostile_names_leave_a_subject_one_line() -> None:
    title = compose("k", [step(system_name=HOSTILE)], app_url="", subject_template="${system}" * 9).title
    assert title.isprintable()
    assert len(title) <= 200


def test_a_template_says_what_each_step_is() -> None:
    message = compose("k", [step()], app_url=APP_URL, template="${system}: ${value} of ${threshold} ${link}")
    assert message.text == "web: 93.5 of 80 https://hub.example.org/system/systemsystem001"


def test_hostile_names_make_no_second_line_and_no_control_character() -> None:
    hostile = step(system_name=HOSTILE, name=HOSTILE, text=HOSTILE, target=HOSTILE)
    message = compose("k", [hostile], app_url=APP_URL, template="${system} ${rule} ${target} ${text}")
    for text in (message.title, message.text):
        assert "\n" not in text
        assert "\r" not in text
        assert text.isprintable()


def test_hostile_names_are_no_markup_where_there_is_markup() -> None:
    hostile = Step(transition=make_transition(system_name=HOSTILE, name=HOSTILE, text=HOSTILE), facts=(HOSTILE,))
    message = compose("k", [hostile], app_url=APP_URL, has_markup=True, template="<b>${text}</b> ${link}")
    assert message.text.startswith("<b>")
    assert message.text.endswith("</b> https://hub.example.org/system/systemsystem001")
    inner = message.text.removeprefix("<b>").partition("</b> https")[0]
    for mark in ("<", "@", "](", "://", "`"):
        assert mark not in inner
        assert mark not in message.title
