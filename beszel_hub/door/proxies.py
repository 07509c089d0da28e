"""Reverse proxies in front of the hub: whose forwarding is believed, and who truly is at the other end."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from beszel_hub.config import HubConfig


class PeerMiddleware:
    """Notes who is at the other end of the connection on `state.peer`, before a forwarded address takes its place.

    A socket for both kinds of addresses writes those of IPv4 as IPv6; then the forwarding of a proxy that was named by
    its own would not be believed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            client = scope.get("client")
            if client:
                scope["client"] = client = (_unmapped(client[0]), client[1])
            scope.setdefault("state", {})["peer"] = client[0] if client else ""
        await self._app(scope, receive, send)


def behind_proxies(app: ASGIApp, config: HubConfig) -> ASGIApp:
    """The application as a server runs it."""
    if not config.trusted_proxies:
        return app
    forwarding: Any = ProxyHeadersMiddleware(app, trusted_hosts=list(config.trusted_proxies))  # type: ignore[arg-type]
    return PeerMiddleware(forwarding)


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of the networks; an IPv4 address is the same written as IPv6."""
    try:
        parsed = ipaddress.ip_address(_unmapped(address))
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in networks)


def _unmapped(address: str) -> str:
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return address if mapped is None else str(mapped)
