"""Passes what happens on to the clients that asked for it and may see it, at the moment it is sent.

Permission is decided for every frame: a client that loses sight of a system gets nothing more of it, and the fleet
topic tells it so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from beszel_hub.actions import Action
from beszel_hub.clock import Clock
from beszel_hub.live.alerts import AlertBoard, KnownAlerts
from beszel_hub.live.containers import ContainerTopics, Known, is_container_topic
from beszel_hub.live.fleet import Audience, Board, ClientPace, FrameMaker
from beszel_hub.live.frames import SharedFrame, share
from beszel_hub.live.jobs import KnownJobs, jobs_frame, may_see_jobs
from beszel_hub.live.outbox import Outbox
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.scheduler import JobReport
from beszel_protocol.feed import (
    ALERTS_TOPIC,
    CONTAINERS_TOPIC,
    CONTAINERS_TOPIC_PREFIX,
    FLEET_TOPIC,
    JOBS_TOPIC,
    MAX_TOPICS,
    SYSTEM_TOPIC_PREFIX,
    FeedError,
    FleetRow,
    SystemSample,
)

MAX_CLIENTS: Final = 1000
MAX_CLIENTS_OF_USER: Final = 100


class TooManyClients(Exception):
    code = "too_many_clients"


class Client:
    """One subscriber; whoever makes it sends what its outbox gives."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.outbox = Outbox()
        self.topics: set[str] = set()
        self.pace = ClientPace()
        self.known: frozenset[str] | None = None
        """The systems it was sent a fleet row of; None before the first fleet frame."""
        self.containers = Known()
        self.alerts = KnownAlerts()
        self.jobs = KnownJobs()

    def tell_error(self, code: str, message: str) -> None:
        self.outbox.put(share(FeedError(sequence=0, code=code, message=message), ""))


class Broker:
    """`visible` gives the systems that an actor sees, `newest` the last sample of a system, unnumbered.

    `jobs` gives how the hub's own jobs are.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        visible: Callable[[Actor], frozenset[str]],
        is_visible: Callable[[Actor, str], bool],
        newest: Callable[[str], SystemSample | None],
        jobs: Callable[[], Sequence[JobReport]],
    ) -> None:
        self.board = Board()
        self.containers = ContainerTopics()
        self.alerts = AlertBoard()
        self.on_watched: list[Callable[[frozenset[str]], None]] = []
        """Told the systems that somebody looks at, whenever those change."""
        self._clock = clock
        self._visible = visible
        self._is_visible = is_visible
        self._newest = newest
        self._jobs = jobs
        self._clients: set[Client] = set()
        self._watchers: defaultdict[str, set[Client]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, actor: Actor) -> Client:
        """Raise `TooManyClients` if there is no room."""
        of_user = sum(client.actor.user_id == actor.user_id for client in self._clients)
        if len(self._clients) >= MAX_CLIENTS or of_user >= MAX_CLIENTS_OF_USER:
            raise TooManyClients
        client = Client(actor)
        self._clients.add(client)
        return client

    def remove(self, client: Client) -> None:
        self._clients.discard(client)
        self.unsubscribe(client, list(client.topics))

    def subscribe(self, client: Client, topics: Iterable[str]) -> None:
        """A topic that is unknown, or not the client's to see, gets an `error` frame that does not tell which."""
        has_container_topics = False
        for topic in dict.fromkeys(topics):  # whoever names one a thousand times is answered once
            if len(client.topics) >= MAX_TOPICS and topic not in client.topics:
                client.tell_error("too_many_topics", f"A client has at most {MAX_TOPICS} topics.")
            elif topic == FLEET_TOPIC:
                client.topics.add(topic)
                client.known = None
                self._send_fleet(
                    client, FrameMaker(self.board, frozenset(), self._clock()), self._visible(client.actor)
                )
            elif topic == ALERTS_TOPIC:
                client.topics.add(topic)
                client.alerts = KnownAlerts()
                self._send_alerts(client, self._visible(client.actor))
            elif topic == JOBS_TOPIC and may_see_jobs(client.actor):
                client.topics.add(topic)
                client.jobs = KnownJobs()
                self._send_jobs(client)
            elif is_container_topic(topic) and self._may_follow(client, topic):
                client.topics.add(topic)
                has_container_topics = True
            elif self._may_watch(client, topic):
                client.topics.add(topic)
                self._watchers[topic.removeprefix(SYSTEM_TOPIC_PREFIX)].add(client)
                self._send_newest(client, topic)
            else:
                client.tell_error("not_found", f"There is no topic {topic[:80]!r} for you.")
        if has_container_topics:
            client.containers = Known()
            self._send_containers(client, self._visible(client.actor))
        self._tell_watched()

    def unsubscribe(self, client: Client, topics: Iterable[str]) -> None:
        for topic in topics:
            client.topics.discard(topic)
            self._stop_watching(client, topic.removeprefix(SYSTEM_TOPIC_PREFIX))
        self._tell_watched()

    def publish_sample(self, system_id: str, make: Callable[[], SystemSample]) -> None:
        """Send a sample, whose sequence is 0, to those who watch its system and see it; made if there is anybody."""
        watchers = self._watchers.get(system_id)
        if not watchers:
            return
        frame = share(make(), SYSTEM_TOPIC_PREFIX + system_id)
        for client in list(watchers):
            if self._sees(client.actor, system_id):
                self._put(client, frame)
            else:
                self._revoke_topic(client, system_id)

    def put_row(self, row: FleetRow) -> None:
        self.board.put(row)

    def remove_system(self, system_id: str) -> None:
        self.board.remove(system_id)
        self.containers.remove(system_id)
        for client in list(self._watchers.get(system_id, ())):
            self._revoke_topic(client, system_id)

    def tick(self) -> None:
        """Send what changed to those who are due; called once a second."""
        changed = self.board.take_changed()
        maker = FrameMaker(self.board, changed, self._clock())
        visible_to: dict[Actor, frozenset[str]] = {}
        for client in self._clients:
            if not client.topics:
                continue
            visible = visible_to.get(client.actor)
            if visible is None:
                visible = visible_to[client.actor] = self._visible(client.actor)
            if client.pace.is_due(changed):
                if FLEET_TOPIC in client.topics:
                    self._send_fleet(client, maker, visible)
                self._send_containers(client, visible)
                if JOBS_TOPIC in client.topics:
                    self._send_jobs(client)
            if ALERTS_TOPIC in client.topics:
                self._send_alerts(client, visible)

    @property
    def clients(self) -> list[Client]:
        return list(self._clients)

    def _send_fleet(self, client: Client, maker: FrameMaker, visible: frozenset[str]) -> None:
        frame = maker.frame_for(Audience(visible, client.known, client.pace.take_missed()))
        client.known = visible
        if frame is not None:
            self._put(client, frame)

    def _send_containers(self, client: Client, visible: frozenset[str]) -> None:
        topics = [topic for topic in client.topics if is_container_topic(topic)]
        if topics:
            frame = self.containers.frame_for(visible, topics, client.containers, self._clock())
            if frame is not None:
                self._put(client, frame)

    def _send_alerts(self, client: Client, visible: frozenset[str]) -> None:
        frame = self.alerts.frame_for(client.actor, visible, client.alerts, self._clock())
        if frame is not None:
            self._put(client, frame)

    def _send_jobs(self, client: Client) -> None:
        if not may_see_jobs(client.actor):
            client.topics.discard(JOBS_TOPIC)
            client.tell_error("not_found", f"There is no topic {JOBS_TOPIC!r} for you any more.")
            return
        frame = jobs_frame(self._jobs(), client.jobs, self._clock())
        if frame is not None:
            self._put(client, frame)

    def _put(self, client: Client, frame: SharedFrame) -> None:
        if not client.outbox.put(frame):
            client.known = None
            client.containers = Known()
            client.alerts = KnownAlerts()
            client.jobs = KnownJobs()

    def _may_follow(self, client: Client, topic: str) -> bool:
        """Of all systems everybody sees their own; of one, who sees it."""
        return topic == CONTAINERS_TOPIC or self._sees(client.actor, topic.removeprefix(CONTAINERS_TOPIC_PREFIX))

    def _may_watch(self, client: Client, topic: str) -> bool:
        prefix, colon, system_id = topic.partition(":")
        return f"{prefix}{colon}" == SYSTEM_TOPIC_PREFIX and self._sees(client.actor, system_id)

    def _sees(self, actor: Actor, system_id: str) -> bool:
        is_member = self._is_visible(actor, system_id)
        return decide(actor, Action.FEED, member=is_member) is Decision.ALLOW

    def _send_newest(self, client: Client, topic: str) -> None:
        sample = self._newest(topic.removeprefix(SYSTEM_TOPIC_PREFIX))
        if sample is not None:
            self._put(client, share(sample, topic))

    def _revoke_topic(self, client: Client, system_id: str) -> None:
        client.topics.discard(SYSTEM_TOPIC_PREFIX + system_id)
        client.tell_error("not_found", f"There is no topic {SYSTEM_TOPIC_PREFIX + system_id!r} for you any more.")
        self._stop_watching(client, system_id)
        self._tell_watched()

    def _stop_watching(self, client: Client, system_id: str) -> None:
        watchers = self._watchers.get(system_id)
        if watchers is not None:
            watchers.discard(client)
            if not watchers:
                del self._watchers[system_id]

    def _tell_watched(self) -> None:
        watched = frozenset(self._watchers)
        for listener in self.on_watched:
            listener(watched)
