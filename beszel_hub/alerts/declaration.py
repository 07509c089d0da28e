"""Makes the hub's rules for everybody what `alerts.yml` says; rules that people made over the API stay as they are."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from beszel_hub.alerts import queries
from beszel_hub.alerts.rulefile import MAX_FILE_BYTES, parse
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import HubError
from beszel_hub.permissions import ANONYMOUS
from beszel_hub.store.database import Database

log = logging.getLogger(__name__)


Note: TypeAlias = Callable[[dict[str, Any]], None]
"""Tells the audit log what has changed, in the same transaction."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What a file came to; rules by name."""

    created: list[str]
    updated: list[str]
    removed: list[str]
    unchanged: list[str]


async def apply_file(database: Database, clock: Clock, journal: Journal, path: Path) -> Applied | None:
    """At the start: a mistake in the file is logged and leaves all rules as they are; no file means no rules of one."""

    def note(changes: dict[str, Any]) -> None:
        journal.note(ANONYMOUS, "alerts_yml.applied", changes=changes)

    try:
        content = await asyncio.to_thread(read_file, path)
        if content is None:
            return None
        applied = await database.write(lambda: apply(content, clock(), note))
    except (OSError, HubError) as error:
        log.error("%s was not applied: %s", path, error)
        return None
    counts = (len(applied.created), len(applied.updated), len(applied.removed))
    log.info("applied %s: %d rules made, %d changed, %d removed", path, *counts)
    return applied


def read_file(path: Path) -> bytes | None:
    """No more of it than can be taken, and a byte that tells so; None if there is no such file."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None


def apply(content: bytes, now_ms: int, note: Note) -> Applied:
    """Runs inside `Database.write`, and notes what it changes; raise `BadRequest`, and then nothing is changed."""
    rules = {rule.id: rule for rule in parse(content, queries.system_ids())}
    present = {row.id: queries.to_rule(row) for row in queries.load_file_rules()}
    created = [rule for rule in rules.values() if rule.id not in present]
    updated = [rule for rule in rules.values() if rule.id in present and present[rule.id] != rule]
    removed = [rule for rule in present.values() if rule.id not in rules]
    for rule in removed:
        queries.delete_rule(rule.id)
    for rule in updated:
        queries.update_rule(rule, now_ms)
    for rule in created:
        queries.insert_rule(rule, now_ms, origin="file")
    changed = {rule.id for rule in (*created, *updated)}
    applied = Applied(
        created=[rule.name for rule in created], updated=[rule.name for rule in updated],
        removed=[rule.name for rule in removed],
        unchanged=[rule.name for rule in rules.values() if rule.id not in changed],
    )  # fmt: skip
    if created or updated or removed:
        note({"created": applied.created, "updated": applied.updated, "removed": applied.removed})
    return applied
