"""Exports for those who may see what is in them, a few at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from beszel_hub.errors import NotFound, TooManyRequests
from beszel_hub.export.lines import CsvWriter, JsonLinesWriter
from beszel_hub.export.openmetrics import MEDIA_TYPE as OPENMETRICS_TYPE
from beszel_hub.export.openmetrics import write_openmetrics
from beszel_hub.export.pages import Moment, PageReader
from beszel_hub.export.parquet import ParquetWriter
from beszel_hub.export.plan import Plan, Source
from beszel_hub.export.query import ExportQuery, Format
from beszel_hub.export.walk import walk
from beszel_hub.permissions import Action, Actor, Decision, decide
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.hygiene import clean_text

MAX_AT_ONCE: Final = 2
"""Each keeps a reader of the database busy; there are three, and charts need one."""
_RETRY_SECONDS: Final = 30


class Writer(Protocol):
    """Turns pages into the bytes of one file."""

    @property
    def media_type(self) -> str: ...

    def begin(self) -> bytes: ...

    def write(self, source: Source, moments: list[Moment]) -> bytes: ...

    def end(self) -> bytes: ...


class Exports:
    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory
        self._running = 0

    def plan(self, actor: Actor, query: ExportQuery) -> Plan:
        """Raise `NotFound` if a system is named that the actor does not see."""
        visible = self._directory.visible_ids(actor)
        wanted = query.system_ids or visible
        for system_id in wanted:
            if decide(actor, Action.EXPORT, member=system_id in visible) is not Decision.ALLOW:
                raise NotFound
        return Plan(
            sources=tuple(Source(system_id, self._name(system_id)) for system_id in sorted(wanted)),
            from_ms=query.from_ms, to_ms=query.to_ms, selection=query.selection,
            resolution_seconds=query.resolution_seconds, after=query.after,
        )  # fmt: skip

    async def stream(self, actor: Actor, plan: Plan, chosen: Format) -> AsyncGenerator[bytes, None]:
        """The file in blocks; a system that is taken from the actor meanwhile ends there.

        Raises `TooManyRequests` at the first block while others export.
        """

        def is_allowed(system_id: str) -> bool:
            return self._directory.is_visible(actor, system_id)

        with self._taking_part():
            if chosen is Format.OPENMETRICS:
                async for block in write_openmetrics(self._database, plan, is_allowed):
                    yield block
                return
            writer = make_writer(chosen, plan)
            yield writer.begin()
            reader = PageReader(plan.selection, plan.resolution_seconds)
            async for source, moments in walk(self._database, plan, reader, is_allowed):
                block = await asyncio.to_thread(writer.write, source, moments)
                if block:
                    yield block
            yield writer.end()

    @contextmanager
    def _taking_part(self) -> Iterator[None]:
        if self._running >= MAX_AT_ONCE:
            raise TooManyRequests(
                f"{MAX_AT_ONCE} exports are under way; try again.", retry_after_seconds=_RETRY_SECONDS
            )
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _name(self, system_id: str) -> str:
        entry = self._directory.get(system_id)
        return "" if entry is None else clean_text(entry.name)


def media_type_of(chosen: Format) -> str:
    return {
        Format.CSV: CsvWriter.media_type,
        Format.JSONL: JsonLinesWriter.media_type,
        Format.PARQUET: ParquetWriter.media_type,
        Format.OPENMETRICS: OPENMETRICS_TYPE,
    }[chosen]


def make_writer(chosen: Format, plan: Plan) -> Writer:
    in_buckets = plan.resolution_seconds is not None
    if chosen is Format.JSONL:
        return JsonLinesWriter(in_buckets=in_buckets)
    if chosen is Format.PARQUET:
        return ParquetWriter(in_buckets=in_buckets)
    return CsvWriter(in_buckets=in_buckets, has_heading=plan.after is None)
