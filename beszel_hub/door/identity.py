"""Puts who asks on `request.state.actor`; what is no good token is no token."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from beszel_hub.accounts.service import Accounts
from beszel_hub.permissions import ANONYMOUS


class ActorMiddleware:
    """For HTTP only: a WebSocket's route authenticates by header or first frame itself."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            token = Headers(scope=scope).get("authorization")
            actor = await self._accounts.authenticate(token) if token else ANONYMOUS
            scope.setdefault("state", {})["actor"] = actor
        await self._app(scope, receive, send)
