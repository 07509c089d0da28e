"""Tells listeners of records that have changed: what happens within a moment is one event, read once for each sight."""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from beszel_hub.actions import Verb
from beszel_hub.errors import HubError, Unavailable
from beszel_hub.live.sse import encode_data
from beszel_hub.live.streams import Stream
from beszel_hub.records.registry import Change, Collection, Row, Sight
from beszel_hub.records.service import Records

GATHER_SECONDS: Final = 0.05
"""What happens to one record within this time is one event."""
RETRY_SECONDS: Final = 1.0
MAX_PENDING: Final = 10_000
"""Records that have changed and are not told yet; with more, who listens must ask anew."""

_log = logging.getLogger(__name__)


class Listener(NamedTuple):
    """A stream that wants to hear of a record."""

    stream: Stream
    text: str
    """What its events are called."""
    sight: Sight


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A record that has changed."""

    collection: Collection
    id: str
    verb: Verb
    before: Row | None = None
    """On delete: what it was,"""
    seen_by: frozenset[Sight] = frozenset()
    """and who saw it."""


class NewsDesk:
    """`listeners` gives those who want to hear of a record and may read its collection, `has_listeners` whether to ask.

    `overwhelmed` is called when more happens than can be told.
    """

    def __init__(
        self,
        records: Records,
        *,
        listeners: Callable[[Collection, str], list[Listener]],
        has_listeners: Callable[[Collection, str], bool],
        overwhelmed: Callable[[], None],
    ) -> None:
        self._records = records
        self._listeners = listeners
        self._has_listeners = has_listeners
        self._overwhelmed = overwhelmed
        self._pending: OrderedDict[tuple[str, str], News] = OrderedDict()
        self._has_news = asyncio.Event()

    def record_changed(self, collection: Collection, change: Change) -> None:
        """A request has changed a record."""
        self._note(
            News(collection=collection, id=change.id, verb=change.verb, before=change.before, seen_by=change.seen_by)
        )

    def note(self, name: str, record_id: str, verb: Verb) -> None:
        """The hub itself has made or changed a record."""
        self._note(News(collection=self._records.collection(name), id=record_id, verb=verb))

    async def run(self) -> None:
        """Tell who listens, until cancelled."""
        while True:
            await self._has_news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._has_news.clear()
            pending, self._pending = self._pending, OrderedDict()
            by_collection: defaultdict[str, list[News]] = defaultdict(list)
            for news in pending.values():
                by_collection[news.collection.name].append(news)
            for batch in by_collection.values():
                await self._tell(batch[0].collection, batch)

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
            self._overwhelmed()

    async def _tell(self, collection: Collection, batch: Sequence[News]) -> None:
        """Everything of one collection."""
        wanted: defaultdict[Sight, set[str]] = defaultdict(set)
        listeners = {news.id: self._listeners(collection, news.id) for news in batch}
        for news in batch:
            for listener in listeners[news.id]:
                if news.verb is not Verb.DELETE:
                    wanted[listener.sight].add(news.id)
        try:
            seen = {sight: await self._records.see(collection, ids, sight) for sight, ids in wanted.items()}
            gone = [await self._last_view(collection, news) for news in batch if news.verb is Verb.DELETE]
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            for news in batch:
                self._note(news)
            return
        except HubError as error:
            _log.warning("nobody could be told of changes in %s: %s", collection.name, error)
            return
        for sight, record_id, row in (entry for entries in gone for entry in entries):
            seen.setdefault(sight, {})[record_id] = row
        _send(batch, listeners, seen)

    async def _last_view(self, collection: Collection, news: News) -> Iterable[tuple[Sight, str, Row]]:
        if news.before is None:
            return []
        before = news.before
        return [(sight, news.id, await self._records.show(collection, sight, before)) for sight in news.seen_by]


def _send(batch: Iterable[News], listeners: dict[str, list[Listener]], seen: dict[Sight, dict[str, Row]]) -> None:
    for news in batch:
        encoded: dict[Sight, bytes] = {}
        for stream, text, sight in listeners[news.id]:
            row = seen.get(sight, {}).get(news.id)
            if row is None:
                continue
            if sight not in encoded:
                encoded[sight] = encode_data({"action": news.verb.value, "record": row})
            stream.send_encoded(text, encoded[sight])
