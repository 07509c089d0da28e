"""The event stream of PocketBase's clients: records that change, and the newest samples of systems.

Every event is decided for its receiver at the moment it is sent, by the same rules and queries as a request. A stream
ends with its token, and when its owner loses a right: clients then connect again and ask for what is left.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from beszel_hub.actions import Action, Verb
from beszel_hub.clock import Clock
from beszel_hub.errors import Forbidden, NotFound, TooManyRequests, invalid_field
from beszel_hub.live.news import Listener, NewsDesk
from beszel_hub.live.rowdesk import RowDesk
from beszel_hub.live.streams import RETRY_SECONDS, Identify, Stream, Streams
from beszel_hub.live.subscriptions import (
    MAX_SUBSCRIPTIONS,
    MAX_SUBSCRIPTIONS_OF_USER,
    METRICS_TOPIC,
    Subscription,
    parse_subscription,
)
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.records.registry import Collection, Registry, Sight
from beszel_hub.records.service import Records


class Realtime:
    """Lives on the event loop; the desks `news` and `rows` do the telling of records."""

    def __init__(self, records: Records, clock: Clock, *, is_visible: Callable[[Actor, str], bool]) -> None:
        self.streams = Streams(clock)
        self.news = NewsDesk(
            records, listeners=self._permitted, has_listeners=self._has_listeners, overwhelmed=self.end_all
        )
        self.rows = RowDesk(
            records, listeners=self._permitted, has_listeners=self._has_listeners, is_visible=is_visible,
            overwhelmed=self.end_all,
        )  # fmt: skip
        self.on_watched: list[Callable[[frozenset[str]], None]] = []
        """Told `watched` whenever it changes."""
        self.watched: frozenset[str] = frozenset()
        """The systems whose samples somebody wants."""
        self._records = records
        self._clock = clock
        self._is_visible = is_visible
        self._listeners: Mapping[tuple[str, str], list[Listener]] = {}
        """By topic and id: of a record (or `*`), or of the system whose samples are wanted."""

    @property
    def registry(self) -> Registry:
        return self._records.registry

    def subscribe(self, client_id: str, actor: Actor, identify: Identify, texts: Iterable[str]) -> None:
        """Replace what a client hears.

        Raises `NotFound` for an unknown client, `Forbidden` if somebody else opened the stream, `BadRequest` for
        subscriptions that cannot be, `TooManyRequests` if the user has too many on all streams together.
        """
        stream = self.streams.find(client_id)
        if stream is None:
            raise NotFound("Missing or invalid client id.")
        if not stream.is_guest and stream.actor.user_id != actor.user_id:
            raise Forbidden("The current and the previous request authorization don't match.")
        wanted = dict.fromkeys(texts)
        if len(wanted) > MAX_SUBSCRIPTIONS:  # before any is read: a megabyte of them holds everybody up
            raise invalid_field("subscriptions", "validation_length_too_long", f"At most {MAX_SUBSCRIPTIONS}.")
        beside = self.streams.subscriptions_beside(stream, actor) if actor.is_authenticated else 0
        if beside + len(wanted) > MAX_SUBSCRIPTIONS_OF_USER:  # every change is looked at for each of them
            raise TooManyRequests("Too many subscriptions at once.", retry_after_seconds=RETRY_SECONDS)
        subscriptions = tuple(self._parse(actor, text) for text in wanted)
        self.streams.identify(stream, actor, identify)
        stream.subscriptions = subscriptions
        self._index()

    def close(self, stream: Stream) -> None:
        self.streams.close(stream)
        self._index()

    def end_all(self) -> None:
        """The hub stops, or nobody can be told everything."""
        for stream in self.streams:
            stream.end()

    def end_streams_of(self, user_ids: Iterable[str]) -> None:
        """These users have lost a right."""
        lost = frozenset(user_ids)
        for stream in self.streams:
            if stream.actor.user_id in lost:
                stream.end()

    def send(self, client_id: str, topic: str, data: object) -> bool:
        """Send an event to one client that has subscribed to just this topic; whether there is such a one."""
        stream = self.streams.find(client_id)
        if stream is None or all(subscription.text != topic for subscription in stream.subscriptions):
            return False
        stream.send(topic, data)
        return True

    def publish_sample(self, system_id: str, make: Callable[[], Mapping[str, Any]]) -> None:
        """A system's newest sample in Beszel's form; made if somebody wants it."""
        if system_id not in self.watched:
            return
        document = make()
        for stream, text, _ in self._listeners.get((METRICS_TOPIC, system_id), ()):
            if self._sees_system(stream.actor, system_id):
                stream.send(text, document, key=text)

    def audience(self, collection: Collection, record_id: str) -> list[Sight]:
        """How those look at a record who would hear of its end; on any thread: what it reads is replaced as a whole."""
        return list({listener.sight for listener in self._permitted(collection, record_id)})

    def _parse(self, actor: Actor, text: str) -> Subscription:
        try:
            subscription = parse_subscription(text)
        except ValueError as error:
            raise invalid_field("subscriptions", "validation_invalid_value", str(error)) from error
        collection = self._records.registry.find(subscription.topic)
        if subscription.record_id and collection is not None:
            self._records.check_sight(collection, _sight(actor, subscription))
        return subscription

    def _permitted(self, collection: Collection, record_id: str) -> list[Listener]:
        """Those who listen to a record and may read its collection at all."""
        found = []
        for verb, wanted in ((Verb.LIST, "*"), (Verb.VIEW, record_id)):
            for name in (collection.name, collection.id):
                listeners = self._listeners.get((name, wanted), ())
                found += [listener for listener in listeners if self._may_read(listener.stream.actor, collection, verb)]
        return found

    def _has_listeners(self, collection: Collection, record_id: str) -> bool:
        names = (collection.name, collection.id)
        return any((name, wanted) in self._listeners for name in names for wanted in ("*", record_id))

    def _index(self) -> None:
        """Note again who listens to what; called whenever that changes."""
        listeners: defaultdict[tuple[str, str], list[Listener]] = defaultdict(list)
        for stream in self.streams:
            # No record is a guest's to see, so anybody's empty streams cost nothing here.
            for subscription in () if stream.is_guest else stream.subscriptions:
                listener = Listener(stream, subscription.text, _sight(stream.actor, subscription))
                if subscription.record_id:
                    listeners[subscription.topic, subscription.record_id].append(listener)
                elif subscription.system_id:
                    listeners[METRICS_TOPIC, subscription.system_id].append(listener)
        self._listeners = dict(listeners)
        self._tell_watched()

    def _may_read(self, actor: Actor, collection: Collection, verb: Verb) -> bool:
        is_current = actor.expires_ms is None or actor.expires_ms > self._clock()
        return is_current and decide(actor, Action.of(collection.name, verb)) is Decision.ALLOW

    def _sees_system(self, actor: Actor, system_id: str) -> bool:
        is_current = actor.expires_ms is None or actor.expires_ms > self._clock()
        is_member = self._is_visible(actor, system_id)
        return is_current and decide(actor, Action.REALTIME_METRICS, member=is_member) is Decision.ALLOW

    def _tell_watched(self) -> None:
        watched = frozenset(
            wanted
            for (topic, wanted), listeners in self._listeners.items()
            if topic == METRICS_TOPIC
            and any(self._sees_system(listener.stream.actor, wanted) for listener in listeners)
        )
        if watched != self.watched:
            self.watched = watched
            for tell in self.on_watched:
                tell(watched)


def _sight(actor: Actor, subscription: Subscription) -> Sight:
    """The same for all streams of a user with the same rights, so that their records are read once."""
    query = subscription.query
    anyhow = msgspec.structs.replace(actor, expires_ms=None, token_id=None)
    return Sight(anyhow, query.get("filter", ""), query.get("expand", ""), query.get("fields", ""))
