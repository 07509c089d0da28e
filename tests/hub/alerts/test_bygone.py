"""Rules on containers and on traffic, tried on what a real store has of them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from beszel_hub.alerts.bygone import ContainerCourse
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.texts import describe
from beszel_hub.alerts.trial import Trial, run_trial
from beszel_hub.metrics.recollections import Recollections
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.series_tiers import raise_floor
from beszel_hub.metrics.tables import Happening
from beszel_hub.store.database import Database
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.messages import Event
from beszel_protocol.sample import CpuMetrics, Metrics
from tests.support.alertworld import NOON_MS, SYSTEM, containers, rule
from tests.support.databases import place_at

DAY_MS = 86_400_000
MINUTE_MS = 60_000
CPU = CpuMetrics(usage_percent=1.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(place_at(tmp_path / "data.db"))
    made.open()
    yield made
    made.close()


def store(database: Database, samples: Sequence[tuple[int, Metrics]]) -> None:
    rows = [NewSample(SYSTEM, at_ms, 0, msgspec.json.encode(metrics)) for at_ms, metrics in samples]
    database.write_now(lambda: insert_samples(rows))


def happen(database: Database, minute: float, kind: str, subject: str, **attributes: str | float | bool) -> None:
    event = Event(sequence=1, timestamp="", boot_ms=0, kind=kind, subject=subject, attributes=attributes or None)
    instant = NOON_MS + round(minute * MINUTE_MS)
    database.write_now(
        lambda: Happening.insert(system_id=SYSTEM, instant=instant, body=msgspec.json.encode(event).decode()).execute()
    )


def run_containers(database: Database, **minutes: Sequence[tuple[float, float]]) -> None:
    """For an hour a sample in ten seconds; containers run in samples from one minute until another."""
    samples = []
    for at_ms in range(NOON_MS, NOON_MS + 60 * MINUTE_MS, 10_000):
        minute = (at_ms - NOON_MS) / MINUTE_MS
        running = [name for name, spans in minutes.items() if any(begin <= minute < end for begin, end in spans)]
        samples.append((at_ms, msgspec.structs.replace(containers(**dict.fromkeys(running, 1.0)), cpu=CPU)))
    store(database, samples)


def facts(name: str, state: str, exit_code: int | None = None, engine: str = "docker") -> ContainerFacts:
    return ContainerFacts(id="0" * 12, name=name, engine=engine, state=state, exit_code=exit_code)


def attempt(database: Database, tried: Rule, *now: ContainerFacts, from_ms: int = NOON_MS, span_ms: int = 0) -> Trial:
    to_ms = from_ms + (span_ms or 60 * MINUTE_MS)
    history = Recollections(lambda: to_ms)
    return run_trial(history, database.read_now, tried, SYSTEM, from_ms, to_ms, containers=now)


def told(trial: Trial) -> list[tuple[str, str, int]]:
    return [(step.happened, step.target, round((step.at_ms - NOON_MS) / MINUTE_MS)) for step in trial.steps]


def test_events_tell_when_containers_were_down_and_which_had_failed(database: Database) -> None:
    run_containers(database, web=[(0, 10), (20, 60)], db=[(0, 30)], job=[(5, 6)])
    happen(database, 10, "container_died", "web", exit_code=137)
    happen(database, 20, "container_started", "web")
    happen(database, 30, "container_died", "db", exit_code=0)
    happen(database, 5, "container_created", "job")
    happen(database, 5, "container_started", "job")
    happen(database, 6, "container_died", "job", exit_code=1)
    happen(database, 6.1, "container_removed", "job")
    now = facts("web", "running"), facts("db", "exited", 0)
    down = attempt(database, rule("container_down", 0, for_seconds=60), *now)
    assert told(down) == [
        ("fired", "container_down[web]", 11), ("recovered", "container_down[web]", 20),
        ("fired", "container_down[db]", 31),
    ]  # fmt: skip
    assert down.gaps == []
    failed = attempt(database, rule("container_failed", 0), *now)
    assert told(failed)[0] == ("fired", "container_failed[job]", 6)
    assert [one for one in told(failed) if "job" not in one[1]] == [
        ("fired", "container_failed[web]", 10), ("recovered", "container_failed[web]", 20),
    ]  # fmt: skip
    assert describe(failed.steps[0], "web1") == "web1: Container failed [job]"


def test_what_no_event_tells_samples_and_the_present_do(database: Database) -> None:
    """`idle` was down all the time, `db` ended unheard, `gone` vanished, and how `web` ended once nobody knows."""
    run_containers(database, web=[(0, 10), (20, 60)], db=[(0, 30)], gone=[(0, 40)])
    now = facts("web", "running"), facts("db", "exited", 3), facts("idle", "exited", 0)
    down = attempt(database, rule("container_down", 0), *now)
    assert told(down) == [
        ("fired", "container_down[idle]", 0), ("fired", "container_down[web]", 10),
        ("recovered", "container_down[web]", 20), ("fired", "container_down[db]", 30),
    ]  # fmt: skip
    failed = attempt(database, rule("container_failed", 0), *now)
    assert told(failed) == [("fired", "container_failed[db]", 30)]
    assert failed.gaps == ["No exit code is known of these, which is not taken for a failure: web."]


def test_guests_that_stop_are_gone_and_containers_without_numbers_are_not_missed(database: Database) -> None:
    run_containers(database, vm=[(0, 10)])
    happen(database, 10, "container_died", "vm")
    assert told(attempt(database, rule("container_down", 0), facts("plain", "running"))) == []


def test_what_is_older_than_events_goes_by_roll_ups_and_says_so(database: Database) -> None:
    run_containers(database, web=[(0, 60)])
    database.write_now(partial(raise_floor, SYSTEM, 0, NOON_MS + 30 * MINUTE_MS))
    trial = attempt(database, rule("container_down", 0), facts("web", "running"))
    assert [stretch.seconds for stretch in trial.stretches] == [60, 1]
    (gap,) = trial.gaps
    assert gap.startswith("Before 2026-11-22T")
    assert "not how they ended" in gap


def test_names_go_on(database: Database) -> None:
    course = ContainerCourse([], [facts("old", "running")])
    course.look(NOON_MS, ["old"])
    renamed = Event(
        sequence=1, timestamp="", boot_ms=0, kind="container_renamed", subject="new", attributes={"before": "old"}
    )
    course.note(NOON_MS + 1000, renamed)
    assert [(one.name, one.state) for one in course.look(NOON_MS + 4000, ["new"])] == [("new", "running")]


def test_traffic_is_that_of_its_month(database: Database) -> None:
    """A gigabyte an hour from the 13th until the 17th; the counter begins anew with a reboot on the 16th."""
    begin_ms = NOON_MS - 9 * DAY_MS - DAY_MS // 2  # the 13th, midnight
    samples = []
    for hour in range(4 * 24):
        counted = (hour if hour < 72 else hour - 72) * 10**9
        network = {"interfaces": {"eth0": {"bytes_sent": counted, "bytes_recv": 0}}}
        document = {"network": network, "cpu": {"usage_percent": 1.0}}
        samples.append((begin_ms + hour * 3_600_000, msgspec.convert(document, Metrics)))
    store(database, samples)
    trial = attempt(database, rule("traffic_month_sent[15]", 20e9), from_ms=begin_ms + DAY_MS // 2, span_ms=4 * DAY_MS)
    fired = [(step.happened, (step.at_ms - begin_ms) / 3_600_000) for step in trial.steps]
    # A month begins at hour 48. What was read at an hour counts from the next sample on, as every ten minutes do.
    assert fired == [("fired", 22.0), ("recovered", 49.0), ("fired", 69.0)]
    whole = attempt(database, rule("traffic_month[1]", 60e9), from_ms=begin_ms + DAY_MS // 2, span_ms=4 * DAY_MS)
    assert [(step.at_ms - begin_ms) / 3_600_000 for step in whole.steps] == [62.0]
    assert trial.gaps == ["Traffic is known every ten minutes."]
    nothing = attempt(database, rule("traffic_month", 1), from_ms=begin_ms - 5 * DAY_MS, span_ms=DAY_MS)
    assert (nothing.steps, nothing.gaps) == ([], ["No interface has told how much it carried."])
