"""Whole numbers in bytes: as narrow as they allow, and laid out so that a compressor finds what they share.

A vector is one byte that says how wide its numbers are, then their bytes in planes: all lowest bytes, then all second
ones, and so on. The high bytes of small differences are alike, and planes put them side by side. A divisor that all
share (memory comes in pages, disks in sectors) is written once. A vector of zeros has no bytes at all. Pure.
"""

import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat
from operator import mul, sub
from typing import Final

_SIGNED: Final = 0x10
"""Set where numbers below zero are among them: then the lowest bit holds the sign."""
_DIVIDED: Final = 0x20
"""Set where the numbers were divided by a number of eight bytes, which follows."""
_DIVISOR_BYTES: Final = 8
_CODES: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_SIGNED_CODES: Final = {width: code.lower() for width, code in _CODES.items()}
_LITTLE_ENDIAN: Final = sys.byteorder == "little"

LIMIT: Final = 2**62
"""Every number lies between minus this and this."""


class VectorError(ValueError):
    """The bytes are no vector of that many numbers."""


def pack_vector(values: Sequence[int]) -> bytes:
    """Raise OverflowError if a number lies beyond `LIMIT`."""
    low, high = min(values, default=0), max(values, default=0)
    if low == high == 0:
        return b""
    if low <= -LIMIT or high >= LIMIT:
        raise OverflowError("numbers of more than 62 bits")
    flags, head = 0, b""
    divisor = math.gcd(*values)
    if divisor > 1:
        flags, head = _DIVIDED, divisor.to_bytes(_DIVISOR_BYTES, "little")
        values = [value // divisor for value in values]
        low, high = low // divisor, high // divisor
    if low < 0:
        flags |= _SIGNED
        values = [value << 1 if value >= 0 else ~(value << 1) for value in values]
        high = max(high << 1, ~(low << 1))
    width = next(width for width in _CODES if high < 1 << (8 * width))
    return bytes((width | flags,)) + head + _to_planes(array(_CODES[width], values), width)


def unpack_vector(data: bytes, count: int, begin: int = 0, end: int | None = None) -> Sequence[int]:
    """The numbers from `begin` until before `end`; raise `VectorError` if `data` is not a vector of `count` numbers."""
    end = count if end is None else end
    if not data:
        return bytes(end - begin)
    width, start = _layout(data, count)
    planes = [data[start + plane * count + begin : start + plane * count + end] for plane in range(width)]
    values = _from_planes(planes, is_signed=bool(data[0] & _SIGNED))
    if data[0] & _DIVIDED:
        return list(map(mul, values, repeat(int.from_bytes(data[1:start], "little"))))
    return values


def pack_walk(values: Sequence[int]) -> bytes:
    """Numbers of which each is near the one before."""
    return pack_vector(list(map(sub, values, (0, *values))))


def unpack_walk(data: bytes, count: int, begin: int = 0, end: int | None = None) -> list[int]:
    """Likewise, of a walk."""
    if not data:
        return [0] * ((count if end is None else end) - begin)
    steps = unpack_vector(data, count, 0, end)
    if not begin:
        return list(accumulate(steps))
    return list(accumulate(steps[begin:], initial=sum(steps[:begin])))[1:]


def steady_walk(data: bytes, count: int) -> int | None:
    """What all of `count` numbers are, if they are the same; raise `VectorError` as the others do."""
    if not data:
        return 0
    width, start = _layout(data, count)
    stays = bytes(count - 1)
    for plane in range(width):
        if data[start + plane * count + 1 : start + (plane + 1) * count] != stays:
            return None
    return unpack_vector(data, count, 0, 1)[0]


def pack_doubles(values: Iterable[float]) -> bytes:
    return _to_planes(array("d", values), 8)


def unpack_doubles(data: bytes, count: int) -> list[float]:
    if len(data) != 8 * count:
        raise VectorError(f"not {count} doubles")
    numbers = array("d")
    numbers.frombytes(_interleave([data[plane * count : (plane + 1) * count] for plane in range(8)]))
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers.tolist()


def _layout(data: bytes, count: int) -> tuple[int, int]:
    """How many bytes a number has, and where the planes begin."""
    width = data[0] & ~(_SIGNED | _DIVIDED)
    start = 1 + _DIVISOR_BYTES if data[0] & _DIVIDED else 1
    if count < 1 or width not in _CODES or len(data) != start + width * count:
        raise VectorError(f"not a vector of {count} numbers")
    return width, start


def _to_planes(numbers: "array[int] | array[float]", width: int) -> bytes:
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    flat = numbers.tobytes()
    return flat if width == 1 else b"".join(flat[plane::width] for plane in range(width))


def _from_planes(planes: Sequence[bytes], *, is_signed: bool) -> Sequence[int]:
    width = len(planes)
    flat = planes[0] if width == 1 else _interleave(planes)
    if not is_signed and width == 1:
        return flat
    numbers = array(_SIGNED_CODES[width] if is_signed else _CODES[width])
    numbers.frombytes(_signs_spread(flat, width) if is_signed else flat)
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers


def _signs_spread(flat: bytes, width: int) -> bytes:
    """Numbers whose lowest bit holds the sign, in two's complement: `(number >> 1) ^ -(number & 1)`, all at once.

    They stand side by side in one great number, whose arithmetic is many times as quick as a loop over them.
    """
    lanes = int.from_bytes(flat, "little")
    signs = lanes & int.from_bytes((b"\1" + bytes(width - 1)) * (len(flat) // width), "little")
    halves = (lanes ^ signs) >> 1
    return (halves ^ signs * ((1 << 8 * width) - 1)).to_bytes(len(flat), "little")


def _interleave(planes: Sequence[bytes]) -> bytes:
    width = len(planes)
    flat = bytearray(width * len(planes[0]))
    for offset, plane in enumerate(planes):
        flat[offset::width] = plane
    return bytes(flat)
