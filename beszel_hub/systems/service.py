"""The systems of a hub: the directory in memory, kept in step with the database by everybody who writes there."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Conflict
from beszel_hub.permissions import ANONYMOUS, Actor
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret
from beszel_hub.systems import declared, queries, universal
from beszel_hub.systems.declaration import Applied, Declaration, declare
from beszel_hub.systems.directory import Directory, Entry
from beszel_hub.systems.enrolment import Enrolled, bind_agent, recognise_agent
from beszel_hub.systems.monitor import StatusChange
from beszel_hub.systems.tokens import KnownToken, find_token
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import Enrolment, token_id

FirstAdmin = Callable[[], str | None]
"""The id of the administrator who was first, if there is one; runs on a database thread."""


class Systems:
    """`universal_token` is the one from the settings; it belongs to the first administrator, whenever there is one."""

    def __init__(
        self, database: Database, secret: Secret, clock: Clock, journal: Journal, *, first_admin: FirstAdmin,
        universal_token: str = "",
    ) -> None:  # fmt: skip
        self.journal = journal
        self.directory = Directory()
        self.on_changed: list[Callable[[Entry], None]] = []
        self.on_removed: list[Callable[[Entry], None]] = []
        self.on_unbound: list[Callable[[Entry], None]] = []
        """Its token was replaced or its agent forgotten: whoever is connected for it must prove itself again."""
        self.on_added: list[Callable[[str], None]] = []
        """Told the ids of new systems, before `on_changed` is told the same."""
        self.on_left: list[Callable[[frozenset[str]], None]] = []
        """Told the users who are members of one system less."""
        self.on_info: list[Callable[[str], None]] = []
        """Told the ids of systems whose `info` was stored."""
        self.on_details: list[Callable[[str, bool], None]] = []
        """Told the ids of systems whose details were stored, and whether for the first time."""
        self._database = database
        self._secret = secret
        self._clock = clock
        self._first_admin = first_admin
        self._universal_token = universal_token
        self._universal_token_id = token_id(universal_token) if universal_token else None
        self._lock = asyncio.Lock()
        self._asked = self._answered = 0
        """Refreshes: how many were asked for, and how many of those have begun to read since."""

    async def refresh(self) -> None:
        """Read all systems again and tell who listens what is different.

        Who calls while others wait for the same is served with them: when many agents enrol, not each reads them all.
        """
        self._asked += 1
        asked = self._asked
        async with self._lock:
            if self._answered >= asked:
                return
            answered = self._asked
            difference = self.directory.replace_all(await self._database.read(queries.load_entries))
            self._answered = answered
        for system_id in difference.added:
            for tell in self.on_added:
                tell(system_id)
        for listener in self.on_left if difference.left else ():
            listener(difference.left)
        for entry in difference.changed:
            self._tell(self.on_changed, entry)
        for entry in difference.unbound:
            self._tell(self.on_unbound, entry)
        for entry in difference.removed:
            self._tell(self.on_removed, entry)

    async def find_token(self, shown_id: str) -> KnownToken | None:
        """The token whose id an agent has shown."""
        if shown_id == self._universal_token_id:
            owner_id = await self._database.read(self._first_admin)
            if owner_id is None:
                return None
            return KnownToken(token=self._universal_token, row_id=None, owner_id=owner_id)
        return await self._database.read(lambda: find_token(self._secret, shown_id, self._clock()))

    async def enrol(self, enrolment: Enrolment, known: KnownToken, *, address: str, agent_version: str) -> Enrolled:
        """Bind a proved agent to its system; raise `AgentRefused` if it is not that system's."""
        recognised = await self._database.read(lambda: recognise_agent(enrolment, known, agent_version=agent_version))
        if recognised is not None and self.directory.get(recognised.system_id) is not None:
            return recognised
        now_ms = self._clock()
        enrolled = await self._database.write(
            lambda: bind_agent(enrolment, known, address=address, agent_version=agent_version, now_ms=now_ms)
        )
        self._tell_details(enrolled.system_id, is_first=enrolled.has_first_details)
        await self.refresh()
        return enrolled

    async def save_details(self, system_id: str, details: HostDetails, agent_version: str) -> None:
        """Note what an agent says about its host, if that is news."""
        if await self._database.read(lambda: queries.has_details(system_id, details, agent_version)):
            return
        now_ms = self._clock()
        is_first = await self._database.write(lambda: queries.save_details(system_id, details, agent_version, now_ms))
        self._tell_details(system_id, is_first=is_first)
        await self.refresh()

    async def universal_token(
        self, actor: Actor, *, token: str, enable: bool | None, is_permanent: bool
    ) -> universal.UniversalToken:
        """Show (None), enable or disable the actor's universal token; raise `BadRequest` for an impossible `token`."""
        owner_id, now_ms = actor.user_id or "", self._clock()
        if enable is None:
            return await self._database.read(lambda: universal.show(self._secret, owner_id, now_ms, token))

        def write() -> universal.UniversalToken:
            self.journal.note(actor, f"universal_token.{'enabled' if enable else 'disabled'}")
            if enable:
                return universal.enable(self._secret, owner_id, now_ms, token=token, is_permanent=is_permanent)
            universal.disable(owner_id, now_ms)
            return universal.UniversalToken(token=token, active=False, permanent=False)

        try:
            return await self._database.write(write)
        except Conflict as error:
            raise BadRequest("Somebody has this token already.") from error

    async def apply_declaration(self, content: bytes, *, on_delete: Callable[[str], None]) -> Applied:
        """Make the systems what a `config.yml` says; raise `BadRequest` for what is not such a file."""
        file, now_ms = declared.parse(content), self._clock()

        def write() -> Applied:
            applied = Declaration(self._secret, now_ms, on_delete).apply(file)
            if applied.changed:
                changes = {"created": applied.created, "updated": applied.updated, "removed": applied.removed}
                self.journal.note(ANONYMOUS, "config_yaml.applied", changes=changes)
            return applied

        applied = await self._database.write(write)
        await self.refresh()
        return applied

    async def write_declaration(self) -> str:
        """The `config.yml` of the systems there are, tokens included."""
        return declared.write(await self._database.read(lambda: declare(self._secret)))

    async def purge_tokens(self) -> None:
        """Forget ended universal tokens that no agent comes back with."""
        now_ms = self._clock()
        await self._database.write(lambda: queries.purge_tokens(now_ms))

    async def apply_statuses(self, changes: Sequence[StatusChange]) -> None:
        """Store new statuses in one transaction; a pause that somebody ordered meanwhile stays."""
        now_ms = self._clock()

        def write() -> list[StatusChange]:
            return [change for change in changes if queries.set_status(*change, now_ms)]

        async with self._lock:
            stored = await self._database.write(write)
            entries = [
                msgspec.structs.replace(entry, status=status, status_since_ms=now_ms)
                for system_id, status in stored
                if (entry := self.directory.get(system_id)) is not None
            ]
            for entry in entries:
                self.directory.put(entry)
        for entry in entries:
            self._tell(self.on_changed, entry)

    async def save_info(self, infos: Sequence[tuple[str, dict[str, Any]]]) -> None:
        now_ms = self._clock()
        await self._database.write(lambda: queries.save_info(infos, now_ms))
        for system_id, _ in infos:
            for tell in self.on_info:
                tell(system_id)

    def _tell_details(self, system_id: str, *, is_first: bool) -> None:
        for tell in self.on_details:
            tell(system_id, is_first)

    @staticmethod
    def _tell(listeners: Sequence[Callable[[Entry], None]], entry: Entry) -> None:
        for listener in listeners:
            listener(entry)
