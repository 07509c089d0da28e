"""Where samples go: an address, what it takes, and the secret that opens it, which no log line ever has."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import msgspec

from beszel_hub.config import HubConfig
from beszel_hub.errors import StartError
from beszel_hub.export.plan import Source
from beszel_hub.push import influx, remote_write
from beszel_protocol.sample import Metrics
from beszel_protocol.version import VERSION

Encode = Callable[[Source, int, Metrics], bytes]
"""Encodes one sample of a system, at its instant in milliseconds."""

_NEEDED: Final = ("httpx2", "cramjam")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    url: str
    headers: Mapping[str, str]
    encode: Encode
    compress: Callable[[bytes], bytes]

    @property
    def name(self) -> str:
        """For the log: without the query, where InfluxDB 1 has its password."""
        parts = urlsplit(self.url)
        return f"{self.kind} at {parts.scheme}://{parts.hostname}:{parts.port or 'default'}{parts.path}"

    @property
    def tells_secrets(self) -> bool:
        """Whether somebody on the way could read what opens it."""
        parts = urlsplit(self.url)
        is_local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        return "Authorization" in self.headers and parts.scheme == "http" and not is_local


def make_targets(config: HubConfig) -> list[Target]:
    """What the settings name; raise `StartError` if something to talk to it is not installed."""
    targets: list[Target] = []
    if config.remote_write_url:
        encoder = remote_write.RemoteWriteEncoder()
        targets.append(
            Target(
                kind="remote-write", url=config.remote_write_url, encode=encoder.encode,
                headers=_headers(remote_write.HEADERS, config.remote_write_authorization),
                compress=remote_write.compress,
            )
        )  # fmt: skip
    if config.influx_url:
        targets.append(
            Target(
                kind="InfluxDB", url=config.influx_url, encode=influx.encode,
                headers=_headers(influx.HEADERS, config.influx_authorization), compress=influx.compress,
            )
        )  # fmt: skip
    if targets and not all(find_spec(name) for name in _NEEDED):
        raise StartError("REMOTE_WRITE_URL and INFLUX_URL need: pip install 'beszel-suite[push]'")
    return targets


def _headers(own: Mapping[str, str], authorization: str | None) -> dict[str, str]:
    headers = {**own, "User-Agent": f"beszel-hub/{VERSION}"}
    return headers if authorization is None else {**headers, "Authorization": authorization}
