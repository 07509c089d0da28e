"""Server-sent events as text (WHATWG HTML, "Server-sent events"), spelt as PocketBase spells them. Pure."""

from typing import Any, Final

import msgspec

KEEP_ALIVE: Final = b": still here\n\n"
"""A comment, which clients skip; proxies cut connections on which nothing happens."""

_encoder: Final = msgspec.json.Encoder()


def encode_data(data: Any) -> bytes:
    """JSON, which is one line by itself."""
    return _encoder.encode(data)


def encode_event(event_id: str, name: str, data: bytes) -> bytes:
    """`name` and `data` are one line each."""
    return b"".join((f"id:{event_id}\nevent:{name}\ndata:".encode(), data, b"\n\n"))


def is_event_name(text: str) -> bool:
    """Whether it can stand in a line of its own, as every client splits lines."""
    return bool(text) and text.isprintable()
