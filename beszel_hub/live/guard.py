"""Looks again at the tokens by which event streams are open: at once when one is in doubt, else from time to time."""

import asyncio
from collections.abc import Iterable
from typing import Final

from beszel_hub.errors import HubError
from beszel_hub.live.streams import Stream, Streams
from beszel_hub.permissions import Actor

CHECK_SECONDS: Final = 30.0
"""How often a token is looked at without a reason."""
RETRY_SECONDS: Final = 1.0


class Guard:
    """Ends the streams whose token holds no longer, or no longer gives the same rights."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._doubted: set[str] = set()
        self._has_doubts = asyncio.Event()

    def doubt(self, user_id: str) -> None:
        """Tokens of this user may have stopped to hold."""
        self._doubted.add(user_id)
        self._has_doubts.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._has_doubts.wait()
            except TimeoutError:
                await self._check(self._streams)
                continue
            self._has_doubts.clear()
            doubted, self._doubted = self._doubted, set()
            await self._check([stream for stream in self._streams if stream.actor.user_id in doubted])

    async def _check(self, streams: Iterable[Stream]) -> None:
        for stream in streams:
            if not stream.is_guest:
                await self._check_one(stream)

    async def _check_one(self, stream: Stream) -> None:
        identify = stream.identify
        try:
            actor = await identify()
        except HubError:  # the database is busy: nothing is known, so ask again soon
            self.doubt(stream.actor.user_id or "")
            await asyncio.sleep(RETRY_SECONDS)
            return
        if stream.identify is identify and _rights(actor) != _rights(stream.actor):
            stream.end()
        elif stream.identify is identify:
            stream.actor = actor


def _rights(actor: Actor) -> tuple[object, ...]:
    return actor.user_id, actor.role, actor.scope, actor.system_ids, actor.token_id
