"""Windows that begin with what was before them: after restarts, for new rules, from what is stored."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from beszel_hub.alerts.queries import insert_rule
from beszel_hub.alerts.rule import Aggregate, Rule
from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.window import Past, Window
from beszel_hub.metrics import series_rollup, series_tiers, series_upkeep
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.metrics.recollections import Recollections
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory, Entry
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics
from tests.support.alertworld import NOON_MS, SYSTEM, AlertWorld, cpu, disks, rule
from tests.support.databases import place_at

DAY_MS: Final = 86_400_000


def test_a_restart_delays_nothing() -> None:
    def run(*, is_interrupted: bool) -> list[int]:
        world = AlertWorld(rule(value=80, window_seconds=600, for_seconds=60))
        world.send(cpu(10.0), 700)
        world.send(cpu(90.0), 300)
        if is_interrupted:
            assert world.restart(away_seconds=20) == []
        else:
            world.wall_ms += 20_000
            world.monotonic_ms += 20_000
        for _ in range(600):
            world.send(cpu(90.0))
            world.recall()
        assert world.told() == ["fired"]
        return [round(step.at_ms / 5000) for step in world.steps]

    assert run(is_interrupted=True) == run(is_interrupted=False)


def test_a_new_rule_knows_what_was_and_alarms_nobody_about_it() -> None:
    world = AlertWorld()
    world.send(cpu(90.0), 600)
    world.send(cpu(10.0), 900)
    world.set_rules(rule(value=80, window_seconds=600, aggregate="max"), rule(value=80, window_seconds=600, id="rule2"))
    world.send(cpu(10.0), 2)
    assert world.recall() == 2
    world.send(cpu(10.0), 10)
    assert world.take_told() == []
    world.send(cpu(100.0), 1)
    assert [step.rule.id for step in world.steps] == ["rule1"]


def test_several_targets_and_those_that_are_gone() -> None:
    world = AlertWorld()
    world.send(disks(a=10.0, gone=95.0), 300)
    world.send(disks(a=95.0, b=95.0), 900)
    world.set_rules(rule("disk[*].usage_percent", 90, window_seconds=600))
    world.send(disks(a=95.0, b=95.0))
    world.recall()
    world.send(disks(a=95.0, b=95.0))
    assert [step.target for step in world.steps] == ["disk[/a].usage_percent", "disk[/b].usage_percent"]


def test_history_is_asked_a_few_times_only() -> None:
    world = AlertWorld(rule(value=80, window_seconds=86_400))
    asked = 0
    for _ in range(1000):
        world.send(cpu(10.0))
        world.sent.clear()
        asked += world.recall()
    assert 2 <= asked <= 4


@pytest.mark.parametrize("aggregate", ["mean", "min", "max", "last", "increase"])
@pytest.mark.parametrize("begins_at", [1, 30, 59])
def test_a_window_in_two_parts_is_the_whole(aggregate: Aggregate, begins_at: int) -> None:
    values = [float((number * 37) % 100) for number in range(60)]
    whole, late = Window(60, aggregate), Window(60, aggregate)
    for number, value in enumerate(values):
        whole.add(number * 1000, value)
        if number >= begins_at:
            late.add(number * 1000, value)
    late.recall([Past(number * 1000, number * 1000 + 1, 1, values[number]) for number in range(begins_at)])
    assert late.value() == pytest.approx(whole.value())
    for window in (whole, late):
        window.add(75_000, 50.0)
    assert late.value() == pytest.approx(whole.value())


def test_a_mean_of_many_readings_weighs_as_many() -> None:
    window = Window(600, "mean")
    for second in range(300, 600):
        window.add(second * 1000, 0.0)
    window.recall([Past(minute * 60_000, (minute + 1) * 60_000, 60, 100.0) for minute in range(5)])
    assert window.value() == pytest.approx(50.0)


def test_what_was_before_a_long_gap_is_left_out() -> None:
    window = Window(60, "mean")
    window.add(100_000, 5.0)
    window.recall([Past(0, 1000, 1, 100.0)])
    assert window.value() is None
    assert window.last_ms == 100_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(place_at(tmp_path / "data.db"))
    made.open()
    yield made
    made.close()


class Site:
    """Alerts over a real database, without a hub around them."""

    def __init__(self, database: Database, now_ms: int, *rules: Rule, systems: Sequence[str] = (SYSTEM,)) -> None:
        self.now_ms = now_ms
        self.monotonic_ms = 10_000_000
        self.database = database
        for one in rules:
            database.write_now(partial(insert_rule, one, now_ms))
        directory = Directory()
        directory.replace_all(
            [Entry(id=one, name="web1", host="", status="up", status_since_ms=0, interval_seconds=1) for one in systems]
        )
        self.texts: list[str] = []
        self.alerts = Alerts(database, directory, lambda: self.now_ms, lambda: self.monotonic_ms)
        self.alerts.on_transition = lambda transition: self.texts.append(transition.text)
        self.alerts.past.history = Recollections(lambda: self.now_ms)

    async def send(
        self, metrics: Metrics, system_id: str = SYSTEM, *, recalls: bool = True, elapsed_ms: int = 2000
    ) -> None:
        self.now_ms += elapsed_ms
        self.monotonic_ms += elapsed_ms
        self.alerts.sample_arrived(LiveSample(system_id, self.now_ms, self.now_ms, metrics))
        if recalls:
            await self.alerts.past.recall()
        await self.alerts.save()


def store(database: Database, samples: list[tuple[int, Metrics]]) -> None:
    rows = [NewSample(SYSTEM, at_ms, 0, msgspec.json.encode(metrics)) for at_ms, metrics in samples]
    database.write_now(lambda: insert_samples(rows))


def test_a_disk_that_fills_up_over_days_is_told_after_a_restart(database: Database) -> None:
    start_ms = NOON_MS - 3 * DAY_MS
    store(database, [(start_ms + number * 300_000, disks(var=60 + number / 40)) for number in range(864)])
    database.write_now(lambda: None)
    for due in database.read_now(lambda: series_rollup.find_rollups(NOON_MS)):
        ready = database.read_now(partial(series_rollup.roll_up, due))
        database.write_now(partial(series_rollup.store_rollup, ready))
    full = rule(
        "disk[*].usage_percent", 5 * 86_400, comparison="below", aggregate="forecast", window_seconds=3 * 86_400
    )
    site = Site(database, NOON_MS, full)

    async def run() -> None:
        await site.alerts.open()
        await site.send(disks(var=81.6))
        assert site.texts == []
        await site.send(disks(var=81.6))

    asyncio.run(run())
    assert site.texts == ["web1: Disk [/var] will be full in 2d, less than 5d"]


def test_events_of_before_a_restart_count(database: Database) -> None:
    event = Event(sequence=1, timestamp="", boot_ms=0, kind="container_oom", subject="db")
    database.write_now(partial(store_event, NOON_MS - 300_000, event))
    site = Site(database, NOON_MS, rule("container_oom", 1, window_seconds=600))

    async def run() -> None:
        await site.alerts.open()
        await site.send(cpu(1.0))
        assert site.texts == []
        site.alerts.event_arrived(SYSTEM, site.now_ms - 60_000, event)
        await site.send(cpu(1.0))

    asyncio.run(run())
    assert site.texts == ["web1: Container out of memory [db] 2 times in 10m, above 1"]


def test_many_systems_that_come_back_in_any_order_are_told_of_once(database: Database) -> None:
    """Half of them were busy before, in history of all kinds; while windows are filled, samples go on coming."""
    ids = [f"system{number:09}" for number in range(60)]
    busy = set(ids[::2])
    rules = [
        rule(value=80, window_seconds=600, id="mean"),
        rule("disk[*].usage_percent", 90, window_seconds=600, aggregate="min", id="disks"),
        rule("bandwidth", 1500, window_seconds=120, aggregate="max", id="carried"),
        rule("service_failed", 0, window_seconds=120, aggregate="min", id="services"),
        rule(value=80, window_seconds=3600, id="hour"),
        rule(value=101, window_seconds=600, aggregate="max", id="never"),
    ]
    samples = {system_id: a_host(system_id in busy) for system_id in ids}
    begin_ms = NOON_MS - 4_200_000
    rows = [
        NewSample(system_id, at_ms, 0, msgspec.json.encode(samples[system_id]))
        for at_ms in range(begin_ms, NOON_MS, 10_000)
        for system_id in ids
    ]
    database.write_now(lambda: insert_samples(rows))
    for window in database.read_now(lambda: series_upkeep.find_due(NOON_MS - 600_000))[::3]:
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        if sealed is not None:
            database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    site = Site(database, NOON_MS, *rules, systems=ids)
    site.alerts.on_transition = lambda one: told.append((one.kind, one.rule_id, one.system_id))
    told: list[tuple[str, str, str]] = []

    async def run() -> None:
        await site.alerts.open()
        order = Random(7)  # noqa: S311  # not for secrets
        for _ in range(6):
            order.shuffle(ids)
            for system_id in ids[:45]:
                await site.send(samples[system_id], system_id, recalls=order.random() < 0.1, elapsed_ms=100)
            async with asyncio.TaskGroup() as group:
                recalling = group.create_task(site.alerts.past.recall())
                for system_id in ids:
                    await site.send(samples[system_id], system_id, recalls=False, elapsed_ms=20)
                    await asyncio.sleep(0)
            assert recalling.done()

    asyncio.run(run())
    expected = {
        ("fired", name, system_id) for system_id in busy for name in ("mean", "disks", "carried", "services", "hour")
    }
    assert sorted(told) == sorted(expected)


def a_host(is_busy: bool) -> Metrics:
    percent = 95.0 if is_busy else 5.0
    document = {
        "cpu": {"usage_percent": percent},
        "disk": {"/": {"usage_percent": percent}},
        "network": {"sent_bytes_per_second": percent * 10, "recv_bytes_per_second": percent * 10},
        "services": {"units": {"db": {"state": "failed" if is_busy else "active"}}},
    }
    return msgspec.convert(document, Metrics)


def store_event(at_ms: int, event: Event) -> None:
    from beszel_hub.metrics.tables import Happening  # noqa: PLC0415 - for a row that only ingest makes otherwise

    Happening.insert(system_id=SYSTEM, instant=at_ms, body=msgspec.json.encode(event).decode()).execute()


def test_traffic_is_counted_from_the_day_that_the_rule_names(database: Database) -> None:
    month = msgspec.convert({"network": {"interfaces": {"eth0": {"bytes_sent": 0, "bytes_recv": 0}}}}, Metrics)
    later = msgspec.convert({"network": {"interfaces": {"eth0": {"bytes_sent": 900, "bytes_recv": 200}}}}, Metrics)
    store(database, [(NOON_MS - DAY_MS, month), (NOON_MS - 60_000, later)])
    site = Site(
        database, NOON_MS, rule("traffic_month[15]", 1000), rule("traffic_month_sent", 1000, id="rule2"),
        rule("traffic_month_received", 1000, id="rule3", comparison="below"),
    )  # fmt: skip

    async def run() -> None:
        await site.alerts.open()
        await site.alerts.past.count_traffic()
        await site.send(cpu(1.0))

    asyncio.run(run())
    assert sorted(site.texts) == [
        "web1: Traffic of the month [15] at 1.1K, above 1.0K",
        "web1: Traffic received in the month at 200B, below 1.0K",
    ]


def test_floors_tell_in_which_resolution_the_past_is_known(database: Database) -> None:
    database.write_now(partial(series_tiers.raise_floor, SYSTEM, 0, NOON_MS - 90_000))
    database.write_now(partial(series_tiers.raise_floor, SYSTEM, 60, NOON_MS - 5_000_000))
    known = database.read_now(partial(Recollections(lambda: NOON_MS).known, SYSTEM, NOON_MS - DAY_MS, NOON_MS))
    assert [(stretch.seconds, (NOON_MS - stretch.from_ms) / 1000) for stretch in known] == [
        (600, 86_400), (60, 4800), (1, 60),
    ]  # fmt: skip
    assert [(stretch.to_ms - NOON_MS) / 1000 for stretch in known] == [-4800, -60, 0]
