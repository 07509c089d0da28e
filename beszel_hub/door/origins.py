"""Which web pages may talk to the hub, and by which names it may be called where that matters.

A token in a header is no ambient credential: requests that carry one are taken under any `Host`. What works without a
token checks the name against `is_known_host`, so a page that rebinds its own name to this address gets nothing.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from beszel_hub.config import HubConfig
from beszel_hub.errors import Forbidden

_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})
_LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain"})


def is_allowed_origin(headers: Headers, config: HubConfig) -> bool:
    """Whether whoever asks may open a WebSocket or event stream, or do what needs no token.

    Programs send no `Origin`. A browser does, and then it must be this very host, `APP_URL`, or one of
    `ALLOWED_ORIGINS`.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    if parts.netloc == headers.get("host", "").lower():
        return True
    return f"{parts.scheme}://{parts.netloc}" in {_origin_of(config.app_url), *config.allowed_origins}


def is_from_other_site(headers: Headers, config: HubConfig) -> bool:
    """Whether a browser says that a page of another site has made it ask; programs say nothing."""
    return headers.get("sec-fetch-site") in _OTHER_SITES or not is_allowed_origin(headers, config)


def require_known_host(connection: HTTPConnection, config: HubConfig) -> None:
    """Raise `Forbidden` unless the hub is called by a name of its own."""
    if not is_known_host(connection.headers.get("host", ""), config):
        raise Forbidden("The hub does not go by this name; add it to ALLOWED_HOSTS.")


def is_known_host(host: str, config: HubConfig) -> bool:
    """Loopback, an IP address, the host of `APP_URL`, or one of `ALLOWED_HOSTS`; with or without a port."""
    name = _host_name(host)
    if name in _LOOPBACK_NAMES or name in config.allowed_hosts:
        return True
    if config.app_url and name == urlsplit(config.app_url).hostname:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _origin_of(url: str) -> str:
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}"
