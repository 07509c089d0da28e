"""Which authorities this machine trusts, read once: every HTTP client would read them again, for 20 ms each."""

import functools
import os
import ssl

import httpcore2


def read_trust_once() -> None:
    """For all clients of this process; what `SSL_CERT_FILE` and `SSL_CERT_DIR` name counts as before."""
    read = httpcore2.default_ssl_context

    @functools.cache
    def read_once(_places: tuple[str | None, str | None], trust_env: bool) -> ssl.SSLContext:
        return read(_trust_env=trust_env)

    def default_ssl_context(*, _trust_env: bool = True) -> ssl.SSLContext:
        return read_once((os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")), _trust_env)

    httpcore2.default_ssl_context = default_ssl_context
