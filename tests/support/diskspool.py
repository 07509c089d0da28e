"""A spool in files: filled, read, damaged, and on a disk that is slow or full."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beszel_agent.spool.disk import DiskSpool
from beszel_agent.spool.interface import SpooledRecord
from beszel_agent.spool.syncing import SyncJob
from beszel_protocol.messages import Gap, decode_record
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.timestamps import format_timestamp, parse_timestamp

NOTHING = SequenceRanges()
ALL_BYTES = 1 << 30
NOON_MS = 1_795_348_800_000


def opened(
    directory: Path, *, boot_id: str = "boot-1", max_age_ms: int = 86_400_000, max_bytes: int = 64 << 20,
    boot_ms: int = 0,
) -> DiskSpool:  # fmt: skip
    return DiskSpool(
        directory, boot_id=boot_id, instant_ms=NOON_MS, boot_ms=boot_ms, max_age_ms=max_age_ms, max_bytes=max_bytes
    )


def record(sequence: int, size: int = 10, *, at_ms: int = 0) -> bytes:
    """Padding that does not compress."""
    return msgspec.json.encode(
        {
            "type": "sample",
            "sequence": sequence,
            "timestamp": format_timestamp(NOON_MS + at_ms),
            "boot_ms": at_ms,
            "metrics": {},
            "pad": os.urandom(size // 2).hex(),
        }
    )


def fill(spool: DiskSpool, count: int, *, size: int = 10, start_ms: int = 0) -> list[SpooledRecord]:
    """A record a second."""
    return [
        spool.append(
            lambda sequence, at_ms=at_ms: record(sequence, size, at_ms=at_ms),  # type: ignore[misc]
            instant_ms=NOON_MS + at_ms,
            boot_ms=at_ms,
        )
        for at_ms in range(start_ms, start_ms + 1000 * count, 1000)
    ]


def kept(spool: DiskSpool) -> list[SpooledRecord]:
    """Everything, whatever boot it is of."""
    found: list[SpooledRecord] = []
    skip = SequenceRanges()
    while batch := spool.oldest(ALL_BYTES, skip):
        for item in batch:
            skip.add(item.sequence)
        found.extend(batch)
    return found


def data(records: list[SpooledRecord]) -> list[bytes]:
    return [item.data for item in records]


def gaps(spool: DiskSpool) -> list[Gap]:
    decoded = [decode_record(item.data) for item in kept(spool) if b'"type":"gap"' in item.data]
    return [gap for gap in decoded if isinstance(gap, Gap)]


def span(gap: Gap) -> tuple[int, int]:
    """In milliseconds since noon."""
    return parse_timestamp(gap.from_) - NOON_MS, parse_timestamp(gap.to) - NOON_MS


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.segment"))


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


def damage(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def slow_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Syncs wait for the event."""
    release = threading.Event()
    original: Callable[[SyncJob], None] = SyncJob.run

    def wait(job: SyncJob) -> None:
        release.wait(20)
        original(job)

    monkeypatch.setattr(SyncJob, "run", wait)
    return release


def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Writes fail after some bytes as long as the list holds how many."""
    left: list[int] = []
    original = os.write

    def write(descriptor: int, frame: bytes) -> int:
        if not left:
            return original(descriptor, frame)
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = min(left[0], len(frame))
        left[0] -= taken
        return original(descriptor, bytes(frame)[:taken])

    monkeypatch.setattr("beszel_agent.spool.segments.os.write", write)
    return left
