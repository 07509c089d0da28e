"""Several hubs as one."""

import asyncio

import pytest

from beszel_protocol.feed import CONTAINERS_TOPIC, Fleet, SystemSample
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.client.several import SeveralHubs
from beszel_tui.errors import HubRefused
from beszel_tui.state.events import FeedEvent, HubChanged, Received
from beszel_tui.state.hubs import hub_names, hub_of
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.selectors import Thresholds, fleet_line
from beszel_tui.state.series import Columns
from tests.support.scriptedsource import NOW_MS, ManualClock, ScriptedSource, make_row

LATE_MS = 90_000


async def heard(several: SeveralHubs, count: int) -> list[FeedEvent]:
    async with asyncio.timeout(10):
        return [await several.events.get() for _ in range(count)]


def test_rows_of_every_hub_stand_side_by_side_and_one_that_goes_leaves_the_others() -> None:
    async def main() -> None:
        home, work = ScriptedSource(), ScriptedSource()
        several = SeveralHubs({"home": home, "work": work})
        running = asyncio.create_task(several.run())
        for hub in (home, work):
            hub.connect()
            hub.tell(make_row("web"))
        state = reduce(State(), await heard(several, 4))
        web = make_row("web").id
        assert set(state.systems) == {f"home/{web}", f"work/{web}"}
        assert state.is_live
        work.lose()
        state = reduce(state, await heard(several, 1))
        assert state.is_live
        assert not fleet_line(state, state.systems[f"home/{web}"], 0, Thresholds()).aged
        assert fleet_line(state, state.systems[f"work/{web}"], 0, Thresholds()).aged
        home.lose()
        state = reduce(state, await heard(several, 1))
        assert state.connection.phase == "offline"
        work.connect()
        work.tell(make_row("db"))
        state = reduce(state, await heard(several, 2))
        assert set(state.systems) == {f"home/{web}", f"work/{make_row('db').id}"}, "web went while work was away"
        running.cancel()

    asyncio.run(main())


def test_a_hub_whose_clock_is_ahead_is_told_by_ours() -> None:
    async def main() -> None:
        clock = ManualClock()
        ahead = ScriptedSource(clock)
        several = SeveralHubs({"ahead": ahead})
        running = asyncio.create_task(several.run())
        row = make_row("web", at_ms=NOW_MS + LATE_MS)
        frame = Fleet(sequence=1, hub_ms=NOW_MS + LATE_MS, systems=[row])
        ahead.events.put_nowait(Received(at_ms=NOW_MS, frame=frame))
        sample = SystemSample(
            sequence=2, system=row.id, timestamp=format_timestamp(NOW_MS + LATE_MS), metrics=Metrics()
        )
        ahead.events.put_nowait(Received(at_ms=NOW_MS, frame=sample))
        fleet, told = await heard(several, 2)
        assert isinstance(fleet, Received)
        assert isinstance(fleet.frame, Fleet)
        assert fleet.frame.hub_ms == NOW_MS
        assert fleet.frame.systems[0].updated_ms == NOW_MS
        assert isinstance(told, Received)
        assert isinstance(told.frame, SystemSample)
        assert told.frame.timestamp == format_timestamp(NOW_MS)
        ahead.history = Columns(resolution_ms=1000, timestamps_ms=(NOW_MS + LATE_MS,), lanes={})
        columns = await several.columns(f"ahead/{row.id}", ["cpu"], NOW_MS - 1000, NOW_MS, 10)
        assert ahead.asked == [(row.id, ("cpu",), NOW_MS + LATE_MS - 1000, NOW_MS + LATE_MS, 10)]
        assert columns.timestamps_ms == (NOW_MS,)
        running.cancel()

    asyncio.run(main())


def test_requests_go_to_the_hub_of_the_system() -> None:
    async def main() -> None:
        home, work = ScriptedSource(), ScriptedSource()
        several = SeveralHubs({"home": home, "work": work})
        await several.set_paused("work/abc", paused=True)
        await several.set_tags("home/def", ["x"])
        several.watch("work/abc")
        several.watch_containers("containers:home/def")
        assert (home.paused, work.paused) == ([], [("abc", True)])
        assert home.tagged == [("def", ("x",))]
        assert (home.watched, work.watched) == (None, "abc")
        assert (home.container_topics, work.container_topics) == (["containers:def"], [None])
        several.watch_containers(CONTAINERS_TOPIC)
        several.watch_containers(None)
        assert home.container_topics[1:] == work.container_topics[1:] == [CONTAINERS_TOPIC, None]
        with pytest.raises(HubRefused):
            await several.delete_system("nowhere/abc")
        with pytest.raises(HubRefused, match="which hub"):
            await several.enrol("web")

    asyncio.run(main())


def test_one_hub_that_turns_us_away_is_not_all_of_them() -> None:
    source = ScriptedSource()
    source.refuse()
    refused = source.events.get_nowait()
    source.connect()
    connected = source.events.get_nowait()
    events = [HubChanged(hub="a", event=refused), HubChanged(hub="b", event=connected)]  # type: ignore[arg-type]
    state = reduce(State(), events)
    assert state.is_live
    assert state.hubs["a"].phase == "refused"


def test_names_of_hubs_lead_ids_without_doubt() -> None:
    assert hub_names(["a", "b/c", "b:c", ""]) == {"a": "a", "b/c": "b-c", "b:c": "b-c'", "": "-"}
    assert hub_of("a/b") == "a"
    assert hub_of("b") == ""
