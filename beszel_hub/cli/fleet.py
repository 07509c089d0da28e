"""Universal tokens, the file of systems and the audit log, beside a running hub or without one."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from beszel_hub.audit import queries as audit
from beszel_hub.audit.tables import AuditEntry
from beszel_hub.cli.opening import COMMAND_PREFIX, note, open_database, require_account
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting
from beszel_hub.metrics.series_upkeep import request_removal
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems import declared, queries, tokens, universal
from beszel_hub.systems.declaration import Applied, Declaration, declare
from beszel_hub.systems.tables import AgentToken
from beszel_protocol.timestamps import format_timestamp


class NewUniversal(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    user: str
    expires: str | None


class ListedUniversal(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    token: str
    expires: str | None


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the audit log as commands print it."""

    time: str
    user: str
    action: str
    record: str
    address: str
    changes: dict[str, Any]


def create_universal(config: HubConfig, email: str, hours: float | None) -> NewUniversal:
    now_ms = system_clock()
    expires_ms = None if hours is None else now_ms + round(hours * 3_600_000)
    with open_database(config) as database:
        secret = load_secret(config.secret_path)

        def write() -> str:
            account = require_account(email)
            if account.role == "readonly":
                raise CommandFailed(f"{email} is readonly, and can make no systems")
            note("universal_token.create", "users", account.id)
            return universal.issue(secret, account.id, now_ms, expires_ms=expires_ms)

        token = database.write_now(write)
    return NewUniversal(token=token, user=email, expires=None if expires_ms is None else format_timestamp(expires_ms))


def list_universal(config: HubConfig, email: str) -> list[ListedUniversal]:
    with open_database(config) as database:
        secret = load_secret(config.secret_path)
        rows = database.read_now(lambda: queries.open_universal_tokens(require_account(email).id, system_clock()))
    return [
        ListedUniversal(
            id=row.id, token=tokens.unseal(secret, row.token_id, row.sealed) or "",
            expires=None if row.expires is None else format_timestamp(row.expires),
        )
        for row in rows
    ]  # fmt: skip


def end_universal(config: HubConfig, token_id: str) -> None:
    def write() -> None:
        row = AgentToken.get_or_none(AgentToken.id == token_id)
        if row is None or row.owner_id is None:
            raise CommandFailed(f"there is no universal token {token_id!r}")
        universal.close(token_id, system_clock())
        note("universal_token.end", "users", row.owner_id)

    with open_database(config) as database:
        database.write_now(write)


def export_systems(config: HubConfig) -> str:
    with open_database(config) as database:
        secret = load_secret(config.secret_path)
        return declared.write(database.read_now(lambda: declare(secret)))


def import_systems(config: HubConfig, path: Path, *, remove_missing: bool) -> Applied:
    """Raise `InvalidSetting` if the file cannot be read, `BadRequest` if it is none."""
    file = declared.parse(_read(path))
    if remove_missing:
        file = msgspec.structs.replace(file, remove_missing=True)
    now_ms = system_clock()
    with open_database(config) as database:
        secret = load_secret(config.secret_path)

        def write() -> Applied:
            applied = Declaration(secret, now_ms, lambda system_id: request_removal(system_id, now_ms)).apply(file)
            if applied.changed:
                note("systems.import", created=applied.created, updated=applied.updated, removed=applied.removed)
            return applied

        return database.write_now(write)


def describe(applied: Applied) -> str:
    """For people."""
    parts = (
        ("made", applied.created), ("changed", applied.updated), ("removed", applied.removed),
        ("not in the file, and left alone", applied.left),
    )  # fmt: skip
    lines = [f"{what}: {', '.join(names)}" for what, names in parts if names]
    return "\n".join([*lines, *applied.complaints]) or "Nothing had to be changed."


def list_audit(config: HubConfig, last: int) -> list[AuditLine]:
    with open_database(config) as database:
        entries = database.read_now(lambda: audit.newest(last))
    return [
        AuditLine(
            time=format_timestamp(entry.created), user=_who(entry), action=entry.action.removeprefix(COMMAND_PREFIX),
            record=f"{entry.collection}/{entry.record_id}".strip("/"), address=entry.address, changes=entry.changes,
        )
        for entry in entries
    ]  # fmt: skip


def _who(entry: AuditEntry) -> str:
    return "command line" if entry.action.startswith(COMMAND_PREFIX) else entry.user_name or entry.user_id


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(declared.MAX_FILE_BYTES + 1)
        with path.open("rb") as file:
            return file.read(declared.MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidSetting(f"{path} cannot be read: {error.strerror}") from error
