"""Backups at one hub, and what its database takes; for administrators. Every request raises `ClientError`."""

import re
import time
from typing import Final

import msgspec

from beszel_protocol.hygiene import clean
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubUnreachable
from beszel_tui.state.account import Backup, BackupOrder, DeleteBackup, NewBackup, Store

_PATH: Final = "/api/backups"
_KEY = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_@.-]*\.zip", re.ASCII)
MAKING_SECONDS: Final = 60.0
"""A large database takes longer; the hub goes on with it all the same."""


class _Record(msgspec.Struct, frozen=True):
    key: str
    size: int = 0
    modified: str = ""
    restoring: bool = False


async def read_backups(http: HubHttp) -> tuple[Backup, ...]:
    """Newest first."""
    records = await http.read(list[_Record], _PATH, {})
    return tuple(
        Backup(key=record.key, size=record.size, modified_ms=_instant(record.modified), restoring=record.restoring)
        for record in map(clean, records)
    )


async def read_store(http: HubHttp) -> Store:
    return clean(await http.read(Store, "/api/beszel/store", {}))


async def carry_out(http: HubHttp, order: BackupOrder) -> None:
    if isinstance(order, NewBackup):
        await _make(http, order.name)
    elif isinstance(order, DeleteBackup):
        await http.do("DELETE", _one(order.key))
    else:
        await http.do("POST", f"{_one(order.key)}/restore", timeout_seconds=MAKING_SECONDS)


async def _make(http: HubHttp, name: str) -> None:
    begin = time.monotonic()
    try:
        await http.do("POST", _PATH, {"name": name}, timeout_seconds=MAKING_SECONDS)
    except HubUnreachable as error:
        if time.monotonic() - begin < MAKING_SECONDS:
            raise
        raise HubUnreachable("this takes longer than a minute; the hub goes on, and r shows when it is done") from error


def _one(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise HubUnreachable("the hub gave an impossible name of a backup")
    return f"{_PATH}/{key}"


def _instant(text: str) -> int | None:
    try:
        return parse_timestamp(text.replace(" ", "T", 1)) if text else None
    except ValueError:
        return None
