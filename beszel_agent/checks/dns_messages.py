"""Questions to name servers and their answers, as bytes (RFC 1035 §4). Pure.

An answer is hostile until proved otherwise: it must repeat the question, every length is checked, and a compressed name
may only point backwards, so that none has a loop in it.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

TYPES: Final = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
MAX_ANSWERS: Final = 128

_IN: Final = 1
_HEADER_BYTES: Final = 12
_RESPONSE: Final = 0x8000
_TRUNCATED: Final = 0x0200
_RECURSION_DESIRED: Final = 0x0100
_MAX_NAME_BYTES: Final = 255
_POINTER: Final = 0xC0
_CODES: Final = {
    1: "the name server does not understand the question",
    2: "the name server fails",
    3: "there is no such name",
    4: "the name server does not know this kind of question",
    5: "the name server refuses to answer",
}


class Answer(NamedTuple):
    problem: str | None
    """The name server's own, None if it found something or nothing."""
    is_truncated: bool
    values: tuple[str, ...]
    """Of the records of the type that was asked for: addresses, names in small letters without the last dot, texts."""


def make_question(identifier: int, name: str, record: str) -> bytes:
    """Raise ValueError if `name` is none."""
    header = b"".join(number.to_bytes(2, "big") for number in (identifier, _RECURSION_DESIRED, 1, 0, 0, 0))
    return header + _encode_name(name) + TYPES[record].to_bytes(2, "big") + _IN.to_bytes(2, "big")


def read_answer(data: bytes, question: bytes) -> Answer:
    """Raise ValueError for what is no answer to this very question."""
    flags = _number(data, 2)
    if data[:2] != question[:2] or not flags & _RESPONSE or _number(data, 4) != 1:
        raise ValueError("no answer to this question")
    asked = question[_HEADER_BYTES:]
    start = _HEADER_BYTES + len(asked)
    if data[_HEADER_BYTES:start].lower() != asked.lower():
        raise ValueError("an answer to another question")
    code = flags & 0x000F
    problem = _CODES.get(code, f"the name server answers with code {code}") if code else None
    is_truncated = bool(flags & _TRUNCATED)
    values = () if problem or is_truncated else _read_values(data, start, _number(asked, len(asked) - 4))
    return Answer(problem, is_truncated, values)


def _read_values(data: bytes, position: int, wanted: int) -> tuple[str, ...]:
    values = []
    for _ in range(min(_number(data, 6), MAX_ANSWERS)):
        _, position = _read_name(data, position)
        kind, length = _number(data, position), _number(data, position + 8)
        start = position + 10
        position = start + length
        if position > len(data):
            raise ValueError("a record is cut off")
        if kind == wanted:
            values.append(_read_value(data, start, length, kind))
    return tuple(values)


def _read_value(data: bytes, start: int, length: int, kind: int) -> str:
    content = data[start : start + length]
    if kind == TYPES["A"]:
        return str(IPv4Address(content))
    if kind == TYPES["AAAA"]:
        return str(IPv6Address(content))
    if kind == TYPES["TXT"]:
        return _read_text(content)
    return _read_name(data, start + (2 if kind == TYPES["MX"] else 0))[0]


def _read_text(content: bytes) -> str:
    parts, position = [], 0
    while position < len(content):
        end = position + 1 + content[position]
        parts.append(content[position + 1 : end])
        position = end
    return b"".join(parts).decode("utf-8", "replace")


def _encode_name(name: str) -> bytes:
    encoded = b""
    for label in name.removesuffix(".").split("."):
        raw = label.encode("ascii")
        if not 0 < len(raw) < 64:
            raise ValueError("between the dots of a name stand 1 to 63 characters")
        encoded += bytes([len(raw)]) + raw
    if len(encoded) >= _MAX_NAME_BYTES:
        raise ValueError("the name is too long")
    return encoded + b"\0"


def _read_name(data: bytes, position: int) -> tuple[str, int]:
    """The name at `position` and where what follows it begins."""
    labels: list[str] = []
    size, end, limit = 0, None, position
    while True:
        length = _byte(data, position)
        if length & _POINTER == _POINTER:
            end = position + 2 if end is None else end
            position = _number(data, position) & 0x3FFF
            if position >= limit:
                raise ValueError("a name points to where it comes from")
            limit = position
        elif length & _POINTER:
            raise ValueError("a label of no known kind")
        elif length == 0:
            return ".".join(labels).lower(), position + 1 if end is None else end
        else:
            size += length + 1
            label = data[position + 1 : position + 1 + length]
            if size >= _MAX_NAME_BYTES or len(label) != length:
                raise ValueError("a name is too long")
            labels.append(label.decode("ascii", "replace"))
            position += 1 + length


def _byte(data: bytes, position: int) -> int:
    if position >= len(data):
        raise ValueError("it is cut off")
    return data[position]


def _number(data: bytes, position: int) -> int:
    if position + 2 > len(data):
        raise ValueError("it is cut off")
    return int.from_bytes(data[position : position + 2], "big")
