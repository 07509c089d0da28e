"""The records API without HTTP: list, view, create, update, delete, for one actor."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Conflict, FieldError, Forbidden, NotFound, Unavailable
from beszel_hub.permissions import Action, Actor, Decision, Verb, decide
from beszel_hub.records.expansion import expand
from beszel_hub.records.listing import Listing, Page, parse_listing, to_page
from beszel_hub.records.paths import Resolver
from beszel_hub.records.projection import find_projected, list_projected
from beszel_hub.records.registry import Change, Collection, Kind, ProjectedSource, Registry, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.shape import project, render
from beszel_hub.records.validation import CREATE_FAILED, UPDATE_FAILED, check_create, check_update
from beszel_hub.store.database import Database

CHANGE_TIMEOUT_SECONDS: Final = 10.0


class Records:
    """Serves the collections of a registry to actors."""

    def __init__(self, database: Database, registry: Registry, clock: Clock) -> None:
        self._database = database
        self.registry = registry
        self._clock = clock

    async def check(self) -> None:
        """Raise `Unavailable` if the database does not answer."""
        await self._database.read(lambda: None)

    async def page(self, actor: Actor, name: str, parameters: Mapping[str, str]) -> Page:
        """One page of what the actor may see; a rule that is not met sees nothing."""
        collection = self._collection(name)
        decision = _decide(actor, collection, Verb.LIST)
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
        collection = self._collection(name)
        if _decide(actor, collection, Verb.VIEW) is not Decision.ALLOW:
            raise NotFound
        row = await self._find(actor, collection, record_id)
        return await self._answer(actor, collection, row, parameters)

    async def create(self, actor: Actor, name: str, body: Row, parameters: Mapping[str, str]) -> Row:
        """Insert a record; every refusal but that of a closed collection is a `BadRequest`."""
        collection = self._collection(name)
        source = collection.source
        if _decide(actor, collection, Verb.CREATE) is not Decision.ALLOW:
            raise BadRequest(CREATE_FAILED)
        if not isinstance(source, TableSource) or source.create is None:
            raise Forbidden
        values = await _prepare(collection, actor, None, check_create(collection, body), CREATE_FAILED)
        insert, rows = source.create, self._rows(collection, source)

        def run() -> tuple[str, Row | None]:
            self._require_related(collection, values, CREATE_FAILED)
            if "id" in values and rows.read(values["id"]) is not None:
                raise BadRequest(CREATE_FAILED, data={"id": FieldError("validation_not_unique", "This id is taken.")})
            record_id = insert(actor, values)
            return record_id, rows.read(record_id)

        try:
            record_id, after = await self._database.write(run)
        except (Conflict, BadRequest) as error:
            raise BadRequest(CREATE_FAILED, data=error.data) from error
        await _tell(collection, Change(verb=Verb.CREATE, actor=actor, id=record_id, before=None, after=after))
        return await self._answer(actor, collection, after, parameters)

    async def update(self, actor: Actor, name: str, record_id: str, body: Row, parameters: Mapping[str, str]) -> Row:
        """Write the fields that the body has."""
        collection = self._collection(name)
        source = collection.source
        if _decide(actor, collection, Verb.UPDATE) is not Decision.ALLOW:
            raise NotFound
        if not isinstance(source, TableSource) or source.update is None:
            raise Forbidden
        write, rows = source.update, self._rows(collection, source)
        if await self._database.read(lambda: rows.find(actor, record_id)) is None:
            raise NotFound
        values = await _prepare(collection, actor, record_id, check_update(collection, body), UPDATE_FAILED)

        def run() -> tuple[Row, Row | None]:
            before = rows.find(actor, record_id)
            if before is None:
                raise NotFound
            self._require_related(collection, values, UPDATE_FAILED)
            write(actor, record_id, values)
            return before, rows.read(record_id)

        try:
            before, after = await self._database.write(run)
        except (Conflict, BadRequest) as error:
            raise BadRequest(UPDATE_FAILED, data=error.data) from error
        await _tell(collection, Change(verb=Verb.UPDATE, actor=actor, id=record_id, before=before, after=after))
        return await self._answer(actor, collection, after, parameters)

    async def delete(self, actor: Actor, name: str, record_id: str) -> None:
        """Remove a record."""
        collection = self._collection(name)
        source = collection.source
        if _decide(actor, collection, Verb.DELETE) is not Decision.ALLOW:
            raise NotFound
        if not isinstance(source, TableSource) or source.delete is None:
            raise Forbidden
        remove, rows = source.delete, self._rows(collection, source)

        def run() -> Row:
            before = rows.find(actor, record_id)
            if before is None:
                raise NotFound
            remove(actor, record_id)
            return before

        before = await self._database.write(run)
        await _tell(collection, Change(verb=Verb.DELETE, actor=actor, id=record_id, before=before, after=None))

    async def render_one(self, actor: Actor, name: str, record_id: str, parameters: Mapping[str, str]) -> Row:
        """A record that the caller has checked the actor's right to; `NotFound` if it is gone."""
        collection = self._collection(name)
        if not isinstance(collection.source, TableSource):
            raise NotFound
        rows = self._rows(collection, collection.source)
        return await self._answer(
            actor, collection, await self._database.read(lambda: rows.read(record_id)), parameters
        )

    def _collection(self, name: str) -> Collection:
        collection = self.registry.find(name)
        if collection is None:
            raise NotFound("There is no such collection.")
        return collection

    def _rows(self, collection: Collection, source: TableSource) -> TableRows:
        return TableRows(self.registry, collection, source)

    def _require_related(self, collection: Collection, values: Row, summary: str) -> None:
        for field in collection.fields:
            if field.kind not in {Kind.RELATION, Kind.RELATIONS} or not values.get(field.name):
                continue
            target = self.registry[field.target]
            ids = values[field.name] if field.kind is Kind.RELATIONS else [values[field.name]]
            if isinstance(target.source, TableSource) and self._rows(target, target.source).missing(ids):
                complaint = FieldError("validation_missing_rel_records", "There is no such record.")
                raise BadRequest(summary, data={field.name: complaint})

    async def _find(self, actor: Actor, collection: Collection, record_id: str) -> Row | None:
        if isinstance(collection.source, ProjectedSource):
            return await find_projected(collection.source, actor, record_id)
        rows = self._rows(collection, collection.source)
        return await self._database.read(lambda: rows.find(actor, record_id))

    async def _answer(
        self, actor: Actor, collection: Collection, row: Row | None, parameters: Mapping[str, str]
    ) -> Row:
        if row is None:
            raise NotFound
        resolver = Resolver(self.registry, collection, actor)
        listing = parse_listing(_presentation(parameters), resolver, self._clock())
        (record,) = await self._present(actor, collection, [row], listing)
        return record

    async def _present(self, actor: Actor, collection: Collection, rows: Sequence[Row], listing: Listing) -> list[Row]:
        records = [render(collection, actor, row) for row in rows]
        if listing.expand:
            await expand(self._database, self.registry, collection, actor, records, listing.expand)
        return [project(record, listing.fields) for record in records]


def _decide(actor: Actor, collection: Collection, verb: Verb) -> Decision:
    decision = decide(actor, Action.of(collection.name, verb))
    if decision is Decision.CLOSED:
        raise Forbidden
    return decision


def _presentation(parameters: Mapping[str, str]) -> dict[str, str]:
    """Of a request's parameters, those that say how one record is to look."""
    return {name: parameters[name] for name in ("fields", "expand") if name in parameters}


async def _prepare(collection: Collection, actor: Actor, record_id: str | None, values: Row, summary: str) -> Row:
    if collection.prepare is None:
        return values
    try:
        return await collection.prepare(actor, record_id, values)
    except BadRequest as error:
        raise BadRequest(summary, data=error.data) from error


async def _tell(collection: Collection, change: Change) -> None:
    if collection.on_change is None:
        return
    try:
        async with asyncio.timeout(CHANGE_TIMEOUT_SECONDS):
            await collection.on_change(change)
    except TimeoutError as error:
        raise Unavailable from error
