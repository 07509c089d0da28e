"""A client of the event stream over a real connection, as PocketBase's clients are one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2

REPLY_SECONDS = 5.0


class Event(NamedTuple):
    id: str
    name: str
    data: Any


class EventStreamEnded(Exception):
    pass


class EventStream:
    """Made by `event_stream`."""

    def __init__(self, client: httpx2.AsyncClient, lines: AsyncIterator[str], token: str | None) -> None:
        self.client = client
        self.client_id = ""
        self._lines = lines
        self._token = token

    async def receive(self) -> Event:
        """The next event; raise `EventStreamEnded` if there is none."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(REPLY_SECONDS):
            async for line in self._lines:
                if not line and fields:
                    return Event(fields["id"], fields["event"], json.loads(fields["data"]))
                name, colon, value = line.partition(":")
                if name and colon:
                    fields[name] = value
        raise EventStreamEnded

    async def subscribe(self, *topics: str, token: str | None = None) -> httpx2.Response:
        """Without a `token` that of the stream is sent."""
        body = {"clientId": self.client_id, "subscriptions": list(topics)}
        shown = token or self._token
        return await self.client.post(
            "/api/realtime", json=body, headers={} if shown is None else {"Authorization": shown}
        )

    async def ends(self) -> bool:
        """Whether the hub ends the stream, whatever it still sends."""
        try:
            while True:
                await self.receive()
        except EventStreamEnded:
            return True

    async def is_quiet(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                await self.receive()
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def event_stream(
    url: str,
    token: str | None,
    *topics: str,
    header: bool = False,
    origin: str | None = None,
    always: Mapping[str, str] | None = None,
) -> AsyncIterator[EventStream]:
    """Connected and, with topics, subscribed; `header` sends the token with the first request already.

    Every request has the headers of `always`.
    """
    headers = {"Authorization": token} if header and token is not None else {}
    if origin is not None:
        headers["Origin"] = origin
    async with (
        httpx2.AsyncClient(base_url=url, headers=always, timeout=httpx2.Timeout(REPLY_SECONDS, read=60)) as client,
        client.stream("GET", "/api/realtime", headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        stream = EventStream(client, aiter(response.aiter_lines()), token)
        first = await stream.receive()
        assert (first.name, first.data) == ("PB_CONNECT", {"clientId": first.id})
        stream.client_id = first.id
        if topics:
            answer = await stream.subscribe(*topics)
            assert answer.status_code == 204, answer.text
        yield stream


def with_options(topic: str, **query: str) -> str:
    """A topic as PocketBase's clients write it when they have something to add."""
    return f"{topic}?options={quote(json.dumps({'query': query, 'headers': {}}))}"
