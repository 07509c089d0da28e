"""One setting: its name, its text turned into a value, and the readers that do that.

A reader raises ValueError with what is expected in place of the text.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from beszel_hub.errors import InvalidSetting
from beszel_hub.log import LEVELS
from beszel_protocol.images import DOCKER_HUB
from beszel_protocol.targets import Url, parse_url

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FOREVER: Final = "forever"
_SIZE = re.compile(r"([0-9]{1,6})([KMGT])B?", re.ASCII | re.IGNORECASE)
_SIZE_BITS: Final = {"K": 10, "M": 20, "G": 30, "T": 40}
_SMALLEST_DATABASE_BYTES: Final = 16 << 20
_MAX_SECRET_BYTES: Final = 16 << 10

PUBLIC: Final = "public"
"""Among registries: every one that is reached by https at a public address."""
DOCKER_HUB_API: Final = "https://registry-1.docker.io"
_DOCKER_HUB_TOKENS: Final = "https://auth.docker.io"
_REGISTRIES: Final = "a comma-separated list of registries such as public, ghcr.io or http://registry.lan:5000"

_SHORTEST_BACKUP_SECONDS: Final = 600

_LONGEST_ACK_PAUSE_SECONDS: Final = 10
"""Agents hold back what they sent ahead once sixteen samples are not confirmed."""


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    read: Callable[[str], dict[str, Any]]
    """Turns text into fields of `HubConfig`; raises ValueError with what is expected."""
    default: str
    help: str
    is_secret: bool = False


def one(field: str, read: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    return lambda text: {field: read(text)}


def make_url(host: str, port: int, *, is_tls: bool = False) -> str:
    """How this machine reaches a server that listens there."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"{'https' if is_tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


def read_duration(text: str) -> int:
    """Seconds of `90s`, `15m`, `12h`, `3d` or `2w`."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError("a duration such as 90s, 15m, 12h or 3d")
    return int(match[1]) * _SECONDS[match[2]]


def read_backup_interval(text: str) -> int:
    """Seconds of a duration that leaves time to make a backup."""
    seconds = read_duration(text)
    if seconds < _SHORTEST_BACKUP_SECONDS:
        raise ValueError("a duration of at least 10m, such as 6h or 1d")
    return seconds


def read_count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ValueError("a number from 1 to 1000")
    return int(text)


def read_ack_pause(text: str) -> int:
    """Seconds of `0s` to `10s`."""
    seconds = int(text[:-1]) if text[-1:] == "s" and text[:-1].isascii() and text[:-1].isdecimal() else -1
    if not 0 <= seconds <= _LONGEST_ACK_PAUSE_SECONDS:
        raise ValueError(f"0s to {_LONGEST_ACK_PAUSE_SECONDS}s")
    return seconds


def read_retention(text: str) -> int | None:
    """Seconds, or None for `forever`."""
    if text.lower() == _FOREVER:
        return None
    try:
        return read_duration(text)
    except ValueError as error:
        raise ValueError(f"{error}, or {_FOREVER}") from error


def read_size(text: str) -> int:
    """Bytes of `500M` or `20G`, powers of 1024."""
    match = _SIZE.fullmatch(text)
    size = 0 if match is None else int(match[1]) << _SIZE_BITS[match[2].upper()]
    if size < _SMALLEST_DATABASE_BYTES:
        raise ValueError("a size such as 500M or 20G, of at least 16M")
    return size


def read_address(text: str) -> dict[str, Any]:
    """`HOST:PORT`, `[::1]:8090`, `:8090` (every interface) or a port."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("HOST:PORT, with brackets around an IPv6 address")
    fields: dict[str, Any] = {"http_port": read_port(port)}
    return fields | {"http_host": host or "0.0.0.0"} if colon else fields  # noqa: S104  # asked for by writing `:PORT`


def read_port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise ValueError("a port from 0 to 65535")
    return int(text)


def read_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered not in {"true", "false", "1", "0"}:
        raise ValueError("true or false")
    return lowered in {"true", "1"}


def read_level(text: str) -> str:
    if text.lower() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.lower()


def read_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("a URL such as https://hub.example.net or https://example.net/beszel")
    return text.rstrip("/")


def read_target(text: str) -> str:
    """Where samples are sent; a query may belong to it."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or parts.username:
        raise ValueError("a URL without a name and password in it; those go into the setting for authorization")
    return text


def read_authorization(text: str) -> str:
    scheme, _, credentials = text.partition(" ")
    if not scheme or not credentials or not text.isprintable() or not text.isascii():
        raise ValueError("the value of an Authorization header, such as `Bearer …`, `Token …` or `Basic …`")
    return text


def read_items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def read_hosts(text: str) -> tuple[str, ...]:
    hosts = read_items(text.lower())
    if any("/" in host or host == "*" for host in hosts):
        raise ValueError("a comma-separated list of host names")
    return hosts


def read_origins(text: str) -> tuple[str, ...]:
    origins = tuple(read_url(item.lower()) for item in read_items(text))
    if any(urlsplit(origin).path for origin in origins):
        raise ValueError("a comma-separated list of origins such as https://dashboard.example.net")
    return origins


def read_networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(item)) for item in read_items(text))
    except ValueError as error:
        raise ValueError("a comma-separated list of addresses or networks such as 10.0.0.0/8") from error


def read_token(text: str) -> str:
    if len(text) < 16:
        raise ValueError("at least 16 characters")
    return text


def read_choice(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"one of {', '.join(choice for choice in choices if choice)}")
        return text.lower()

    return read


def read_mfa(text: str) -> str:
    return "" if text.lower() in {"false", "0"} else read_choice("true", "superusers")(text)


def read_header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("the name of a header such as Remote-Email")
    return text.lower()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by a name or address that nobody else answers for."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_issuer(text: str) -> str:
    """The issuer must stay as written: a provider signs exactly that text."""
    read_url(text)
    parts = urlsplit(text)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("a URL that begins with https://")
    return text


def read_scopes(text: str) -> tuple[str, ...]:
    scopes = tuple(text.replace(",", " ").split())
    if "openid" not in scopes:
        raise ValueError("a list of scopes that has openid in it")
    return scopes


def read_clients(text: str) -> tuple[tuple[str, str, str], ...]:
    """The secret may have colons; nothing has spaces."""
    found: list[tuple[str, str, str]] = []
    for entry in text.split():
        name, _, rest = entry.partition(":")
        client_id, _, secret = rest.partition(":")
        if not (name and client_id and secret) or name in {known for known, *_ in found}:
            raise ValueError("entries like github:ID:SECRET between spaces, one a provider")
        found.append((name, client_id, secret))
    return tuple(found)


def read_endpoints(text: str) -> tuple[str, ...]:
    """Like `read_issuer`, three times; what follows are scopes."""
    items = text.split()
    if len(items) < 3:
        raise ValueError("three URLs between spaces, then scopes")
    return *(read_issuer(item) for item in items[:3]), *items[3:]


def read_registries(text: str) -> tuple[str, ...]:
    """The list, every item but `public` as a URL. Raise ValueError with what is expected."""
    found: dict[str, None] = {}
    for item in (part.strip().lower() for part in text.split(",")):
        if item == PUBLIC:
            found[PUBLIC] = None
        elif item == DOCKER_HUB:
            found |= {DOCKER_HUB_API + "/": None, _DOCKER_HUB_TOKENS + "/": None}
        elif item:
            found[str(_read_origin(item))] = None
    if not found:
        raise ValueError(_REGISTRIES)
    return tuple(found)


def _read_origin(item: str) -> Url:
    try:
        url = parse_url(item if "://" in item else f"https://{item}")
    except ValueError as error:
        raise ValueError(_REGISTRIES) from error
    if url.path != "/":
        raise ValueError(_REGISTRIES)
    return url


def read_heartbeat_url(text: str) -> str:
    """Unlike `read_url` with whatever query the receiver wants."""
    try:
        parse_url(text)
    except ValueError as error:
        raise ValueError("a URL such as https://hc.example.net/ping/0123") from error
    return text


def read_database_url(text: str) -> str:
    """A URL as libpq knows it, with all its parameters, those of TLS too."""
    parts = urlsplit(text)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError("a URL such as postgresql://hub@db.example.org/beszel?sslmode=verify-full")
    return text


def read_interval(text: str) -> int:
    """Seconds, written as a duration or as a number alone."""
    seconds = read_duration(f"{text}s" if text.isascii() and text.isdecimal() else text)
    if not 10 <= seconds <= 86400:
        raise ValueError("a duration from 10s to 1d")
    return seconds


def read_method(text: str) -> str:
    if text.upper() not in {"POST", "GET", "HEAD"}:
        raise ValueError("POST, GET or HEAD")
    return text.upper()


def read_secret_file(source: str, path: Path) -> str:
    """What a file says; `source` is the name of the setting. Raises `InvalidSetting`."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES)
        return content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{source} names a file that cannot be read: {error}") from error
