"""What waits to be sent to one client: bounded, and when it overflows the client is told what it missed instead."""

import asyncio
from collections import deque
from typing import Final

from beszel_hub.live.frames import SharedFrame, share
from beszel_protocol.feed import Resync

MAX_FRAMES: Final = 64
MAX_CHARACTERS: Final = 4 << 20


class Outbox:
    def __init__(self, *, max_frames: int = MAX_FRAMES, max_characters: int = MAX_CHARACTERS) -> None:
        self._max_frames = max_frames
        self._max_characters = max_characters
        self._frames: deque[SharedFrame] = deque()
        self._characters = 0
        self._missed: set[str] = set()
        self._has_frames = asyncio.Event()
        self.sequence = 0
        """Of the frame that was given last."""

    def put(self, frame: SharedFrame) -> bool:
        """Queue a frame; False if it and all before it give way to a `resync`."""
        if self._has_room_for(frame):
            self._frames.append(frame)
            self._characters += len(frame)
            self._has_frames.set()
            return True
        self._missed.update(waiting.topic for waiting in self._frames)
        self._missed.add(frame.topic)
        self._frames.clear()
        self._characters = 0
        self._has_frames.set()
        return False

    def _has_room_for(self, frame: SharedFrame) -> bool:
        """A frame alone always has: of a fleet so large that one is too much, a client would never hear anything."""
        if not self._frames:
            return True
        return len(self._frames) < self._max_frames and self._characters + len(frame) <= self._max_characters

    async def get(self) -> str:
        """The next frame, numbered, once there is one."""
        while True:
            self._has_frames.clear()
            text = self.take()
            if text is not None:
                return text
            await self._has_frames.wait()

    def take(self) -> str | None:
        """The next frame, numbered, or None; what was missed is told before anything else."""
        if self._missed:
            frame = share(Resync(sequence=0, topics=sorted(self._missed - {""})), "")
            self._missed.clear()
        elif self._frames:
            frame = self._frames.popleft()
            self._characters -= len(frame)
        else:
            return None
        self.sequence += 1
        return frame.numbered(self.sequence)
