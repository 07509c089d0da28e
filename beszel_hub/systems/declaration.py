"""Makes the hub's systems what a `config.yml` says, in one transaction, and writes that file.

Every function runs inside `Database.read` or `Database.write`.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from beszel_hub.accounts.queries import find_identity, list_accounts
from beszel_hub.store.secrets import Secret
from beszel_hub.systems import queries, tokens
from beszel_hub.systems.declared import DeclaredSystem, KnownSystem, SystemsFile, match
from beszel_hub.systems.tables import AgentToken, Membership, SystemRow
from beszel_protocol.handshake import token_id


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What a file came to; systems by name."""

    created: list[str]
    updated: list[str]
    removed: list[str]
    left: list[str]
    """Not in the file, and left alone."""
    complaints: list[str]

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.removed)


class Declaration:
    """`on_delete` hears of every system that goes, inside the transaction."""

    def __init__(self, secret: Secret, now_ms: int, on_delete: Callable[[str], None]) -> None:
        self._secret = secret
        self._now_ms = now_ms
        self._on_delete = on_delete
        self._created: list[str] = []
        self._updated: list[str] = []
        self._complaints: list[str] = []

    def apply(self, file: SystemsFile) -> Applied:
        """A file without systems changes nothing, whatever else it says."""
        declared = file.systems or []
        known = {system.id: system for system in _known()}
        found = match(declared, list(known.values()))
        for system, system_id in zip(declared, found, strict=True):
            self._apply_one(system, system_id)
        queries.regrant()
        rest = sorted((system.name, system.id) for system in known.values() if system.id not in found)
        removed = rest if file.remove_missing and declared else []
        for _, system_id in removed:
            queries.delete_system(system_id)
            self._on_delete(system_id)
        return Applied(
            created=self._created, updated=self._updated, removed=[name for name, _ in removed],
            left=[name for name, _ in rest if not removed], complaints=self._complaints,
        )  # fmt: skip

    def _apply_one(self, system: DeclaredSystem, system_id: str | None) -> None:
        columns: dict[str, Any] = {"name": system.name, "host": system.host, "port": str(system.port)}
        columns |= {
            column: value
            for column, value in (("tags", system.tags), ("interval_seconds", system.interval))
            if value is not None
        }
        members = self._members(system)
        if system_id is None:
            system_id = queries.insert_system(
                name=system.name, now_ms=self._now_ms, members=_first_admin() if members is None else members,
                others=columns,
            )  # fmt: skip
            self._created.append(system.name)
        elif self._update(system_id, columns, members):
            self._updated.append(system.name)
        self._set_token(system, system_id)

    def _update(self, system_id: str, columns: dict[str, Any], members: list[str] | None) -> bool:
        row = SystemRow.get(SystemRow.id == system_id)
        changes = {name: value for name, value in columns.items() if getattr(row, name) != value}
        if changes:
            queries.update_system(system_id, changes, self._now_ms)
        has_new_members = members is not None and set(members) != _member_ids(system_id)
        if has_new_members:
            queries.set_members(system_id, members or [])
        return bool(changes) or has_new_members

    def _members(self, system: DeclaredSystem) -> list[str] | None:
        if not system.users:
            return None
        found = [(email, find_identity(email)) for email in system.users]
        unknown = [email for email, account in found if account is None]
        self._complaints += [f"{system.name}: there is no user {email!r}" for email in unknown]
        return [account.id for _, account in found if account is not None] or None

    def _set_token(self, system: DeclaredSystem, system_id: str) -> None:
        present = tokens.read_system_token(self._secret, system_id)
        if system.token is None:
            if present is None:
                tokens.issue_system_token(self._secret, system_id, self._now_ms)
        elif system.token != present:
            if AgentToken.get_or_none(AgentToken.token_id == token_id(system.token)) is not None:
                self._complaints.append(f"{system.name}: its token is in use already")
            else:
                tokens.issue_system_token(self._secret, system_id, self._now_ms, system.token)


def declare(secret: Secret) -> list[DeclaredSystem]:
    """Every system as the file has it, by name; its users by e-mail address."""
    addresses = {account.id: account.email for account in list_accounts()}
    return [
        DeclaredSystem(
            name=row.name, host=row.host, port=_port(row.port), token=tokens.read_system_token(secret, row.id),
            users=sorted(addresses[user_id] for user_id in _member_ids(row.id)), tags=list(row.tags) or None,
            interval=row.interval_seconds,
        )
        for row in SystemRow.select().order_by(SystemRow.name, SystemRow.id)
    ]  # fmt: skip


def _known() -> list[KnownSystem]:
    columns = (SystemRow.id, SystemRow.name, SystemRow.host, SystemRow.port)
    return [KnownSystem(id=row.id, name=row.name, host=row.host, port=row.port) for row in SystemRow.select(*columns)]


def _member_ids(system_id: str) -> set[str]:
    rows = Membership.select(Membership.user_id).where(Membership.system_id == system_id)
    return {row.user_id for row in rows}


def _first_admin() -> list[str]:
    return [account.id for account in list_accounts() if account.role == "admin"][:1]


def _port(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= _MAX_PORT else text


_MAX_PORT: Final = 65535
