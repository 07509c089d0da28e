"""One write of a record in three steps: planned on the event loop, run in a transaction, told and answered afterwards.

The steps are apart so that several writes can share a transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from beszel_hub.actions import Action, Verb
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Conflict, FieldError, Forbidden, HubError, NotFound
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.records.listing import Listing, parse_presentation
from beszel_hub.records.paths import Resolver
from beszel_hub.records.registry import Change, Collection, Kind, Registry, Row, Sight, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.sights import seen_by
from beszel_hub.records.validation import CREATE_FAILED, UPDATE_FAILED, check_create, check_update
from beszel_hub.store.database import Database

Audience: TypeAlias = Callable[[Collection, str], Sequence[Sight]]
"""Who wants to hear that a record of a collection is gone; only those who saw it will."""


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A planned write."""

    collection: Collection
    summary: str
    """The message of its refusals; empty where they speak for themselves."""
    run: Callable[[], Change]
    """Runs inside `Database.write`; raises what is in the way."""
    listing: Listing
    """How the record is to look in the answer."""

    def refusal(self, error: HubError) -> HubError:
        """What the client is told when `run` has failed."""
        if self.summary and isinstance(error, Conflict | BadRequest):
            return BadRequest(self.summary, data=error.data)
        return error


class Planner:
    """Plans writes for actors."""

    def __init__(self, database: Database, registry: Registry, clock: Clock, audience: Audience) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._audience = audience

    async def create(self, actor: Actor, collection: Collection, body: Row, parameters: Mapping[str, str]) -> Write:
        """Every refusal but that of a closed collection is a `BadRequest`."""
        source = collection.source
        if check_rule(actor, collection, Verb.CREATE) is not Decision.ALLOW:
            raise BadRequest(CREATE_FAILED)
        if not isinstance(source, TableSource) or source.create is None:
            raise Forbidden
        listing = self._presentation(actor, collection, parameters)
        values = await _prepare(collection, actor, None, check_create(collection, body), CREATE_FAILED)
        insert, rows = source.create, TableRows(self._registry, collection, source)

        def run() -> Change:
            self._require_related(collection, values)
            if "id" in values and rows.read(values["id"]) is not None:
                raise BadRequest(data={"id": FieldError("validation_not_unique", "This id is taken.")})
            record_id = insert(actor, values)
            return Change(verb=Verb.CREATE, actor=actor, id=record_id, before=None, after=rows.read(record_id))

        return Write(collection=collection, summary=CREATE_FAILED, run=run, listing=listing)

    async def update(
        self, actor: Actor, collection: Collection, record_id: str, body: Row, parameters: Mapping[str, str], *,
        is_new: bool = False,
    ) -> Write:  # fmt: skip
        """`is_new`: the record is made earlier in the same transaction, so nobody can look for it yet."""
        source = collection.source
        if check_rule(actor, collection, Verb.UPDATE) is not Decision.ALLOW:
            raise NotFound
        if not isinstance(source, TableSource) or source.update is None:
            raise Forbidden
        write, rows = source.update, TableRows(self._registry, collection, source)
        if not is_new and await self._database.read(lambda: rows.find(actor, record_id)) is None:
            raise NotFound
        listing = self._presentation(actor, collection, parameters)
        values = await _prepare(collection, actor, record_id, check_update(collection, body), UPDATE_FAILED)

        def run() -> Change:
            before = rows.find(actor, record_id)
            if before is None:
                raise NotFound
            self._require_related(collection, values)
            write(actor, record_id, values)
            return Change(verb=Verb.UPDATE, actor=actor, id=record_id, before=before, after=rows.read(record_id))

        return Write(collection=collection, summary=UPDATE_FAILED, run=run, listing=listing)

    def delete(self, actor: Actor, collection: Collection, record_id: str) -> Write:
        source = collection.source
        if check_rule(actor, collection, Verb.DELETE) is not Decision.ALLOW:
            raise NotFound
        if not isinstance(source, TableSource) or source.delete is None:
            raise Forbidden
        remove, rows = source.delete, TableRows(self._registry, collection, source)
        audience = tuple(self._audience(collection, record_id))

        def run() -> Change:
            before = rows.find(actor, record_id)
            if before is None:
                raise NotFound
            witnesses = seen_by(self._registry, collection, record_id, audience, self._clock())
            remove(actor, record_id)
            return Change(verb=Verb.DELETE, actor=actor, id=record_id, before=before, after=None, seen_by=witnesses)

        return Write(collection=collection, summary="", run=run, listing=Listing())

    def _presentation(self, actor: Actor, collection: Collection, parameters: Mapping[str, str]) -> Listing:
        return parse_presentation(parameters, Resolver(self._registry, collection, actor), self._clock())

    def _require_related(self, collection: Collection, values: Row) -> None:
        for field in collection.fields:
            if field.kind not in {Kind.RELATION, Kind.RELATIONS} or not values.get(field.name):
                continue
            target = self._registry[field.target]
            ids = values[field.name] if field.kind is Kind.RELATIONS else [values[field.name]]
            if not isinstance(target.source, TableSource):
                continue
            if TableRows(self._registry, target, target.source).missing(ids):
                complaint = FieldError("validation_missing_rel_records", "There is no such record.")
                raise BadRequest(data={field.name: complaint})


def check_rule(actor: Actor, collection: Collection, verb: Verb) -> Decision:
    """Raise `Forbidden` for what is closed to everybody."""
    decision = decide(actor, Action.of(collection.name, verb))
    if decision is Decision.CLOSED:
        raise Forbidden
    return decision


async def _prepare(collection: Collection, actor: Actor, record_id: str | None, values: Row, summary: str) -> Row:
    if collection.prepare is None:
        return values
    try:
        return await collection.prepare(actor, record_id, values)
    except BadRequest as error:
        raise BadRequest(summary, data=error.data) from error
