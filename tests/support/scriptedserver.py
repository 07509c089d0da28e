"""Servers on loopback that do exactly what a test says, byte by byte, and note what was asked of them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answer = Callable[["Conversation"], Awaitable[None]]


@dataclass
class Conversation:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""
    """The request up to its empty line."""

    @property
    def path(self) -> str:
        return self.head.split(b" ")[1].decode()

    async def send(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.writer.write(chunk)
            await self.writer.drain()


@dataclass
class ScriptedServer:
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def page(body: bytes = b"hello", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def says(*chunks: bytes) -> Answer:
    async def answer(conversation: Conversation) -> None:
        await conversation.send(*chunks)

    return answer


@contextlib.asynccontextmanager
async def scripted(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
    """Serve HTTP heads to `answer` until the block ends; a connection ends with its answer."""
    server = ScriptedServer()
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        server.connections += 1
        conversation = Conversation(reader, writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                conversation.head = await reader.readuntil(b"\r\n\r\n")
                server.heads.append(conversation.head)
                await answer(conversation)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            conversations.discard(task)

    listener = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in set(conversations):
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed by the loop
