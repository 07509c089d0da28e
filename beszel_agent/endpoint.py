"""Where and how to dial the hub: URL, headers, TLS."""

from typing import TYPE_CHECKING, NamedTuple

from beszel_agent.config import Config
from beszel_agent.errors import ConfigError
from beszel_agent.settings import HubUrl
from beszel_protocol.handshake import token_id
from beszel_protocol.version import VERSION

if TYPE_CHECKING:
    import ssl

_PATH = "/api/beszel/agent-connect"


class Endpoint(NamedTuple):
    hub: str
    """As the user knows it."""
    url: str
    """What is dialled."""
    headers: tuple[tuple[str, str], ...]
    tls: "ssl.SSLContext | None"


def make_endpoint(hub_url: HubUrl, token: str, config: Config) -> Endpoint:
    """Raise `ConfigError` if the certificate authority cannot be used."""
    host = f"[{hub_url.host}]" if ":" in hub_url.host else hub_url.host
    url = f"{'wss' if hub_url.secure else 'ws'}://{host}:{hub_url.port}{hub_url.path}{_PATH}"
    headers = (("X-Beszel", VERSION), ("X-Token-Id", token_id(token)))
    return Endpoint(str(hub_url), url, headers, _make_tls(config.ca_file) if hub_url.secure else None)


def _make_tls(ca_file: str | None) -> "ssl.SSLContext":
    """The system's authorities and, if given, one more. Host names are always checked."""
    import ssl  # noqa: PLC0415 - only for https

    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"CA_FILE: cannot use {ca_file}: {error}") from error
    return context
