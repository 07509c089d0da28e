"""Events that wait for one client of the event stream; one that falls too far behind is let go."""

import asyncio
from typing import Final

MAX_EVENTS: Final = 256
MAX_BYTES: Final = 2 << 20


class EventQueue:
    """Events with a key replace the waiting one of the same key; of the others none is left out.

    PocketBase's clients have no way to learn that they missed something but the end of the stream: they connect again,
    and ask for what there is.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: dict[object, bytes] = {}
        self._bytes = 0
        self._changed = asyncio.Event()
        self.is_ended = False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: bytes, key: str | None = None) -> None:
        """Queue an event, or end the stream if there is no room."""
        if self.is_ended:
            return
        place: object = object() if key is None else key
        self._bytes += len(event) - len(self._events.get(place, b""))
        self._events[place] = event
        if len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self._events.clear()
            self.end()
        self._changed.set()

    def end(self) -> None:
        """Nothing more comes after what waits."""
        self.is_ended = True
        self._changed.set()

    async def get(self) -> bytes | None:
        """The next event once there is one; None at the end."""
        while not self._events:
            if self.is_ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        place = next(iter(self._events))
        event = self._events.pop(place)
        self._bytes -= len(event)
        return event
