"""Encoded samples on their way to one target: so many bytes at most, the oldest going first when there is no room."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

import zstandard

CAPACITY_BYTES: Final = 32 << 20
"""Compressed as they wait, which is about a tenth; some hours of a small fleet, some minutes of a thousand hosts."""
BATCH_BYTES: Final = 1 << 20
"""Of a request, before the target's own compression."""


class Waiting(NamedTuple):
    packed: bytes
    size: int
    """Unpacked."""


class Outbox:
    """`dropped` counts samples that found no room or were refused, since the hub started."""

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self.dropped = 0
        self._capacity_bytes = capacity_bytes
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._has_waiting = asyncio.Event()
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._decompressor = zstandard.ZstdDecompressor()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, encoded: bytes) -> None:
        """Queue one sample."""
        entry = Waiting(self._compressor.compress(encoded), len(encoded))
        self._waiting.append(entry)
        self._bytes += len(entry.packed)
        while self._bytes > self._capacity_bytes:
            self._bytes -= len(self._waiting.popleft().packed)
            self.dropped += 1
        self._has_waiting.set()

    async def take(self) -> tuple[bytes, int]:
        """Wait for samples, and take the oldest: at most one request's worth, and how many they are."""
        while not self._waiting:
            self._has_waiting.clear()
            await self._has_waiting.wait()
        parts: list[bytes] = []
        size = 0
        while self._waiting and (not parts or size + self._waiting[0].size <= BATCH_BYTES):
            entry = self._waiting.popleft()
            self._bytes -= len(entry.packed)
            size += entry.size
            parts.append(self._decompressor.decompress(entry.packed))
        return b"".join(parts), len(parts)
