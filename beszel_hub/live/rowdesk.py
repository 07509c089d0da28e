"""Tells listeners of rows that no query finds at that moment: made from something else, or gone already.

Who notes them gives the rows. Who hears of each is decided when it is sent, as for every other record.
"""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from beszel_hub.actions import Verb
from beszel_hub.errors import HubError, Unavailable
from beszel_hub.live.news import GATHER_SECONDS, MAX_PENDING, RETRY_SECONDS, Listener
from beszel_hub.live.sse import encode_data
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Collection, Row, Sight
from beszel_hub.records.service import Records

CHUNK_ROWS: Final = 100
"""Sent at once; then streams have a moment to take them."""

Sees: TypeAlias = Callable[[Actor], bool]
_Key: TypeAlias = tuple[str, str, str]
"""Collection, system and id."""

_log = logging.getLogger(__name__)


class RowNews(msgspec.Struct, frozen=True, kw_only=True):
    collection: Collection
    verb: Verb
    row: Row
    sees: Sees | None
    """Whether somebody may see it; None for who sees the row's `system`."""

    @property
    def key(self) -> _Key:
        """Ids of containers are an engine's: two systems may have the same."""
        return self.collection.name, self.row.get("system", ""), self.row["id"]


class RowDesk:
    """`listeners`, `has_listeners` and `overwhelmed` as of `NewsDesk`; `is_visible` tells who sees a system."""

    def __init__(
        self,
        records: Records,
        *,
        listeners: Callable[[Collection, str], list[Listener]],
        has_listeners: Callable[[Collection, str], bool],
        is_visible: Callable[[Actor, str], bool],
        overwhelmed: Callable[[], None],
    ) -> None:
        self._records = records
        self._listeners = listeners
        self._has_listeners = has_listeners
        self._is_visible = is_visible
        self._overwhelmed = overwhelmed
        self._pending: OrderedDict[_Key, RowNews] = OrderedDict()
        self._has_news = asyncio.Event()

    def wants(self, name: str, record_id: str = "*") -> bool:
        """Whether anybody listens, so that it is worth while to make rows."""
        return self._has_listeners(self._records.collection(name), record_id)

    def listening(self, name: str) -> list[Actor]:
        """Who listens to every record of a collection now."""
        return [listener.sight.actor for listener in self._listeners(self._records.collection(name), "*")]

    def note(self, name: str, verb: Verb, rows: Iterable[Row], *, sees: Sees | None = None) -> None:
        """What follows within a moment on news of the same row is one event with it."""
        collection = self._records.collection(name)
        for row in rows:
            if not self._has_listeners(collection, row["id"]):
                continue
            news = RowNews(collection=collection, verb=verb, row=row, sees=sees)
            earlier = self._pending.get(news.key)
            if earlier is not None:
                news = msgspec.structs.replace(news, verb=_together(earlier.verb, verb))
            self._pending[news.key] = news
            self._has_news.set()
        if len(self._pending) > MAX_PENDING:
            self._pending.clear()
            self._overwhelmed()

    async def run(self) -> None:
        """Tell who listens, until cancelled."""
        while True:
            await self._has_news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            chunk = [self._pending.popitem(last=False)[1] for _ in range(min(CHUNK_ROWS, len(self._pending)))]
            if not self._pending:
                self._has_news.clear()
            by_collection: defaultdict[str, list[RowNews]] = defaultdict(list)
            for news in chunk:
                by_collection[news.collection.name].append(news)
            for batch in by_collection.values():
                try:
                    await self._tell(batch[0].collection, batch)
                except Unavailable:
                    await asyncio.sleep(RETRY_SECONDS)
                    for news in batch:
                        self._pending.setdefault(news.key, news)
                    self._has_news.set()
                except HubError as error:
                    _log.warning("nobody could be told of changes in %s: %s", batch[0].collection.name, error)

    async def _tell(self, collection: Collection, batch: Sequence[RowNews]) -> None:
        """Everything of one collection, a sight after the other."""
        wanted: defaultdict[Sight, list[tuple[RowNews, list[Listener]]]] = defaultdict(list)
        for news in batch:
            by_sight: defaultdict[Sight, list[Listener]] = defaultdict(list)
            for listener in self._listeners(collection, news.row["id"]):
                by_sight[listener.sight].append(listener)
            for sight, listeners in by_sight.items():
                if self._sees(sight.actor, news):
                    wanted[sight].append((news, listeners))
        for sight, entries in wanted.items():
            shown = await self._records.sift(collection, sight, [news.row for news, _ in entries])
            for (news, listeners), record in zip(entries, shown, strict=True):
                if record is None:
                    continue
                encoded = encode_data({"action": news.verb.value, "record": record})
                for stream, text, _ in listeners:
                    stream.send_encoded(text, encoded)

    def _sees(self, actor: Actor, news: RowNews) -> bool:
        return news.sees(actor) if news.sees is not None else self._is_visible(actor, news.row["system"])


def _together(earlier: Verb, later: Verb) -> Verb:
    """What both come to for who has heard of neither."""
    if earlier is Verb.CREATE and later is Verb.UPDATE:
        return Verb.CREATE
    return Verb.UPDATE if earlier is Verb.DELETE and later is Verb.CREATE else later
