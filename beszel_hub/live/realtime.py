"""The event stream of PocketBase's clients: records that change, and the newest samples of systems.

Every event is decided for its receiver at the moment it is sent, by the same rules and queries as a request. A stream
ends with its token, and when its owner loses a right: clients then connect again and ask for what is left.
"""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.errors import Forbidden, HubError, NotFound, Unavailable, invalid_field
from beszel_hub.live.streams import Stream, Streams
from beszel_hub.live.subscriptions import MAX_SUBSCRIPTIONS, METRICS_TOPIC, Subscription, parse_subscription
from beszel_hub.permissions import Action, Actor, Decision, Verb, decide
from beszel_hub.records.registry import Change, Collection, Row, Sight
from beszel_hub.records.service import Records

GATHER_SECONDS: Final = 0.05
"""What happens to one record within this time is one event."""
RETRY_SECONDS: Final = 1.0
MAX_PENDING: Final = 10_000
"""Records that have changed and are not told yet; with more, who listens to one of them must ask anew."""

_log = logging.getLogger(__name__)


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A record that has changed."""

    collection: Collection
    id: str
    verb: Verb
    before: Row | None = None
    """On delete: what it was,"""
    seen_by: frozenset[Sight] = frozenset()
    """and who saw it."""


class Realtime:
    """Lives on the event loop; `run` does the telling."""

    def __init__(self, records: Records, clock: Clock, *, is_visible: Callable[[Actor, str], bool]) -> None:
        self.streams = Streams(clock)
        self.on_watched: list[Callable[[frozenset[str]], None]] = []
        """Told `watched` whenever it changes."""
        self._records = records
        self._clock = clock
        self._is_visible = is_visible
        self._pending: OrderedDict[tuple[str, str], News] = OrderedDict()
        self._has_news = asyncio.Event()
        self._listeners: Mapping[tuple[str, str], list[tuple[Stream, Subscription]]] = {}
        """By topic and id: of a record (or `*`), or of the system whose samples are wanted."""
        self.watched: frozenset[str] = frozenset()
        """The systems whose samples somebody wants."""

    def subscribe(self, client_id: str, actor: Actor, token: str | None, texts: Iterable[str]) -> None:
        """Replace what a client hears.

        Raises `NotFound` for an unknown client, `Forbidden` if somebody else opened the stream, `BadRequest` for
        subscriptions that cannot be.
        """
        stream = self.streams.find(client_id)
        if stream is None:
            raise NotFound("Missing or invalid client id.")
        if not stream.is_guest and stream.actor.user_id != actor.user_id:
            raise Forbidden("The current and the previous request authorization don't match.")
        subscriptions = tuple(self._parse(actor, text) for text in dict.fromkeys(texts))
        if len(subscriptions) > MAX_SUBSCRIPTIONS:
            raise invalid_field("subscriptions", "validation_length_too_long", f"At most {MAX_SUBSCRIPTIONS}.")
        self.streams.identify(stream, actor, token)
        stream.subscriptions = subscriptions
        self._index()

    def close(self, stream: Stream) -> None:
        self.streams.close(stream)
        self._index()

    def end_all(self) -> None:
        """The hub stops."""
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
        for stream, subscription in self._listeners.get((METRICS_TOPIC, system_id), ()):
            if self._sees_system(stream.actor, system_id):
                stream.send(subscription.text, document, key=subscription.text)

    def audience(self, collection: Collection, record_id: str) -> list[Sight]:
        """How those look at a record who would hear of its end."""
        return [sight for _, _, sight in self._interested(collection, record_id)]

    def record_changed(self, collection: Collection, change: Change) -> None:
        """A request has changed a record."""
        self._note(
            News(collection=collection, id=change.id, verb=change.verb, before=change.before, seen_by=change.seen_by)
        )

    def note(self, name: str, record_id: str, verb: Verb) -> None:
        """The hub itself has made or changed a record."""
        self._note(News(collection=self._records.collection(name), id=record_id, verb=verb))

    async def run(self) -> None:
        """Tell who listens what has changed, until cancelled."""
        while True:
            await self._has_news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._has_news.clear()
            pending, self._pending = self._pending, OrderedDict()
            for news in pending.values():
                await self._tell(news)

    def _parse(self, actor: Actor, text: str) -> Subscription:
        try:
            subscription = parse_subscription(text)
        except ValueError as error:
            raise invalid_field("subscriptions", "validation_invalid_value", str(error)) from error
        collection = self._records.registry.find(subscription.topic)
        if subscription.record_id and collection is not None:
            self._records.check_sight(collection, _sight(actor, subscription))
        return subscription

    def _note(self, news: News) -> None:
        if not self._has_listeners(news.collection, news.id):
            return
        key = (news.collection.name, news.id)
        earlier = self._pending.get(key)
        if earlier is not None and (earlier.verb is Verb.DELETE or news.verb is not Verb.DELETE):
            return  # what is told is what the record is then
        self._pending[key] = news
        self._has_news.set()
        if len(self._pending) > MAX_PENDING:
            self._pending.clear()
            self.end_all()

    async def _tell(self, news: News) -> None:
        interested = self._interested(news.collection, news.id)
        try:
            shown = await self._show(news, {sight for _, _, sight in interested})
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            self._note(news)
            return
        except HubError as error:
            _log.warning("nobody could be told of %s %s: %s", news.collection.name, news.id, error)
            return
        for stream, subscription, sight in interested:
            if sight in shown and _sight(stream.actor, subscription) == sight:
                stream.send(subscription.text, {"action": news.verb.value, "record": shown[sight]})

    async def _show(self, news: News, sights: set[Sight]) -> dict[Sight, Row]:
        if news.verb is not Verb.DELETE:
            return await self._records.see(news.collection, news.id, list(sights))
        if news.before is None:
            return {}
        before = news.before
        return {sight: await self._records.show(news.collection, sight, before) for sight in sights & news.seen_by}

    def _interested(self, collection: Collection, record_id: str) -> list[tuple[Stream, Subscription, Sight]]:
        """Subscriptions that a record fits and whose owner may read the collection at all."""
        found = []
        for verb, wanted in ((Verb.LIST, "*"), (Verb.VIEW, record_id)):
            for name in {collection.name, collection.id}:
                for stream, subscription in self._listeners.get((name, wanted), ()):
                    if self._may_read(stream.actor, collection, verb):
                        found.append((stream, subscription, _sight(stream.actor, subscription)))
        return found

    def _has_listeners(self, collection: Collection, record_id: str) -> bool:
        names = (collection.name, collection.id)
        return any((name, wanted) in self._listeners for name in names for wanted in ("*", record_id))

    def _index(self) -> None:
        """Note again who listens to what; called whenever that changes."""
        listeners: defaultdict[tuple[str, str], list[tuple[Stream, Subscription]]] = defaultdict(list)
        for stream in self.streams:
            for subscription in stream.subscriptions:
                if subscription.record_id:
                    listeners[subscription.topic, subscription.record_id].append((stream, subscription))
                elif subscription.system_id:
                    listeners[METRICS_TOPIC, subscription.system_id].append((stream, subscription))
        self._listeners = dict(listeners)
        self._tell_watched()

    def _may_read(self, actor: Actor, collection: Collection, verb: Verb) -> bool:
        if actor.expires_ms is not None and actor.expires_ms <= self._clock():
            return False
        return decide(actor, Action.of(collection.name, verb)) is Decision.ALLOW

    def _sees_system(self, actor: Actor, system_id: str) -> bool:
        if actor.expires_ms is not None and actor.expires_ms <= self._clock():
            return False
        is_member = self._is_visible(actor, system_id)
        return decide(actor, Action.REALTIME_METRICS, member=is_member) is Decision.ALLOW

    def _tell_watched(self) -> None:
        watched = frozenset(
            wanted
            for (topic, wanted), listeners in self._listeners.items()
            if topic == METRICS_TOPIC and any(self._sees_system(stream.actor, wanted) for stream, _ in listeners)
        )
        if watched != self.watched:
            self.watched = watched
            for listener in self.on_watched:
                listener(watched)


def _sight(actor: Actor, subscription: Subscription) -> Sight:
    """The same for all streams of a user with the same rights, so that their record is read once."""
    query = subscription.query
    anyhow = msgspec.structs.replace(actor, expires_ms=None, token_id=None, session_id=None)
    return Sight(anyhow, query.get("filter", ""), query.get("expand", ""), query.get("fields", ""))
