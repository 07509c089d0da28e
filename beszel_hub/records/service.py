"""The records API without HTTP: list, view, create, update, delete, for one actor."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from beszel_hub.actions import Verb
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, BatchFailed, Conflict, Forbidden, HubError, NotFound, Unavailable
from beszel_hub.permissions import Actor, Decision
from beszel_hub.records.batch import BatchRequest, BatchResult, plan_batch
from beszel_hub.records.expansion import expand
from beszel_hub.records.listing import Listing, Page, parse_listing, parse_presentation, to_page
from beszel_hub.records.paths import Resolver
from beszel_hub.records.projection import find_projected, list_projected, sift
from beszel_hub.records.registry import Change, Collection, ProjectedSource, Registry, Row, Sight, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.scribe import Scribe
from beszel_hub.records.shape import project, render
from beszel_hub.records.writes import Audience, Planner, Write, check_rule
from beszel_hub.store.database import Database

CHANGE_TIMEOUT_SECONDS: Final = 10.0

T = TypeVar("T")


class Records:
    """Serves the collections of a registry to actors."""

    def __init__(self, database: Database, registry: Registry, clock: Clock) -> None:
        self._database = database
        self.registry = registry
        self._clock = clock
        self._planner = Planner(database, registry, clock, self._audience)
        self.audiences: list[Audience] = []
        """Tell who wants to hear of a deletion; on the event loop or on the writer's thread."""
        self.witnesses: list[Callable[[Collection, Change], None]] = []
        """Called inside the transaction of each change: one that cannot be witnessed is not made."""
        self.on_changed: list[Callable[[Collection, Change], None]] = []
        """Called on the event loop after the commit, before the collection's own `on_change`."""

    async def check(self) -> None:
        """Raise `Unavailable` if the database does not answer."""
        await self._database.read(lambda: None)

    async def page(self, actor: Actor, name: str, parameters: Mapping[str, str]) -> Page:
        """One page of what the actor may see; a rule that is not met sees nothing."""
        collection = self.collection(name)
        decision = check_rule(actor, collection, Verb.LIST)
        resolver = Resolver(self.registry, collection, actor)
        listing = parse_listing(parameters, resolver, self._clock())
        if decision is not Decision.ALLOW:
            return to_page(listing, -1 if listing.skip_total else 0, [])
        if isinstance(collection.source, ProjectedSource):
            total, rows = await list_projected(self._database, self.registry, collection.source, actor, listing)
        else:
            table_rows = self._rows(collection, collection.source)
            total, rows = await self._database.read(lambda: table_rows.page(actor, listing))
        return to_page(listing, total, await self._present(actor, collection, rows, listing))

    async def view(self, actor: Actor, name: str, record_id: str, parameters: Mapping[str, str]) -> Row:
        """One record; `NotFound` for what is not there and for what the actor may not see."""
        collection = self.collection(name)
        if check_rule(actor, collection, Verb.VIEW) is not Decision.ALLOW:
            raise NotFound
        listing = self._presentation(actor, collection, parameters)
        return await self._answer(actor, collection, await self._find(actor, collection, record_id), listing)

    async def create(self, actor: Actor, name: str, body: Row, parameters: Mapping[str, str]) -> Row:
        """Insert a record; every refusal but that of a closed collection is a `BadRequest`."""
        write = await self._planner.create(actor, self.collection(name), body, parameters)
        return await self._answer_write(write, await self._commit_one(write))

    async def update(self, actor: Actor, name: str, record_id: str, body: Row, parameters: Mapping[str, str]) -> Row:
        """Write the fields that the body has."""
        write = await self._planner.update(actor, self.collection(name), record_id, body, parameters)
        return await self._answer_write(write, await self._commit_one(write))

    async def delete(self, actor: Actor, name: str, record_id: str) -> None:
        """Remove a record."""
        await self._commit_one(self._planner.delete(actor, self.collection(name), record_id))

    async def batch(self, actor: Actor, requests: Sequence[BatchRequest]) -> list[BatchResult]:
        """Do all of it in one transaction, or raise `BatchFailed` for the first that cannot be done."""
        writes = await plan_batch(self._planner, self, actor, requests)
        changes = await self._commit(writes, BatchFailed)
        return [await self._batch_result(write, change) for write, change in zip(writes, changes, strict=True)]

    async def transact(self, actor: Actor, work: Callable[[Scribe], T]) -> T:
        """Run `work` in one transaction; what it writes through the scribe is witnessed and told as requests are.

        Rights, and what the collections' own `on_change` would do, are the caller's business: once for all of it.
        """

        def run() -> tuple[T, list[tuple[Collection, Change]]]:
            scribe = Scribe(self.registry, actor, self._clock, self._audience, self._witnessed)
            return work(scribe), scribe.changes

        result, changes = await self._database.write(run)
        self._announce(changes)
        return result

    async def render_one(self, actor: Actor, name: str, record_id: str, parameters: Mapping[str, str]) -> Row:
        """A record that the caller has checked the actor's right to; `NotFound` if it is gone."""
        collection = self.collection(name)
        if not isinstance(collection.source, TableSource):
            raise NotFound
        rows, listing = self._rows(collection, collection.source), self._presentation(actor, collection, parameters)
        return await self._answer(actor, collection, await self._database.read(lambda: rows.read(record_id)), listing)

    def collection(self, name: str) -> Collection:
        """By name or id; raise `NotFound` if there is none."""
        collection = self.registry.find(name)
        if collection is None:
            raise NotFound("There is no such collection.")
        return collection

    async def exists(self, collection: Collection, record_id: str) -> bool:
        """Whoever asks."""
        if not isinstance(collection.source, TableSource):
            return False
        rows = self._rows(collection, collection.source)
        return not await self._database.read(lambda: rows.missing([record_id]))

    async def see(self, collection: Collection, ids: Iterable[str], sight: Sight) -> dict[str, Row]:
        """Those of the records that this one sees now, by id, as they want them."""
        if not isinstance(collection.source, TableSource):
            return {}
        parameters = {"filter": sight.filter, "expand": sight.expand, "fields": sight.fields}
        listing = parse_listing(parameters, Resolver(self.registry, collection, sight.actor), self._clock())
        rows = self._rows(collection, collection.source)
        found = await self._database.read(lambda: rows.find_many(sight.actor, ids, listing.where))
        shown = await self._present(sight.actor, collection, found, listing)
        return {row["id"]: record for row, record in zip(found, shown, strict=True)}

    async def show(self, collection: Collection, sight: Sight, row: Row) -> Row:
        """A row that this one may see, as they want it; raise `BadRequest` if they want something impossible."""
        listing = self._presentation(sight.actor, collection, {"expand": sight.expand, "fields": sight.fields})
        return await self._answer(sight.actor, collection, row, listing)

    async def sift(self, collection: Collection, sight: Sight, rows: Sequence[Row]) -> list[Row | None]:
        """Rows that this one may see, as they want each; None for one that their filter leaves out."""
        parameters = {"filter": sight.filter, "expand": sight.expand, "fields": sight.fields}
        listing = parse_listing(parameters, Resolver(self.registry, collection, sight.actor), self._clock())
        fitting = await sift(self._database, self.registry, sight.actor, listing, rows)
        kept = [row for row, fits in zip(rows, fitting, strict=True) if fits]
        shown = iter(await self._present(sight.actor, collection, kept, listing))
        return [next(shown) if fits else None for fits in fitting]

    def check_sight(self, collection: Collection, sight: Sight) -> None:
        """Raise `BadRequest` if the filter, or what else is wanted, is not valid."""
        parameters = {"filter": sight.filter, "expand": sight.expand, "fields": sight.fields}
        parse_listing(parameters, Resolver(self.registry, collection, sight.actor), self._clock())

    def _audience(self, collection: Collection, record_id: str) -> list[Sight]:
        return [sight for audience in self.audiences for sight in audience(collection, record_id)]

    def _rows(self, collection: Collection, source: TableSource) -> TableRows:
        return TableRows(self.registry, collection, source)

    async def _commit_one(self, write: Write) -> Change:
        (change,) = await self._commit([write], lambda _, error: error)
        return change

    async def _commit(self, writes: Sequence[Write], blame: Callable[[int, HubError], HubError]) -> list[Change]:
        """Run the writes in one transaction and tell who listens."""
        reached = 0

        def run() -> list[Change]:
            nonlocal reached
            changes = []
            for reached, write in enumerate(writes):  # noqa: B007  # tells which one has failed
                changes.append(self._witnessed(write.collection, write.run()))
            return changes

        try:
            changes = await self._database.write(run)
        except (Conflict, BadRequest, Forbidden, NotFound) as error:
            raise blame(reached, writes[reached].refusal(error)) from error
        self._announce((write.collection, change) for write, change in zip(writes, changes, strict=True))
        for write, change in zip(writes, changes, strict=True):
            await _tell(write.collection, change)
        return changes

    def _announce(self, changes: Iterable[tuple[Collection, Change]]) -> None:
        for collection, change in changes:
            for listener in self.on_changed:
                listener(collection, change)

    def _witnessed(self, collection: Collection, change: Change) -> Change:
        for witness in self.witnesses:
            witness(collection, change)
        return change

    async def _answer_write(self, write: Write, change: Change) -> Row:
        answer = await self._answer(change.actor, write.collection, change.after, write.listing)
        if change.verb is Verb.CREATE and write.collection.reveal is not None:
            return answer | await write.collection.reveal(change.actor, change.id)
        return answer

    async def _batch_result(self, write: Write, change: Change) -> BatchResult:
        if change.verb is Verb.DELETE:
            return BatchResult(status=204, body=None)
        # A later request of the same batch may have removed the record again.
        body = await self._answer_write(write, change) if change.after is not None else None
        return BatchResult(status=200, body=body)

    async def _find(self, actor: Actor, collection: Collection, record_id: str) -> Row | None:
        if isinstance(collection.source, ProjectedSource):
            return await find_projected(collection.source, actor, record_id)
        rows = self._rows(collection, collection.source)
        return await self._database.read(lambda: rows.find(actor, record_id))

    async def _answer(self, actor: Actor, collection: Collection, row: Row | None, listing: Listing) -> Row:
        if row is None:
            raise NotFound
        (record,) = await self._present(actor, collection, [row], listing)
        return record

    def _presentation(self, actor: Actor, collection: Collection, parameters: Mapping[str, str]) -> Listing:
        return parse_presentation(parameters, Resolver(self.registry, collection, actor), self._clock())

    async def _present(self, actor: Actor, collection: Collection, rows: Sequence[Row], listing: Listing) -> list[Row]:
        records = [render(collection, actor, row) for row in rows]
        if listing.expand:
            await expand(self._database, self.registry, collection, actor, records, listing.expand)
        return [project(record, listing.fields) for record in records]


async def _tell(collection: Collection, change: Change) -> None:
    if collection.on_change is None:
        return
    try:
        async with asyncio.timeout(CHANGE_TIMEOUT_SECONDS):
            await collection.on_change(change)
    except TimeoutError as error:
        raise Unavailable from error
