"""From firing to the end: flapping, repetition, escalation, scopes, several conditions, rules and systems that go."""

import pytest

from beszel_hub.alerts.rule import Condition, Rule
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics
from tests.support.alertworld import SYSTEM, AlertWorld, containers, cpu, rule


def test_flapping_is_damped() -> None:
    world = AlertWorld(rule(value=80))
    for _ in range(30):
        world.send(cpu(90.0), 10)
        world.send(cpu(10.0), 10)
    assert world.take_told() == ["fired", "recovered", "fired", "recovered", "fired"]
    world.send(cpu(10.0), 60)
    assert world.take_told() == ["recovered"]


def test_flapping_is_remembered_across_restarts() -> None:
    world = AlertWorld(rule(value=80))
    for _ in range(3):
        world.send(cpu(90.0), 10)
        world.restart()
        world.send(cpu(10.0), 10)
        world.restart()
    assert world.told() == ["fired", "recovered", "fired", "recovered", "fired"]


def test_repeated_until_somebody_looks_after_it() -> None:
    world = AlertWorld(rule(value=80, repeat_seconds=60))
    world.send(cpu(90.0), 150)
    assert world.told() == ["fired", "repeated", "repeated"]
    assert len({step.id for step in world.steps}) == 3
    place = next(iter(world.kept))
    assert world.engine.acknowledge(place, world.steps[0].alert_id, world.moment)
    assert not world.engine.acknowledge(place, "another", world.moment)
    world.send(cpu(90.0), 600)
    world.send(cpu(10.0))
    assert world.told() == ["fired", "repeated", "repeated", "recovered"]


def test_escalated_by_value_and_by_time_once() -> None:
    by_value = AlertWorld(rule(value=80, escalate_value=95.0))
    by_value.send(cpu(90.0), 5)
    by_value.send(cpu(96.0), 5)
    by_value.send(cpu(90.0), 5)
    by_value.send(cpu(97.0), 5)
    assert [(step.happened, step.severity) for step in by_value.steps] == [
        ("fired", "warning"),
        ("escalated", "critical"),
    ]
    by_time = AlertWorld(rule(value=80, escalate_seconds=60))
    by_time.send(cpu(90.0), 300)
    assert by_time.told() == ["fired", "escalated"]


def test_a_rule_that_goes_ends_its_alert_and_one_that_changes_keeps_it() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(90.0), 5)
    world.set_rules(rule(value=85, name="renamed"))
    world.send(cpu(90.0), 5)
    assert world.take_told() == ["fired"]
    world.set_rules(rule(value=95))
    world.send(cpu(90.0), 5)
    assert world.take_told() == ["recovered"]
    world.send(cpu(99.0))
    world.set_rules()
    assert world.take_told() == ["fired", "closed"]


def test_scopes() -> None:
    world = AlertWorld(
        rule(id="all"),
        rule(id="tagged", tag="db"),
        rule(id="other", system_id="x" * 15),
        rule(id="mine", user_id="uma"),
        rule(id="off", is_enabled=False),
    )
    world.send(cpu(90.0))
    assert {step.rule.id for step in world.steps} == {"all"}
    world.set_status("up", tags=("db",), seen_by=frozenset({"uma"}))
    world.send(cpu(90.0))
    assert {step.rule.id for step in world.steps} == {"all", "tagged", "mine"}
    world.steps.clear()
    world.set_status("up", tags=("db",))
    assert [(step.rule.id, step.happened) for step in world.steps] == [("mine", "closed")]


@pytest.mark.parametrize(("match", "expected"), [("all", ["fired", "recovered"]), ("any", ["fired"])])
def test_several_conditions(match: str, expected: list[str]) -> None:
    both = Rule(
        id="rule1", name="both", match="all" if match == "all" else "any",
        conditions=(
            Condition(target="cpu.usage_percent", value=80, window_seconds=0),
            Condition(target="memory.usage_percent", value=90, window_seconds=0),
        ),
    )  # fmt: skip

    def busy(cpu_percent: float, memory_percent: float) -> Metrics:
        return Metrics(cpu=CpuMetrics(usage_percent=cpu_percent), memory=MemoryMetrics(usage_percent=memory_percent))

    world = AlertWorld(both)
    world.send(busy(10.0, 10.0), 5)
    assert world.take_told() == []
    world.send(busy(90.0, 10.0), 5)
    assert world.told() == (["fired"] if match == "any" else [])
    world.send(busy(90.0, 95.0), 5)
    world.send(busy(10.0, 95.0), 5)
    assert world.told() == expected
    world.send(busy(10.0, 10.0), 5)
    assert world.told() == ["fired", "recovered"]


def test_what_belongs_to_no_rule_any_more_is_given_back() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(90.0))
    world.rules = []
    (orphan,) = world.restart()
    assert orphan.place.system_id == SYSTEM
    assert orphan.alert_id == world.steps[0].alert_id


def test_a_removed_system_ends_its_alerts() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(90.0))
    assert [step.reason for step in world.engine.remove_system(SYSTEM, world.moment)] == ["the system is gone"]
    assert world.engine.take(SYSTEM, world.wall_ms, cpu(99.0), world.moment) == []


def test_names_that_come_and_go_fill_no_memory() -> None:
    world = AlertWorld(rule("containers[*].cpu_percent", value=90))
    for number in range(2000):
        world.send(containers(**{f"job{number}": 1.0}), 10, every=10)
    watch = next(iter(world.engine._stations[SYSTEM].on_samples.values()))
    assert len(watch._meter.gauges) <= 512  # type: ignore[union-attr]
