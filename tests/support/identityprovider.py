"""A real OpenID Connect provider in a process of its own, and people who log in there."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.support.programs import Process, clean_environment, free_port, running, wait_until

OLDEST_PYTHON = (3, 12)
REDIRECT_URL = "https://client.example.org/oauth2-redirect"


class IdentityProvider:
    """Made by `identity_provider`."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._client = httpx2.Client(timeout=10)

    def set_person(self, subject: str, **claims: object) -> None:
        self._client.put(f"{self.issuer}/users/{subject}", json={"sub": subject, **claims}).raise_for_status()

    def log_in(self, url: str, subject: str, redirect_url: str = REDIRECT_URL) -> dict[str, str]:
        """What the provider sends a browser back with, that was sent to `url` and agreed."""
        answer = self._client.post(url + redirect_url, data={"sub": subject})
        assert answer.status_code in {302, 303}, answer.text
        location = answer.headers["location"]
        assert location.startswith(redirect_url), location
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def close(self) -> None:
        self._client.close()


@contextmanager
def identity_provider(directory: Path) -> Iterator[IdentityProvider]:
    """Serve from a new process until the block ends; skip the test where Python is too old for the provider."""
    if sys.version_info < OLDEST_PYTHON:
        pytest.skip(f"the provider needs Python {'.'.join(map(str, OLDEST_PYTHON))}")
    port = free_port()
    argv = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    environment = clean_environment(directory, AUTHLIB_INSECURE_TRANSPORT="1")
    with running(argv, environment, directory / "provider.log") as process:
        provider = IdentityProvider(f"http://127.0.0.1:{port}")
        try:
            wait_until("the provider answers", lambda: _answers(process, provider.issuer))
            yield provider
        finally:
            provider.close()


def _answers(process: Process, issuer: str) -> bool:
    assert process.is_running, process.text()
    with suppress(httpx2.HTTPError):
        document = httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=2).text
        return re.search(r"token_endpoint", document) is not None
    return False
