import pytest

from beszel_hub.live import broker as broker_module
from beszel_hub.live.broker import Broker, Client, TooManyClients
from beszel_hub.live.fleet import Board, ClientPace
from beszel_hub.live.frames import SharedFrame, Unnumbered, share
from beszel_hub.permissions import Actor
from beszel_hub.scheduler import Job, JobBoard
from beszel_protocol.feed import FeedError, Fleet, FleetRow, Jobs, Resync, ServerFrame, SystemSample, server_decoder
from beszel_protocol.sample import Metrics

UMA = Actor(user_id="uma", role="user", scope="full")
ADA = Actor(user_id="ada", role="admin", scope="full")
OTTO = Actor(user_id="otto", role="user", scope="full")


class World:
    """A broker, and who sees what."""

    def __init__(self) -> None:
        self.visible: dict[str | None, set[str]] = {"uma": {"a", "b"}, "otto": {"b"}, "ada": {"a", "b"}}
        self.jobs = JobBoard()
        self.broker = Broker(
            lambda: 5,
            visible=lambda actor: frozenset(self.visible[actor.user_id]),
            is_visible=lambda actor, system_id: system_id in self.visible[actor.user_id],
            newest=lambda _: None,
            jobs=self.jobs.reports,
        )

    def join(self, actor: Actor, *topics: str) -> Client:
        client = self.broker.add(actor)
        self.broker.subscribe(client, topics)
        return client

    def show(self, *system_ids: str, cpu_percent: float = 1.0) -> None:
        for system_id in system_ids:
            self.broker.put_row(FleetRow(id=system_id, name=system_id, status="up", cpu_percent=cpu_percent))

    def settle(self, *system_ids: str) -> None:
        """These rows are there, and were sent to whoever was there before."""
        self.show(*system_ids)
        self.broker.tick()

    def run_job(self, name: str, error: Exception | None = None) -> None:
        async def work() -> None:
            pass

        self.jobs.note(Job(name, 5.0, work), 0.25, error)

    def sample(self, system_id: str) -> None:
        self.broker.publish_sample(
            system_id, lambda: SystemSample(sequence=0, system=system_id, timestamp="", metrics=Metrics())
        )


def frames(client: Client) -> list[ServerFrame]:
    """Everything that waits for a client now."""
    return [server_decoder.decode(text) for text in iter(client.outbox.take, None)]


def rows(frame: ServerFrame) -> list[str]:
    assert isinstance(frame, Fleet)
    return [row.id for row in frame.systems]


def test_only_what_changed_is_sent_and_only_to_who_sees_it() -> None:
    world = World()
    world.settle("a", "b", "c")
    uma, otto = world.join(UMA, "fleet"), world.join(OTTO, "fleet")
    assert [rows(frame) for frame in frames(uma)] == [["a", "b"]]
    assert [rows(frame) for frame in frames(otto)] == [["b"]]
    world.broker.tick()
    world.broker.tick()
    assert frames(uma) == frames(otto) == []
    world.show("a", "c", cpu_percent=2.0)
    world.show("b")
    world.broker.tick()
    assert [rows(frame) for frame in frames(uma)] == [["a"]]
    assert frames(otto) == []


def test_a_topic_that_is_named_many_times_is_answered_once() -> None:
    """A frame has room for thousands, and each answer is the whole fleet."""
    world = World()
    world.settle("a", "b")
    world.broker.containers.put_facts("a", [])
    world.broker.containers.put_facts("b", [])
    client = world.join(UMA, *["fleet", "alerts", "containers", "containers:a", "containers:b", "system:z"] * 300)
    kinds = [type(frame).__name__ for frame in frames(client)]
    assert sorted(kinds) == ["Alerts", "Containers", "FeedError", "Fleet"]


def test_a_client_with_a_pace_gets_what_changed_meanwhile_in_one_frame() -> None:
    world = World()
    world.settle("a", "b")
    world.visible["uma"] = {"a", "b"}
    slow, quick = world.join(UMA, "fleet"), world.join(UMA, "fleet")
    frames(slow), frames(quick)
    slow.pace.set(3)
    for tick, system_id in enumerate(["a", "b", "b", "a", "a", "b"], 1):
        world.show(system_id, cpu_percent=float(10 + tick))
        world.broker.tick()
        assert [rows(frame) for frame in frames(quick)] == [[system_id]]
        assert [rows(frame) for frame in frames(slow)] == ([["a", "b"]] if tick % 3 == 0 else [])
    world.show("a", cpu_percent=50.0)
    world.broker.tick()
    slow.pace.set(1)
    world.broker.tick()
    assert [rows(frame) for frame in frames(slow)] == [["a"]]


def test_a_client_with_a_pace_gets_samples_at_once_and_what_it_lost_when_it_is_due() -> None:
    world = World()
    world.settle("a", "b")
    uma = world.join(UMA, "fleet", "system:a")
    frames(uma)
    uma.pace.set(2)
    world.show("b", cpu_percent=9.0)
    world.broker.tick()
    world.sample("a")
    assert [type(frame) for frame in frames(uma)] == [SystemSample]
    world.visible["uma"].discard("b")
    world.broker.tick()
    (frame,) = frames(uma)
    assert isinstance(frame, Fleet)
    assert (rows(frame), frame.removed) == ([], ["b"])


@pytest.mark.parametrize(("asked", "ticks"), [(-(2**62), 1), (0, 1), (1, 1), (60, 60), (61, 60), (2**62, 60)])
def test_a_pace_has_bounds(asked: int, ticks: int) -> None:
    pace = ClientPace()
    pace.set(asked)
    assert [pace.is_due(frozenset()) for _ in range(ticks)] == [False] * (ticks - 1) + [True]


def test_gained_and_lost_systems_show_at_the_next_tick() -> None:
    world = World()
    world.settle("a", "b", "c")
    uma = world.join(UMA, "fleet")
    frames(uma)
    world.visible["uma"] = {"b", "c"}
    world.broker.tick()
    (frame,) = frames(uma)
    assert rows(frame) == ["c"]
    assert isinstance(frame, Fleet)
    assert frame.removed == ["a"]


def test_one_frame_serves_everybody_who_sees_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.settle("a", "b")
    clients = [world.join(UMA, "fleet") for _ in range(50)]
    encoded: list[str] = []

    def counting(frame: Unnumbered, topic: str) -> SharedFrame:
        encoded.append(topic)
        return share(frame, topic)

    monkeypatch.setattr("beszel_hub.live.fleet.share", counting)
    world.show("a", cpu_percent=3.0)
    world.broker.tick()
    assert len(encoded) == 1
    assert all(rows(frames(client)[-1]) == ["a"] for client in clients)


def test_a_client_that_fell_behind_gets_everything_after_the_resync() -> None:
    world = World()
    world.show("a", "b")
    uma = world.join(UMA, "fleet")
    for tick in range(100):
        world.show("a", cpu_percent=float(tick))
        world.broker.tick()
    world.broker.tick()
    first, second, *_ = frames(uma)
    assert isinstance(first, Resync)
    assert first.topics == ["fleet"]
    assert rows(second) == ["a", "b"]


def test_samples_reach_watchers_who_still_see_the_system() -> None:
    world = World()
    watched: list[frozenset[str]] = []
    world.broker.on_watched.append(watched.append)
    uma, otto = world.join(UMA, "system:a"), world.join(OTTO, "system:a", "system:b")
    frames(otto)
    world.sample("a")
    assert [type(frame).__name__ for frame in frames(uma)] == ["SystemSample"]
    assert frames(otto) == []
    world.visible["uma"] = set()
    world.sample("a")
    assert [type(frame).__name__ for frame in frames(uma)] == ["FeedError"]
    world.sample("a")
    assert frames(uma) == []
    assert watched[-1] == frozenset(("b",))
    world.broker.remove(otto)
    assert watched[-1] == frozenset()


@pytest.mark.parametrize("limit", ["MAX_CLIENTS", "MAX_CLIENTS_OF_USER"])
def test_there_is_room_for_so_many_clients(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(broker_module, limit, 2)
    world = World()
    first = world.join(UMA)
    world.join(UMA)
    with pytest.raises(TooManyClients):
        world.join(UMA)
    world.broker.remove(first)
    world.join(UMA)


def test_a_board_notes_no_row_that_stays_as_it_is() -> None:
    board = Board()
    row = FleetRow(id="a", name="a", status="up")
    board.put(row)
    assert board.take_changed() == {"a"}
    board.put(FleetRow(id="a", name="a", status="up"))
    assert board.take_changed() == frozenset()
    board.remove("a")
    assert board.get("a") is None


def told_jobs(client: Client) -> list[list[tuple[str, int, int, str]]]:
    found = frames(client)
    return [
        [(job.name, job.runs, job.failures_in_row, job.last_error) for job in frame.jobs]
        for frame in found
        if isinstance(frame, Jobs)
    ]


def test_an_administrator_hears_of_all_jobs_and_then_of_those_that_ran() -> None:
    world = World()
    world.run_job("seal")
    world.run_job("retention")
    ada = world.join(ADA, "jobs")
    assert told_jobs(ada) == [[("retention", 1, 0, ""), ("seal", 1, 0, "")]]
    world.broker.tick()
    assert told_jobs(ada) == []
    world.run_job("seal", OSError())
    world.broker.tick()
    assert told_jobs(ada) == [[("seal", 2, 1, "OSError")]]
    ada.pace.set(2)
    world.run_job("seal")
    world.broker.tick()
    assert told_jobs(ada) == []
    world.broker.tick()
    assert told_jobs(ada) == [[("seal", 3, 0, "")]]


def test_jobs_are_told_to_nobody_else() -> None:
    """Also not to who was an administrator when asking."""
    world = World()
    world.run_job("seal")
    for actor in (UMA, Actor(user_id="otto", role="readonly", scope="full")):
        (answer,) = frames(world.join(actor, "jobs"))
        assert isinstance(answer, FeedError)
        assert answer.code == "not_found"
    ada = world.join(ADA, "jobs")
    frames(ada)
    ada.actor = Actor(user_id="ada", role="user", scope="full")
    world.run_job("seal")
    world.broker.tick()
    (answer,) = frames(ada)
    assert isinstance(answer, FeedError)
    assert answer.code == "not_found"
    world.broker.tick()
    assert frames(ada) == []


def test_who_missed_jobs_hears_of_all_of_them_again() -> None:
    world = World()
    world.run_job("seal")
    ada = world.join(ADA, "jobs")
    while ada.jobs.reports is not None:  # until there is no room
        world.run_job("fleet")
        world.broker.tick()
    world.broker.tick()
    missed, *_, anew = frames(ada)
    assert isinstance(missed, Resync)
    assert missed.topics == ["jobs"]
    assert isinstance(anew, Jobs)
    assert {job.name for job in anew.jobs} == {"fleet", "seal"}


def test_who_does_not_ask_for_jobs_hears_nothing_of_them() -> None:
    world = World()
    ada = world.join(ADA, "fleet")
    frames(ada)
    world.run_job("seal")
    world.broker.tick()
    assert frames(ada) == []
