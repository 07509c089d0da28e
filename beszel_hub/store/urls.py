"""URLs of databases as people may see them."""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

_SECRET: Final = frozenset({"password", "sslpassword"})


def without_password(url: str) -> str:
    """The URL without its passwords, which can stand in two places."""
    parts = urlsplit(url)
    user, has_user, host = parts.netloc.rpartition("@")
    shown = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRET]
    netloc = f"{user.partition(':')[0]}{has_user}{host}"
    # By hand: without a host, `//` has to stay.
    query = f"?{urlencode(shown, safe='/')}" if shown else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}"
