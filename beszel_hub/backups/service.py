"""Backups of a running hub: made when somebody asks or when one is due, noted in the audit log, one at a time."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Final

from beszel_hub.audit.journal import Journal
from beszel_hub.backups.making import make_backup, require_file
from beszel_hub.backups.names import automatic_instant, check_name, make_name
from beszel_hub.backups.restoring import check_backup, request_restore, requested_restore
from beszel_hub.backups.shelf import BackupFile, Shelf
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.permissions import Actor
from beszel_hub.scheduler import Job
from beszel_hub.store.database import Database

LOOK_SECONDS: Final = 300.0
"""How often it is asked whether a backup is due; one that failed is tried again then."""

_log = logging.getLogger(__name__)


class Backups:
    """The work is done in threads, and given up when the hub stops."""

    def __init__(self, config: HubConfig, database: Database, clock: Clock, journal: Journal) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._journal = journal
        self._shelf = Shelf(config.backups_path)
        self._stopping = threading.Event()

    async def list(self) -> list[BackupFile]:
        """Newest first."""
        return await asyncio.to_thread(self._shelf.files)

    async def create(self, actor: Actor, name: str, address: str) -> str:
        """Make one and return its key; an empty name stands for one made of the time.

        Raises `BadRequest` if that cannot be, `Unavailable` when the hub stops.
        """
        require_file(self._config)
        key = check_name(name) if name else make_name(self._clock())
        await self._make(key)
        await self._note(actor, "backups.create", key, address)
        return key

    async def delete(self, actor: Actor, key: str, address: str) -> None:
        """Raise `NotFound` if it is not there. A restore of it that was asked for is off."""
        if await self.requested() == key:
            await asyncio.to_thread(request_restore, self._config, "")
        await asyncio.to_thread(self._shelf.delete, key)
        await self._note(actor, "backups.delete", key, address)

    async def fetch(self, actor: Actor, key: str, address: str) -> Path:
        """The file; raise `NotFound` if it is not there."""
        path = await asyncio.to_thread(self._shelf.find, key)
        await self._note(actor, "backups.download", key, address)
        return path

    async def prepare_restore(self, actor: Actor, key: str, address: str) -> None:
        """Check a backup, and have the next start of the hub put it back; raise `NotFound` or `InvalidBackup`."""
        require_file(self._config)
        path = await asyncio.to_thread(self._shelf.find, key)
        await asyncio.to_thread(self._check, path)
        await self._note(actor, "backups.restore", key, address)
        await asyncio.to_thread(request_restore, self._config, key)

    async def requested(self) -> str:
        """The key of the backup that the next start puts back; empty for none."""
        return await asyncio.to_thread(requested_restore, self._config)

    async def keep_up(self) -> None:
        """Make the backup that is due, then delete the oldest of those that nobody asked for."""
        every_ms = 1000 * (self._config.backup_every_seconds or 0)
        now_ms = self._clock()
        made = [instant for file in await self.list() if (instant := automatic_instant(file.key)) is not None]
        if any(now_ms - every_ms < instant <= now_ms for instant in made):
            return
        key = make_name(now_ms, is_automatic=True)
        await self._make(key)
        _log.info("made the backup %s", key)
        await asyncio.to_thread(self._thin_out, key)

    def jobs(self) -> tuple[Job, ...]:
        return () if self._config.backup_every_seconds is None else (Job("backups", LOOK_SECONDS, self.keep_up),)

    def close(self) -> None:
        """Give up what is being made."""
        self._stopping.set()

    async def _make(self, key: str) -> None:
        await asyncio.to_thread(make_backup, self._config, key, self._clock, self._stopping.is_set)

    def _check(self, path: Path) -> None:
        with self._shelf.work():
            check_backup(path, self._stopping.is_set)

    def _thin_out(self, made: str) -> None:
        """What was `made` just now stays, also where others are of a time when the clock was ahead."""
        automatic = [(instant, file.key) for file in self._shelf.files() if (instant := automatic_instant(file.key))]
        others = sorted(((instant, key) for instant, key in automatic if key != made), reverse=True)
        kept = requested_restore(self._config)
        for _, key in others[self._config.backup_keep - 1 :]:
            if key != kept:
                self._shelf.delete(key)

    async def _note(self, actor: Actor, action: str, key: str, address: str) -> None:
        await self._database.write(
            lambda: self._journal.note(actor, action, collection="backups", record_id=key, address=address)
        )
