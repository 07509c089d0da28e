"""What a check may be aimed at, taken apart: hosts, hosts with a port, URLs.

There is one parser for the hub that stores a target, the agent that connects to it, and the redirects on the way, so no
two of them can understand the same text differently. Names are ASCII; international ones stand in their `xn--` form.
Whether an address may be reached is not decided here, as only a resolved address can tell.
"""

import ipaddress
import re
from typing import Final, NamedTuple

MAX_HOST_LENGTH: Final = 253
MAX_LABEL_LENGTH: Final = 63
MAX_URL_LENGTH: Final = 2048

_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?", re.ASCII | re.IGNORECASE)
_HOST_PORT: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+):(?P<port>[0-9]{1,5})", re.ASCII)
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[^\]/?#]*\]|[^/?#:\[\]@]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?][^#]*)?(?:#.*)?",
    re.ASCII | re.IGNORECASE,
)
_VISIBLE: Final = re.compile(r"[!-~]*", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


class HostPort(NamedTuple):
    """A host is a name or an address, of IPv6 without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


class Url(NamedTuple):
    """Of HTTP; without user, password and fragment."""

    is_secure: bool
    host: str
    port: int
    path: str
    """With the query; it begins with a slash."""

    @property
    def authority(self) -> str:
        """As `Host` has it."""
        usual = _PORTS["https" if self.is_secure else "http"]
        return bracketed(self.host) if self.port == usual else f"{bracketed(self.host)}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.is_secure else 'http'}://{self.authority}{self.path}"


def parse_host(text: str) -> str:
    """A name, or an address; of IPv6 with or without brackets. Raise ValueError with a sentence."""
    if text.startswith("[") and text.endswith("]"):
        return str(_parse_v6(text[1:-1]))
    if ":" in text:
        return str(_parse_v6(text))
    if len(text) > MAX_HOST_LENGTH or not _NAME.fullmatch(text):
        raise ValueError("Write a name such as db.example.org, or an address.")
    if any(not 0 < len(label) <= MAX_LABEL_LENGTH for label in text.removesuffix(".").split(".")):
        raise ValueError("Between the dots of a name stand 1 to 63 characters.")
    return text


def parse_host_port(text: str) -> HostPort:
    """`db.example.org:5432`, `[2001:db8::1]:22`. Raise ValueError with a sentence."""
    match = _HOST_PORT.fullmatch(text)
    if match is None:
        raise ValueError("Write a host and a port, such as db.example.org:5432 or [2001:db8::1]:22.")
    return HostPort(parse_host(match["host"]), _parse_port(match["port"]))


def parse_server(text: str, usual_port: int) -> HostPort:
    """A host whose port may be left out."""
    if text.endswith("]") or text.count(":") != 1:
        has_port = "]:" in text
        return parse_host_port(text) if has_port else HostPort(parse_host(text), usual_port)
    return parse_host_port(text)


def parse_url(text: str) -> Url:
    """`https://example.org/health?deep=1`. Raise ValueError with a sentence."""
    if len(text) > MAX_URL_LENGTH:
        raise ValueError(f"A URL has at most {MAX_URL_LENGTH} characters.")
    if not _VISIBLE.fullmatch(text):
        raise ValueError("A URL has neither spaces nor characters outside ASCII; write them as %20 and the like.")
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("Write a URL such as https://example.org/health, without user and password.")
    scheme = match["scheme"].lower()
    path = match["path"] or "/"
    return Url(
        is_secure=scheme == "https",
        host=parse_host(match["host"]),
        port=_parse_port(match["port"]) if match["port"] else _PORTS[scheme],
        path=path if path.startswith("/") else f"/{path}",
    )


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parse_v6(text: str) -> ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("This is no IPv6 address.") from None
    if address.scope_id is not None:
        raise ValueError("An address has no zone here.")
    return address


def _parse_port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError("A port lies between 1 and 65535.")
    return port
