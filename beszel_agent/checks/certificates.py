"""When a certificate begins and ends, read from its DER (RFC 5280 §4.1). Pure.

Python tells that only of certificates it has verified, and loading a library for it would cost the agent 9 MB.
"""

from datetime import UTC, datetime
from typing import Final, NamedTuple

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_MAX_LENGTH_BYTES: Final = 4


class Validity(NamedTuple):
    """Both in seconds since 1970."""

    since: float
    until: float


class _Element(NamedTuple):
    tag: int
    content: bytes
    rest: bytes


def read_validity(certificate: bytes) -> Validity | None:
    """None for what is no certificate."""
    try:
        body = _take(_take(certificate, _SEQUENCE).content, _SEQUENCE).content
        if body[:1] == bytes([_VERSION]):
            body = _take(body, _VERSION).rest
        for tag in (_INTEGER, _SEQUENCE, _SEQUENCE):  # serial number, signature algorithm, issuer
            body = _take(body, tag).rest
        since = _next(_take(body, _SEQUENCE).content)
        until = _next(since.rest)
        return Validity(_instant(since), _instant(until))
    except (ValueError, IndexError, OverflowError):
        return None


def _take(data: bytes, tag: int) -> _Element:
    element = _next(data)
    if element.tag != tag:
        raise ValueError(f"tag {tag:#x} expected, {element.tag:#x} found")
    return element


def _next(data: bytes) -> _Element:
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= _MAX_LENGTH_BYTES:
            raise ValueError("no length that a certificate has")
        start += count
        length = int.from_bytes(data[2:start], "big")
    end = start + length
    if end > len(data):
        raise ValueError("it is cut off")
    return _Element(data[0], data[start:end], data[end:])


def _instant(element: _Element) -> float:
    text = element.content.decode("ascii")
    if element.tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif element.tag != _GENERALIZED_TIME:
        raise ValueError("neither of the two kinds of time")
    if len(text) != len("YYYYMMDDHHMMSSZ") or not text[:-1].isdecimal() or text[-1] != "Z":
        raise ValueError("no instant as certificates have it")
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp()
