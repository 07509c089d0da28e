"""Puts who asks on `request.state.actor`; what is no good token is no token.

`request.state.identify` asks again: answers that take long end when their reader no longer is who they were.
"""

from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from beszel_hub.accounts.service import Accounts
from beszel_hub.config import HubConfig
from beszel_hub.door.origins import is_from_other_site, is_known_host
from beszel_hub.door.proxies import is_within
from beszel_hub.permissions import ANONYMOUS, Actor


class ActorMiddleware:
    """For HTTP only: a WebSocket's route authenticates by header or first frame itself."""

    def __init__(self, app: ASGIApp, accounts: Accounts, config: HubConfig) -> None:
        self._app = app
        self._accounts = accounts
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            state["identify"] = partial(self._identify, scope)
            state["actor"] = await self._identify(scope)
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> Actor:
        headers = Headers(scope=scope)
        token = headers.get("authorization")
        if token:
            return await self._accounts.authenticate(token)
        email = self._vouched_for(scope, headers)
        if not email:
            return ANONYMOUS
        actor = await self._accounts.authenticate_address(email)
        return ANONYMOUS if actor.is_admin and self._config.auto_login else actor

    def _vouched_for(self, scope: Scope, headers: Headers) -> str:
        """The address that a trusted proxy names, or stands for; empty if nobody is named, or not by such a one.

        A browser sends the proxy's cookie whichever page asks, so pages of other sites get nothing this way.
        """
        name, everybody = self._config.trusted_auth_header, self._config.auto_login
        if not (name or everybody) or not is_within(scope["state"].get("peer", ""), self._config.trusted_proxies):
            return ""
        if is_from_other_site(headers, self._config):
            return ""
        if everybody:
            # No proxy has looked who it is, so a page that rebinds its own name to the proxy could ask as well.
            return everybody if is_known_host(headers.get("host", ""), self._config) else ""
        values = headers.getlist(name)
        return values[0].strip() if len(values) == 1 else ""
