"""The feed of a source, for commands that look once or print as they go."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from beszel_protocol.feed import Fleet, FleetRow
from beszel_tui.client.source import Source
from beszel_tui.errors import HubUnreachable, Unauthorized
from beszel_tui.state.events import Disconnected, Received, Refused
from beszel_tui.state.request import find_system

ANSWER_SECONDS: Final = 10.0


async def frames(source: Source) -> AsyncGenerator[object, None]:
    """Frames of the feed; raises `ClientError` when it is lost, or says nothing at all for too long.

    To be closed before anything else is asked: with the feed the source lets go of what requests have opened.
    """
    task = asyncio.create_task(source.run())
    try:
        limit: float | None = ANSWER_SECONDS
        while True:
            try:
                async with asyncio.timeout(limit):
                    event = await source.events.get()
            except TimeoutError as error:
                raise HubUnreachable("the hub does not answer") from error
            if isinstance(event, Disconnected):
                raise HubUnreachable(f"the hub cannot be reached: {event.reason}")
            if isinstance(event, Refused):
                raise Unauthorized(event.reason)
            if isinstance(event, Received):
                limit = None
                yield event.frame
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=2)


async def ask_system(source: Source, name: str) -> FleetRow:
    """The system of that name, or the only one whose name begins so. Raises `TuiError`."""
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet):
                return find_system(frame.systems, name)
    raise HubUnreachable("the hub ended the feed")
