"""The agents' endpoint: `GET /api/beszel/agent-connect` with an upgrade to WebSocket."""

import asyncio
from typing import Final

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from beszel_hub.agents.endpoint import Endpoint
from beszel_hub.agents.wire import PADDING, PADDING_BYTES, SEND_TIMEOUT_SECONDS, WireClosed
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import CLOSE_INVALID_PAYLOAD
from beszel_protocol.version import LINK_SUBPROTOCOL

_MAX_HEADER_LENGTH: Final = 64


class WebSocketWire:
    """A `Wire` over Starlette's WebSocket, once that is accepted."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.address = websocket.client.host if websocket.client is not None else ""
        self.is_encrypted = websocket.url.scheme == "wss"
        self.padding_bytes = PADDING_BYTES if PADDING in websocket.scope.get("extensions", ()) else 0

    async def receive(self) -> bytes:
        event = await self._websocket.receive()
        if event["type"] != "websocket.receive":
            raise WireClosed
        text: str | None = event.get("text")
        if text is None:
            await self.close(CLOSE_INVALID_PAYLOAD, "frames are text")
            raise WireClosed
        return text.encode()

    async def send(self, frame: bytes, *, is_urgent: bool = False) -> None:
        message = {"type": "websocket.send", "text": frame.decode(), PADDING: is_urgent}
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._websocket.send(message)
        except (WebSocketDisconnect, RuntimeError, TimeoutError) as error:
            raise WireClosed from error

    async def close(self, code: int, reason: str) -> None:
        message = {"type": "websocket.close", "code": code, "reason": reason, PADDING: True}
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._websocket.send(message)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return


async def connect_agent(websocket: WebSocket) -> None:
    """Upgrade, then leave the connection to the endpoint."""
    endpoint: Endpoint = websocket.app.state.agents
    if LINK_SUBPROTOCOL not in websocket.scope["subprotocols"]:
        message = f"This is for agents: Sec-WebSocket-Protocol must offer {LINK_SUBPROTOCOL}."
        await websocket.send_denial_response(
            JSONResponse({"data": {}, "message": message, "status": 400}, status_code=400)
        )
        return
    await websocket.accept(subprotocol=LINK_SUBPROTOCOL)
    await endpoint.serve(
        WebSocketWire(websocket),
        shown_token_id=clean_text(websocket.headers.get("x-token-id", ""), _MAX_HEADER_LENGTH),
        agent_version=clean_text(websocket.headers.get("x-beszel", ""), _MAX_HEADER_LENGTH),
    )


ROUTES: Final[list[BaseRoute]] = [WebSocketRoute("/api/beszel/agent-connect", connect_agent)]
