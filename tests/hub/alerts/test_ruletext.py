"""What is exported comes to the same rules again, whatever they say and however they were made."""

import re

import msgspec
import pytest

from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.rulefile import parse, rule_id_of
from beszel_hub.alerts.ruletext import write
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.alerts.validation import check_rule
from beszel_hub.errors import BadRequest

SYSTEMS = {
    "shop": ["systemofshop001"], "systemofshop001": ["systemofshop001"],
    "twin": ["systemtwin00001", "systemtwin00002"], "systemtwin00001": ["systemtwin00001"],
    "systemtwin00002": ["systemtwin00002"],
}  # fmt: skip
BUSY = Condition(target="cpu.usage_percent", value=80.0)
FULL = Condition(target="disk[*].usage_percent", value=90.0, recover_value=85.5, window_seconds=0, aggregate="max")


def rule(name: str = "busy", *conditions: Condition, rule_id: str = "", **more: object) -> Rule:
    made = Rule(id=rule_id or rule_id_of(name), name=name, conditions=conditions or (BUSY,))
    return check_rule(msgspec.structs.replace(made, **more))


EVERY_FORM = (
    rule(),
    rule("made in the terminal", rule_id="aruleofadmin001"),
    rule("busy", rule_id="samename0000001", tag="web"),
    rule("null", severity="critical", is_enabled=False),
    rule("1e3", FULL, system_id="systemofshop001", escalate_value=97.25),
    rule("on: {a twin} # 'ß\" 日本", system_id="systemtwin00002", tag=None),
    rule("long", for_seconds=90, recover_seconds=120, repeat_seconds=43_200, escalate_seconds=172_800),
    rule("both", BUSY, FULL), rule("either", BUSY, FULL, match="any"), rule("one of one", BUSY, match="any"),
    rule("down", Condition(target="status"), for_seconds=60),
    rule("down, and said more of", Condition(target="status", window_seconds=300, value=1.0)),
    rule("low", Condition(target="custom[free bytes]", comparison="below", value=1e9, recover_value=2e9)),
    rule("silent", Condition(target="cpu.usage_percent", comparison="absent", window_seconds=604_800)),
    rule("odd", Condition(target="cpu.usage_percent", value=0.1 + 0.2, window_seconds=3_601)),
    rule("forecast", Condition(target="disk[/].usage_percent", comparison="below", value=259_200.0,
                               window_seconds=86_400, aggregate="forecast")),
)  # fmt: skip


def read(text: str) -> list[Rule]:
    return parse(text.encode(), SYSTEMS)


def test_every_form_comes_back() -> None:
    assert read(write(EVERY_FORM, SYSTEMS)) == list(EVERY_FORM)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_hubs_own_sets_come_back(name: str) -> None:
    rules = parse(f"apply: [{{template: {name}, tag: a}}, {{template: {name}, system: shop}}]".encode(), SYSTEMS)
    assert read(write(rules, SYSTEMS)) == rules


def test_it_reads_as_people_write_it() -> None:
    declared = rule("disk", FULL, system_id="systemofshop001", for_seconds=600)
    text = write([declared, rule("made in the terminal", rule_id="aruleofadmin001")], SYSTEMS)
    assert re.sub(r"(?m)^#.*\n", "", text) == (
        "rules:\n"
        "- name: disk\n  target: disk[*].usage_percent\n  above: 90.0\n  recover: 85.5\n  window: 0\n"
        "  aggregate: max\n  system: shop\n  for: 10m\n"
        "- name: made in the terminal\n  id: aruleofadmin001\n  target: cpu.usage_percent\n  above: 80.0\n"
        "  window: 1m\n"
    )


def test_rules_of_one_user_and_of_systems_that_are_gone_are_left_out() -> None:
    rules = [rule("hers", user_id="umaumaumaumauma"), rule("gone", system_id="gone00000000001"), rule()]
    assert read(write(rules, SYSTEMS)) == [rule()]
    assert read(write([], SYSTEMS)) == []


@pytest.mark.parametrize("bad", ["short", "WITHCAPITALS001", '"fifteenletters\\n"', "../../../../etc/p", "15"])
def test_an_id_is_one(bad: str) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        read(f"rules: [{{name: x, id: {bad}, target: status}}]")


def test_an_id_stands_for_one_rule_and_not_in_sets() -> None:
    twice = "rules: [{name: x, id: aruleofadmin001, target: status}, {name: y, id: aruleofadmin001, target: status}]"
    with pytest.raises(BadRequest, match="'y' twice"):
        read(twice)
    with pytest.raises(BadRequest, match="cannot be read"):
        read("templates: {own: [{name: x, id: aruleofadmin001, target: status}]}")


def test_the_id_of_a_name_never_changes() -> None:
    """Alerts would end at an update of the hub."""
    (made,) = read("rules: [{name: busy, target: cpu.usage_percent, above: 80}]")
    assert made == rule(rule_id="f3edbdb8c651c65")
    made, *_ = read("apply: [{template: host, tag: web}]")
    assert made.id == "fcbd2cae5f349ae"
