"""What is checked when, what is told of it once, and what the owner of the host has forbidden."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from beszel_agent.checks.board import MAX_AT_WORK, CheckBoard
from beszel_agent.checks.network import Network
from beszel_agent.checks.probing import Prober
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import MAX_CHECKS, CheckDefinition
from beszel_protocol.sample import CheckMetrics, Metrics
from tests.support.scriptedserver import page, says, scripted

Work = Callable[[CheckDefinition], Awaitable[CheckMetrics]]


class Scripted(Prober):
    """Does what a test says instead of asking anybody."""

    def __init__(self, work: Work) -> None:
        super().__init__(HostPaths(), None, Network())
        self._work = work

    async def probe(self, definition: CheckDefinition) -> CheckMetrics:
        return await self._work(definition)


def define(name: str, **changes: Any) -> CheckDefinition:
    return CheckDefinition(**{"name": name, "kind": "tcp", "target": "example.org:1", **changes})


def make_board(work: Work | None = None, *, setting: str = "on") -> CheckBoard:
    make = None if work is None else lambda: Scripted(work)
    return CheckBoard(HostPaths(), Config(checks=setting), randomness=lambda: 0.0, make_prober=make)


def run(board: CheckBoard, work: Coroutine[Any, Any, None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(board.run())
            await work
            task.cancel()

    asyncio.run(main())


async def until(probe: Callable[[], bool]) -> None:
    while not probe():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.005)


async def results_of(board: CheckBoard, *names: str) -> dict[str, CheckMetrics]:
    """Samples until each of the names was told."""
    found: dict[str, CheckMetrics] = {}

    def look() -> bool:
        part = board.read(0.0)
        found.update((part.checks or {}) if part is not None else {})
        return found.keys() >= set(names)

    await until(look)
    return found


async def good(definition: CheckDefinition) -> CheckMetrics:
    return CheckMetrics(severity=0, up=1, state="up")


def test_a_result_stands_in_one_sample() -> None:
    board = make_board(good)

    async def work() -> None:
        board.replace([define("a"), define("b")])
        assert board.due_at == float("inf")  # samples do not even ask
        await until(lambda: board.report().readings == 2)
        assert board.due_at < 0
        assert set(await results_of(board, "a", "b")) == {"a", "b"}
        assert board.due_at == float("inf")
        assert board.read(0.0) is None
        report = board.report()
        assert (report.state, report.readings, report.failures, report.reason) == ("running", 2, 0, None)

    run(board, work())


def test_a_real_check_with_the_real_prober() -> None:
    board = make_board()

    async def work() -> None:
        async with scripted(says(page())) as server:
            board.replace([define("web", kind="http", target=server.url(), allow_private=True)])
            results = await results_of(board, "web")
            assert (results["web"].up, results["web"].status_code) == (1, 200)

    run(board, work())


def test_each_has_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beszel_protocol.checks.MIN_CHECK_INTERVAL_SECONDS", 0.01)
    counts = {"fast": 0, "slow": 0}

    async def count(definition: CheckDefinition) -> CheckMetrics:
        counts[definition.name] += 1
        return CheckMetrics(up=1)

    board = make_board(count)

    async def work() -> None:
        board.replace([define("fast", interval_seconds=0.05), define("slow", interval_seconds=5.0)])
        await until(lambda: counts["fast"] >= 5)
        assert counts["slow"] == 1

    run(board, work())


def test_a_new_set_takes_the_place_of_the_old_one_and_what_stays_goes_on() -> None:
    started: list[str] = []
    cancelled: list[str] = []

    async def hang(definition: CheckDefinition) -> CheckMetrics:
        started.append(f"{definition.name} {definition.target}")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(definition.name)
            raise
        return CheckMetrics(up=1)

    board = make_board(hang)

    async def work() -> None:
        board.replace([define("stays"), define("goes"), define("moves", target="a.example:1")])
        await until(lambda: len(started) == 3)
        board.replace([define("moves", target="b.example:1"), define("stays")])
        await until(lambda: len(started) == 4)
        assert sorted(cancelled) == ["goes", "moves"]
        assert started[-1] == "moves b.example:1"
        board.replace([])
        await until(lambda: len(cancelled) == 4)
        assert board.report().reason is not None
        assert board.report().state == "unavailable"

    run(board, work())


def test_results_of_what_is_no_longer_wanted_are_dropped() -> None:
    go_on = asyncio.Event()

    async def wait(definition: CheckDefinition) -> CheckMetrics:
        if definition.name == "late":
            await go_on.wait()
        return CheckMetrics(up=1, state=definition.target)

    board = make_board(wait)

    async def work() -> None:
        board.replace([define("quick"), define("late")])
        await until(lambda: board.report().readings == 1)
        go_on.set()
        board.replace([define("quick", target="b.example:1"), define("late", target="b.example:1")])
        assert board.read(0.0) is None
        results = await results_of(board, "quick", "late")
        assert {result.state for result in results.values()} == {"b.example:1"}

    run(board, work())


def test_few_are_at_work_at_once() -> None:
    at_work = most = done = 0

    async def work_on(definition: CheckDefinition) -> CheckMetrics:
        nonlocal at_work, most, done
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1
        done += 1
        return CheckMetrics(up=1)

    board = make_board(work_on)

    async def work() -> None:
        board.replace([define(f"check {number}") for number in range(MAX_CHECKS + 10)])
        await until(lambda: done == MAX_CHECKS)
        assert most == MAX_AT_WORK

    run(board, work())


def test_a_mistake_of_ours_is_a_gap_and_costs_nobody_else_anything(caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(definition: CheckDefinition) -> CheckMetrics:
        if definition.name == "bad":
            raise RuntimeError("a bug")
        return CheckMetrics(up=1)

    board = make_board(stumble)

    async def work() -> None:
        board.replace([define("bad"), define("good")])
        await until(lambda: board.report().readings == 2)
        assert await results_of(board, "good") == {"good": CheckMetrics(up=1)}
        report = board.report()
        assert (report.state, report.failures, report.reason) == ("running", 1, "bad: it failed here")

    run(board, work())
    assert "a bug" in caplog.text


def test_what_may_not_be_made_is_told_by_collectors() -> None:
    board = make_board()

    async def work() -> None:
        board.replace([define("db", target="10.0.0.1:5432")])
        results = await results_of(board, "db")
        assert results["db"].up is None
        report = board.report()
        assert (report.state, report.failures) == ("failing", 1)
        assert (report.reason or "").startswith("db: refused: it leads to a private address")

    run(board, work())


def test_definitions_of_a_hub_that_went_bad_are_not_made() -> None:
    asked: list[str] = []

    async def note(definition: CheckDefinition) -> CheckMetrics:
        asked.append(definition.name)
        return CheckMetrics(up=1)

    board = make_board(note)

    async def work() -> None:
        board.replace(
            [
                define("fast", interval_seconds=0.0),
                define("file", kind="http", target="file:///etc/shadow"),
                define("long", timeout_seconds=1e9),
                define("\x1b[2Jname"),
                define("x" * 10_000),
                define("good"),
                define("good", target="twice.example:1"),
            ]
        )
        await until(lambda: bool(asked))
        assert asked == ["good"]
        assert (board.report().reason or "").startswith("not understood: fast, file, long")

    run(board, work())


def test_the_owner_of_the_host_wins() -> None:
    async def fail(definition: CheckDefinition) -> CheckMetrics:
        raise AssertionError("it was made")

    board = make_board(fail, setting="off")

    async def work() -> None:
        board.replace([define("a")])
        await asyncio.sleep(0.1)
        assert board.read(0.0) is None
        report = board.report()
        assert (report.state, report.reason) == ("unavailable", "CHECKS is off")

    run(board, work())


def test_the_owner_of_the_host_may_keep_the_hub_to_public_addresses() -> None:
    """Whatever a hub allows itself that went bad."""
    board = make_board(setting="public")

    async def work() -> None:
        board.replace([define("db", target="127.0.0.1:1", allow_private=True)])
        results = await results_of(board, "db")
        assert (results["db"].up, (results["db"].state or "")[:8]) == (None, "refused:")

    run(board, work())


def test_samples_do_not_wait() -> None:
    async def hang(definition: CheckDefinition) -> CheckMetrics:
        await asyncio.sleep(60)
        return CheckMetrics(up=1)

    board = make_board(hang)

    async def work() -> None:
        board.replace([define("a")])
        await asyncio.sleep(0.05)
        assert board.read(0.0) is None

    run(board, work())
    assert Metrics().checks is None
