"""The `events` collection: what agents told of between samples, such as a container that died; to list only.

Stored as the messages that they were; a `gap` is an event of that kind.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.projection import row_id
from beszel_hub.metrics.series_happenings import newest_happening, read_happenings, read_happenings_after
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import CREATED, UPDATED, Collection, Field, Kind, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.messages import Event, Gap

NAME: Final = "events"
COLLECTION_ID: Final = "pbc_2409499253"
MAX_ROWS: Final = 10_000
DEFAULT_SPAN_MS: Final = 7 * 86_400_000
_TIME_FIELDS: Final = ("time", "created", "updated")

_decoder: Final = msgspec.json.Decoder(Event | Gap)


def make_events_collection(database: Database, directory: Directory, clock: Clock) -> Collection:
    source = EventsSource(database, directory, clock)
    return Collection(
        name=NAME,
        id=COLLECTION_ID,
        fields=(
            Field(name="id", max_length=15),
            Field(name="system", kind=Kind.RELATION, target="systems"),
            Field(name="kind"),
            Field(name="subject"),
            Field(name="text"),
            Field(name="attributes", kind=Kind.JSON),
            Field(name="time", kind=Kind.DATE),
            CREATED,
            UPDATED,
        ),
        source=ProjectedSource(rows=source.rows),
    )


class EventsSource:
    def __init__(self, database: Database, directory: Directory, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock

    async def rows(self, actor: Actor, bounds: Bounds) -> list[Row]:
        """Newest first; the last seven days unless the filter says since when."""
        systems = sorted(bounds.texts("system", self._directory.visible_ids(actor)))
        from_ms, to_ms = _time_range(bounds, self._clock())
        if not systems or from_ms >= to_ms:
            return []
        found = await self._database.read(lambda: list(_read(systems, from_ms, to_ms)))
        if len(found) > MAX_ROWS:
            raise BadRequest(f"This would read more than {MAX_ROWS:,} events; filter by a narrower range of `time`.")
        return found


def _time_range(bounds: Bounds, now_ms: int) -> tuple[int, int]:
    """`from <= instant < to`."""
    low, high = bounds.lowest(_TIME_FIELDS), bounds.highest(_TIME_FIELDS)
    to_ms = now_ms + DEFAULT_SPAN_MS if high is None else int(high) + 1
    return (min(to_ms, now_ms) - DEFAULT_SPAN_MS if low is None else int(low)), to_ms


def _read(systems: Sequence[str], from_ms: int, to_ms: int) -> Iterator[Row]:
    """One more than may be, to tell that there are too many."""
    return _to_rows(read_happenings(systems, from_ms, to_ms, limit=MAX_ROWS + 1))


def read_new(after: int, *, limit: int) -> tuple[int, list[Row]]:
    """Rows of what was stored after the event of that number, and up to which they go; inside `Database.read`.

    With a limit of 0 they go up to the newest without any. Numbers begin anew once all events are deleted.
    """
    happenings = read_happenings_after(after, limit=limit) if limit else []
    if happenings:
        return happenings[-1][0], list(_to_rows(happenings))
    newest = newest_happening()
    return (min(after, newest) if limit else newest), []


def _to_rows(happenings: Iterable[tuple[int, str, int, str]]) -> Iterator[Row]:
    for number, system_id, instant_ms, body in happenings:
        try:
            message = _decoder.decode(body)
        except msgspec.DecodeError:
            continue
        told = _of_gap(message) if isinstance(message, Gap) else _of_event(message)
        identity = row_id(system_id, f"event {number}", instant_ms)
        instants = {"time": instant_ms, "created": instant_ms, "updated": instant_ms}
        yield {"id": identity, "system": system_id, **told, **instants}


def read_events(system_ids: Sequence[str], from_ms: int, to_ms: int) -> Iterator[tuple[str, int, Event]]:
    """System, instant and event, newest first, up to `MAX_ROWS`; runs inside `Database.read`."""
    for _, system_id, instant_ms, body in read_happenings(system_ids, from_ms, to_ms, limit=MAX_ROWS):
        with suppress(msgspec.DecodeError):
            message = _decoder.decode(body)
            if isinstance(message, Event):
                yield system_id, instant_ms, message


def _of_event(event: Event) -> dict[str, Any]:
    return {"kind": event.kind, "subject": event.subject, "text": event.text, "attributes": event.attributes}


def _of_gap(gap: Gap) -> dict[str, Any]:
    return {"kind": "gap", "subject": gap.reason, "text": "", "attributes": {"from": gap.from_, "to": gap.to}}
