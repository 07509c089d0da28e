"""Which registries, and token servers of registries, the hub may ask. Pure.

`public` in the list stands for every registry that is reached by https at a public address. What is listed by name may
be private, and may be reached without TLS if it is written so.
"""

from collections.abc import Sequence
from typing import Final

from beszel_hub.images.failures import RegistryRefused
from beszel_hub.settings import DOCKER_HUB_API, PUBLIC
from beszel_protocol.images import DOCKER_HUB
from beszel_protocol.reach import Reach
from beszel_protocol.targets import Url, parse_server, parse_url

_HTTPS_PORT: Final = 443


class Policy:
    """`registries` as `read_registries` gives them."""

    def __init__(self, registries: Sequence[str]) -> None:
        self._allows_public = PUBLIC in registries
        self._listed = frozenset(_origin(parse_url(text)) for text in registries if text != PUBLIC)

    def base_of(self, registry: str) -> Url:
        """Where the API of a registry is. Raise `RegistryRefused`."""
        if registry == DOCKER_HUB:
            return self._permitted(parse_url(DOCKER_HUB_API))
        try:
            has_port = str(parse_server(registry, 0)) == registry
            host, port = parse_server(registry, _HTTPS_PORT)
        except ValueError as error:
            raise RegistryRefused("this is no name of a registry") from error
        plain = Url(is_secure=False, host=host, port=port if has_port else 80, path="/")
        if _origin(plain) in self._listed:
            return plain
        return self._permitted(Url(is_secure=True, host=host, port=port, path="/"))

    def other(self, text: str) -> Url:
        """Where a registry sends the hub on to, for a token or the image. Raise `RegistryRefused`."""
        try:
            url = parse_url(text)
        except ValueError as error:
            raise RegistryRefused("it sends us to what is no URL") from error
        return self._permitted(url)

    def limit_of(self, url: Url) -> Reach:
        """The worst address that a connection for `url` may go to."""
        return Reach.PRIVATE if _origin(url) in self._listed else Reach.PUBLIC

    def _permitted(self, url: Url) -> Url:
        if _origin(url) in self._listed or (self._allows_public and url.is_secure):
            return url
        raise RegistryRefused(f"{url.authority} is not among IMAGE_REGISTRIES")


def _origin(url: Url) -> tuple[bool, str, int]:
    return url.is_secure, url.host.lower().removesuffix("."), url.port
