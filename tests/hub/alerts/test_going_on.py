"""Alerts that fire while the hub restarts, while their rule becomes another, and while a part of it is not known."""

import pytest

from beszel_hub.alerts.rule import Condition, Rule
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics
from tests.support.alertworld import AlertWorld, containers, cpu, disks, rule


def absent(target: str, **others: object) -> Rule:
    return rule(target, 0.0, comparison="absent", window_seconds=120, **others)


def composite(match: str, *targets: str, **others: object) -> Rule:
    conditions = tuple(Condition(target=target, value=80, window_seconds=0) for target in targets)
    return Rule(id="rule1", name="test", match=match, conditions=conditions, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["containers[web].cpu_percent", "containers[*].cpu_percent"])
def test_what_is_absent_stays_so_across_a_restart_and_a_change_of_its_rule(target: str) -> None:
    world = AlertWorld(absent(target))
    world.send(containers(web=1.0, db=1.0), 10)
    world.send(containers(db=1.0), 150)
    assert world.take_told() == ["fired"]
    world.restart()
    world.send(containers(db=1.0), 10)
    world.set_rules(absent(target, name="renamed"))
    world.send(containers(db=1.0), 7200, every=10)
    assert world.take_told() == []
    world.send(containers(web=1.0, db=1.0))
    assert world.take_told() == ["recovered"]


def test_what_has_not_been_told_since_a_restart_can_be_acknowledged() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90, repeat_seconds=60))
    world.send(disks(var=95.0))
    world.restart()
    (place,) = world.kept
    assert world.engine.acknowledge(place, world.steps[0].alert_id, world.moment)
    world.send(disks(var=95.0), 300)
    world.restart()
    world.send(disks(var=95.0), 300)
    world.send(disks(var=5.0))
    assert world.told() == ["fired", "recovered"]


@pytest.mark.parametrize(
    "after",
    [
        rule("status", value=0),
        rule("memory.usage_percent", value=80),
        rule("disk[/opt].usage_percent", value=80),
        rule("temperature", value=80),
        rule("container_down[a*]", value=0),
        composite("all", "cpu.usage_percent", "memory.usage_percent"),
    ],
    ids=lambda each: each.conditions[0].target + "+" * (len(each.conditions) - 1),
)
def test_an_alert_of_what_a_rule_watches_no_more_is_closed(after: Rule) -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90))
    world.send(disks(var=95.0, tmp=95.0))
    world.take_told()
    world.set_rules(after)
    assert [(step.happened, step.reason) for step in world.steps] == [("closed", "the rule watches something else")] * 2
    assert [kept for kept in world.kept.values() if kept.phase == "firing"] == []
    assert world.restart() == []
    world.send(disks(var=5.0, tmp=5.0), 10)
    world.pass_start()
    assert world.told() == ["closed", "closed"]


def test_an_alert_of_a_status_or_of_several_conditions_ends_with_these() -> None:
    down = AlertWorld(rule("status"))
    down.set_status("down")
    down.pass_start()
    down.set_rules(rule(value=80))
    assert down.told() == ["fired", "closed"]
    both = AlertWorld(composite("any", "cpu.usage_percent", "memory.usage_percent"))
    both.send(cpu(90.0))
    both.set_rules(rule(value=80))
    assert both.told() == ["fired", "closed"]


def test_a_target_that_a_rule_goes_on_to_watch_keeps_its_alert() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90))
    world.send(disks(var=95.0, tmp=95.0))
    world.set_rules(rule("disk[/var].usage_percent", value=80))
    world.send(disks(var=95.0, tmp=95.0), 5)
    world.set_rules(rule("disk[/v*].usage_percent", value=80))
    world.send(disks(var=5.0, tmp=95.0), 5)
    assert [(step.happened, step.target) for step in world.steps[2:]] == [
        ("closed", "disk[/tmp].usage_percent"),
        ("recovered", "disk[/var].usage_percent"),
    ]


def test_a_rule_that_became_another_while_the_hub_was_away_gives_its_alert_back() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90))
    world.send(disks(var=95.0))
    world.rules = [composite("any", "cpu.usage_percent", "memory.usage_percent")]
    (orphan,) = world.restart()
    assert orphan.alert_id == world.steps[0].alert_id
    world.send(Metrics(cpu=CpuMetrics(usage_percent=1.0), memory=MemoryMetrics(usage_percent=1.0)), 10)
    assert world.told() == ["fired"]


def test_a_system_that_was_paused_just_before_the_hub_died_has_no_alerts() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(90.0))
    kept = dict(world.kept)
    world.set_status("paused")
    world.kept = kept  # the step that closes was not stored any more
    (orphan,) = world.restart()
    assert orphan.alert_id == world.steps[0].alert_id


def test_any_of_several_recovers_where_one_of_them_is_never_told() -> None:
    world = AlertWorld(composite("any", "cpu.usage_percent", "swap_percent"))
    world.send(cpu(10.0), 3700, every=5)
    world.send(cpu(90.0), 10)
    assert world.take_told() == ["fired"]
    world.send(cpu(10.0), 10)
    assert world.take_told() == ["recovered"]


def test_any_of_several_is_not_well_because_what_was_wrong_has_vanished() -> None:
    both = composite("any", "cpu.usage_percent", "memory.usage_percent")
    world = AlertWorld(both)
    world.send(Metrics(cpu=CpuMetrics(usage_percent=10.0), memory=MemoryMetrics(usage_percent=90.0)), 10)
    world.restart()
    world.send(cpu(10.0), 1700, every=5)
    assert world.take_told() == ["fired"]
    world.send(cpu(10.0), 200, every=5)
    assert world.take_told() == ["closed"]


def test_events_that_count_no_more_after_a_restart_end_their_alert_as_a_recovery() -> None:
    world = AlertWorld(rule("container_oom", value=0, window_seconds=600))
    world.around.note("container_oom", "db]", world.monotonic_ms)
    world.send(cpu(5.0), 10)
    assert world.take_told() == ["fired"]
    world.restart(away_seconds=1200)
    world.send(cpu(5.0), 2)
    assert [(step.happened, step.target) for step in world.steps] == [("recovered", "container_oom[db\\]]")]


def test_an_event_that_still_counts_after_a_restart_keeps_its_alert() -> None:
    world = AlertWorld(rule("container_oom", value=0, window_seconds=600))
    happened_ms = world.wall_ms
    world.around.note("container_oom", "db", world.monotonic_ms)
    world.send(cpu(5.0), 10)
    world.restart(away_seconds=60)
    world.around.note("container_oom", "db", world.moment.monotonic_of(happened_ms))
    world.send(cpu(5.0), 500)
    assert world.take_told() == ["fired"]
    world.send(cpu(5.0), 60)
    assert world.take_told() == ["recovered"]
