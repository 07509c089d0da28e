"""Every transition over virtual time: thresholds, windows, durations, gaps, restarts, clocks, pauses."""

import pytest

from beszel_protocol.sample import CpuMetrics, Metrics, ServiceMetrics
from beszel_protocol.storage import SmartMetrics
from tests.support.alertworld import AlertWorld, containers, cpu, disks, rule


def test_above_is_strict_and_recovery_is_not() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(80.0))
    assert world.take_told() == []
    world.send(cpu(80.01))
    assert world.take_told() == ["fired"]
    world.send(cpu(80.01), 5)
    assert world.take_told() == []
    world.send(cpu(80.0))
    assert world.take_told() == ["recovered"]


def test_below() -> None:
    world = AlertWorld(rule(value=20, comparison="below"))
    world.send(cpu(20.0))
    world.send(cpu(19.5))
    world.send(cpu(20.0))
    assert world.told() == ["fired", "recovered"]


def test_hysteresis() -> None:
    world = AlertWorld(rule(value=80, recover_value=70))
    world.send(cpu(90.0))
    world.send(cpu(75.0), 60)
    assert world.take_told() == ["fired"]
    world.send(cpu(70.0))
    assert world.take_told() == ["recovered"]


def test_a_step_tells_what_was_measured_and_the_worst_of_it() -> None:
    world = AlertWorld(rule(value=80))
    for percent in (85.0, 97.0, 91.0, 10.0):
        world.send(cpu(percent))
    fired, recovered = world.steps
    assert (fired.value, fired.peak, recovered.value, recovered.peak) == (85.0, 85.0, 10.0, 97.0)
    assert fired.alert_id == recovered.alert_id
    assert (recovered.since_ms, recovered.at_ms) == (fired.at_ms, fired.at_ms + 3000)
    assert fired.id != recovered.id


def test_the_mean_of_a_window_counts_and_needs_most_of_it() -> None:
    world = AlertWorld(rule(value=80, window_seconds=60))
    world.send(cpu(100.0), 50)
    assert world.take_told() == []
    world.send(cpu(100.0))
    assert world.take_told() == ["fired"]
    world.send(cpu(0.0), 11)
    assert world.take_told() == []
    world.send(cpu(0.0))
    assert world.take_told() == ["recovered"]


@pytest.mark.parametrize(("aggregate", "fires_after"), [("max", 50), ("min", 60), ("last", 50)])
def test_other_aggregates(aggregate: str, fires_after: int) -> None:
    world = AlertWorld(rule(value=80, window_seconds=60, aggregate=aggregate))
    world.send(cpu(10.0))
    world.send(cpu(90.0), fires_after - 1)
    assert world.take_told() == []
    world.send(cpu(90.0), 2)
    assert world.take_told() == ["fired"]


def test_an_increase_survives_a_counter_that_begins_anew() -> None:
    world = AlertWorld(rule("services.failed", value=4, window_seconds=60, aggregate="increase"))

    def failed(number: int) -> Metrics:
        return Metrics(services=ServiceMetrics(failed=number))

    world.send(failed(100), 55)
    world.send(failed(103), 2)
    assert world.take_told() == []
    world.send(failed(2), 2)
    assert world.take_told() == ["fired"]
    assert world.kept


def test_a_forecast_tells_when_a_disk_will_be_full() -> None:
    world = AlertWorld(
        rule("disk[*].usage_percent", value=86_400, comparison="below", window_seconds=3600, aggregate="forecast")
    )
    percent = 50.0
    for _ in range(60):
        world.send(disks(var=percent, opt=40.0), 60, every=60)
        percent += 0.1
    assert [step.target for step in world.steps] == ["disk[/var].usage_percent"]
    assert world.steps[0].value == pytest.approx((100 - percent) / 0.1 * 60, rel=0.2)


def test_it_must_last_and_be_well_for_long_enough() -> None:
    world = AlertWorld(rule(value=80, for_seconds=30, recover_seconds=20))
    world.send(cpu(90.0), 30)
    world.send(cpu(10.0))
    world.send(cpu(90.0), 30)
    assert world.take_told() == []
    world.send(cpu(90.0))
    assert world.take_told() == ["fired"]
    world.send(cpu(10.0), 20)
    world.send(cpu(90.0))
    world.send(cpu(10.0), 20)
    assert world.take_told() == []
    world.send(cpu(10.0))
    assert world.take_told() == ["recovered"]


def test_each_target_by_itself() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90))
    world.send(disks(var=95.0, opt=10.0))
    world.send(disks(var=95.0, opt=96.0))
    world.send(disks(var=10.0, opt=96.0))
    assert [(step.happened, step.target) for step in world.steps] == [
        ("fired", "disk[/var].usage_percent"),
        ("fired", "disk[/opt].usage_percent"),
        ("recovered", "disk[/var].usage_percent"),
    ]
    assert len({step.alert_id for step in world.steps}) == 2


def test_a_reading_that_did_not_happen_changes_nothing() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(None), 5)
    world.send(cpu(90.0))
    world.send(cpu(None), 60)
    assert world.told() == ["fired"]


def test_a_long_gap_empties_the_window() -> None:
    world = AlertWorld(rule(value=80, window_seconds=60))
    world.send(cpu(100.0), 45)
    world.pass_time(120)
    world.send(cpu(100.0), 50)
    assert world.take_told() == []
    world.send(cpu(100.0))
    assert world.take_told() == ["fired"]


@pytest.mark.parametrize("interval", [1, 5, 15, 60, 300])
def test_whatever_the_interval_of_the_agent(interval: int) -> None:
    world = AlertWorld(rule(value=80, window_seconds=600))
    world.send(cpu(90.0), 1200, every=interval)
    assert world.take_told() == ["fired"]
    world.send(cpu(10.0), 1200, every=interval)
    assert world.take_told() == ["recovered"]


def test_late_samples_alarm_nobody() -> None:
    world = AlertWorld(rule(value=80))
    world.send(cpu(10.0), 5)
    world.send(cpu(99.0), 10, late_ms=600_000)
    assert world.take_told() == []
    world.send(cpu(10.0), 5)
    world.send(cpu(99.0))
    assert world.take_told() == ["fired"]


@pytest.mark.parametrize("jump_ms", [-86_400_000, -60_000, 60_000, 86_400_000])
@pytest.mark.parametrize("kind", ["status", "series", "absent"])
def test_setting_the_clock_fires_nothing_and_ends_nothing(jump_ms: int, kind: str) -> None:
    rules = {
        "status": rule("status", for_seconds=300),
        "series": rule(value=80, for_seconds=300),
        "absent": rule("containers[web].cpu_percent", comparison="absent", window_seconds=300),
    }
    world = AlertWorld(rules[kind])
    world.pass_start()
    metrics = cpu(90.0) if kind == "series" else cpu(1.0)
    if kind == "status":
        world.set_status("down")
        world.pass_time(200)
        world.wall_ms += jump_ms
        world.pass_time(98)
        assert world.take_told() == []
        world.pass_time(4)
    else:
        world.send(metrics, 200)
        world.wall_ms += jump_ms
        world.send(metrics, 98)
        assert world.take_told() == []
        world.send(metrics, 70)  # samples whose instants stay behind are believed again after a minute
    assert world.take_told() == ["fired"]
    world.wall_ms += jump_ms
    world.pass_time(1)
    assert world.take_told() == []


def test_down_for_long_enough_and_up_again() -> None:
    world = AlertWorld(rule("status", for_seconds=60))
    world.pass_start()
    world.set_status("down")
    world.pass_time(59)
    world.set_status("up")
    world.pass_time(5)
    assert world.take_told() == []  # never up without down
    world.set_status("down")
    world.pass_time(59)
    assert world.take_told() == []
    world.pass_time(2)
    assert world.take_told() == ["fired"]
    world.set_status("up")
    world.pass_time(1)
    assert world.take_told() == ["recovered"]


def test_the_delay_of_a_status_survives_restarts() -> None:
    world = AlertWorld(rule("status", for_seconds=120))
    world.pass_start()
    world.set_status("down")
    world.pass_time(50)
    world.restart(away_seconds=30)
    world.pass_time(39)
    assert world.take_told() == []
    world.pass_time(2)
    assert world.take_told() == ["fired"]


def test_after_a_start_agents_have_time_to_come_back() -> None:
    world = AlertWorld(rule("status"))
    world.pass_start()
    world.set_status("down")
    world.restart(away_seconds=3600)
    world.pass_time(15)
    world.set_status("up")
    world.pass_time(60)
    assert world.take_told() == []


def test_a_system_that_goes_down_in_the_grace_after_a_start_is_news() -> None:
    world = AlertWorld(rule("status", for_seconds=5))
    world.pass_time(2)
    world.set_status("down")
    world.pass_time(6)
    assert world.take_told() == ["fired"]


@pytest.mark.parametrize("target", ["status", "cpu.usage_percent"])
def test_a_restart_between_any_two_steps(target: str) -> None:
    script = [("bad", 40), ("bad", 40), ("good", 10), ("bad", 10), ("good", 40), ("good", 40), ("bad", 70)]

    def run(restart_after: int | None) -> list[str]:
        world = AlertWorld(rule(target, value=80, for_seconds=60, recover_seconds=30))
        world.pass_start()
        for number, (what, seconds) in enumerate(script):
            if target == "status":
                status = "down" if what == "bad" else "up"
                if world.watched.status != status:
                    world.set_status("down" if what == "bad" else "up")
                world.pass_time(seconds)
            else:
                world.send(cpu(90.0 if what == "bad" else 10.0), seconds)
            if number == restart_after:
                assert world.restart() == []
        world.pass_start()
        return world.told()

    undisturbed = run(None)
    assert undisturbed == ["fired", "recovered", "fired"]
    for number in range(len(script)):
        assert run(number) == undisturbed, number


def test_a_wait_that_was_interrupted_for_long_begins_anew() -> None:
    world = AlertWorld(rule(value=80, for_seconds=600))
    world.send(cpu(90.0), 500)
    world.restart(away_seconds=3600)
    world.send(cpu(90.0), 500)
    assert world.take_told() == []
    world.send(cpu(90.0), 200)
    assert world.take_told() == ["fired"]


def test_paused_is_silent() -> None:
    world = AlertWorld(rule(value=80), rule("status", id="rule2"))
    world.send(cpu(90.0))
    assert world.take_told() == ["fired"]
    world.set_status("paused")
    assert world.take_told() == ["closed"]
    world.send(cpu(99.0), 10)
    world.set_status("pending")
    world.send(cpu(10.0), 10)
    world.set_status("up")
    world.send(cpu(10.0), 10)
    assert world.take_told() == []


def test_a_pause_forgets_how_often_an_alert_fired_in_the_database_too() -> None:
    world = AlertWorld(rule(value=80), rule("status", id="rule2"))
    world.send(cpu(90.0))
    world.set_status("down")
    world.pass_time(100)
    world.set_status("up")
    world.send(cpu(10.0))
    assert sorted(world.take_told()) == ["fired", "fired", "recovered", "recovered"]
    assert len(world.kept) == 2, "for how often they fired lately"
    world.set_status("paused")
    assert not world.kept
    assert world.restart() == []


def test_a_target_that_vanishes_ends_its_alert_and_one_told_seldom_does_not() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90), rule("smart[*].severity", value=0, id="rule2"))
    smart = Metrics(smart={"S1": SmartMetrics(severity=2)}, cpu=CpuMetrics(usage_percent=1.0))
    world.send(smart)
    world.send(disks(var=95.0), 10)
    assert world.take_told() == ["fired", "fired"]
    world.send(disks(opt=1.0), 250)
    assert world.take_told() == []
    world.send(disks(opt=1.0), 120)
    assert [(step.happened, step.target, step.reason) for step in world.steps] == [
        ("closed", "disk[/var].usage_percent", "the target is gone")
    ]
    world.steps.clear()
    world.send(disks(opt=1.0), 3600)
    world.send(smart)
    assert world.take_told() == []


def test_while_a_system_is_down_nothing_of_it_vanishes() -> None:
    world = AlertWorld(rule("disk[*].usage_percent", value=90))
    world.send(disks(var=95.0), 10)
    world.set_status("down")
    world.pass_time(3600)
    world.set_status("up")
    world.send(disks(var=95.0), 10)
    assert world.told() == ["fired"]


def test_absence_counts_only_while_the_system_tells_anything() -> None:
    world = AlertWorld(rule("containers[*].cpu_percent", comparison="absent", window_seconds=120))
    world.send(containers(web=1.0, db=1.0), 10)
    world.pass_time(3600)
    world.send(containers(db=1.0), 110)
    assert world.take_told() == []
    world.send(containers(db=1.0), 20)
    assert [(step.happened, step.target) for step in world.steps] == [("fired", "containers[web].cpu_percent")]
    world.steps.clear()
    world.send(containers(web=1.0, db=1.0))
    assert world.take_told() == ["recovered"]
