"""Chunks of a tier: what is kept of the series of one system over many buckets of one length, compressed.

A chunk is `BZT1`, then one zstd frame with its content checksum; inside, msgpack: the number of the first bucket and
every series by its address. A query unpacks only the series it asks for. Columns hold nothing for buckets without a
reading, and as little as possible for what follows from others: the sum is kept as its whole mean and the remainder,
least and greatest by their distance from that.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import chain, compress, repeat
from operator import add, floordiv, mul, sub
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import zstandard

from beszel_hub.metrics.series_codec import DamagedChunk
from beszel_hub.metrics.series_columns import MAX_PLACES
from beszel_hub.metrics.summaries import NOTHING, Bucket, Number, Summary, rescale
from beszel_hub.metrics.tier_columns import Columns
from beszel_hub.metrics.vectors import (
    VectorError,
    pack_doubles,
    pack_vector,
    pack_walk,
    steady_walk,
    unpack_doubles,
    unpack_vector,
    unpack_walk,
)

MAGIC: Final = b"BZT1"
MAX_BUCKETS: Final = 4096
_MAX_INFLATED_BYTES: Final = 1 << 30
_LEVEL: Final = 7

_encoder: Final = msgspec.msgpack.Encoder()


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """One series. `low` … `gain` are vectors over the buckets that have readings."""

    offset: int
    """Of its first bucket from the chunk's."""
    length: int
    places: int | None
    unit: int
    """What every reading is a multiple of: memory comes in pages, a share of a processor in ticks."""
    is_counter: bool
    counts: bytes
    low: bytes
    high: bytes
    last: bytes
    total: bytes
    """Of a gauge its whole mean, of a counter `first`."""
    rest: bytes
    """Of a gauge what its sum has beyond the whole mean, of a counter `gain`."""


class _Body(msgspec.Struct, frozen=True):
    start: int
    series: list[tuple[str, msgspec.Raw]]


class TierChunk:
    """A decoded chunk, whose series are unpacked when they are asked for."""

    def __init__(self, body: _Body) -> None:
        self._start = body.start
        self._raw = dict(body.series)

    @property
    def addresses(self) -> list[str]:
        return list(self._raw)

    def columns(self, address: str, wanted: range | None = None, *, is_brief: bool = False) -> Columns | None:
        """None if nothing here has such a series; raise `DamagedChunk` if it cannot be read.

        `wanted` are the numbers of buckets; if brief, only what a chart shows: without the last readings of gauges,
        and the first and the gains of counters.
        """
        raw = self._raw.get(address)
        if raw is None:
            return None
        try:
            packed = msgspec.msgpack.decode(raw, type=_Packed)
            if not 0 <= packed.length <= MAX_BUCKETS or not 0 <= (packed.places or 0) <= MAX_PLACES:
                raise DamagedChunk("a series of impossible length")
            return _unpack(packed, self._start + packed.offset, wanted, is_brief=is_brief)
        except (VectorError, msgspec.DecodeError, ZeroDivisionError) as error:
            raise DamagedChunk(str(error)) from error

    def summary(self, address: str) -> Summary | None:
        """Likewise, bucket by bucket."""
        columns = self.columns(address)
        if columns is None or not columns.numbers:
            return None
        columns = columns.whole()
        start = columns.numbers[0]
        buckets = [NOTHING] * (columns.numbers[-1] + 1 - start)
        zeros = repeat(0)
        filled = map(
            Bucket, columns.counts, columns.lows, columns.highs, columns.lasts, columns.totals() or zeros,
            columns.firsts or zeros, columns.gains or zeros,
        )  # fmt: skip
        for number, bucket in zip(columns.numbers, filled, strict=True):
            buckets[number - start] = bucket
        return Summary(start, buckets, columns.places, columns.is_counter)

    def summaries(self) -> dict[str, Summary]:
        """Every series."""
        found = ((address, self.summary(address)) for address in self._raw)
        return {address: summary for address, summary in found if summary is not None}


class SealedTier(NamedTuple):
    data: bytes
    numbers: int
    """How many it holds: of each bucket the mean, least, greatest and last, and how many readings."""


def seal_tier(summaries: Mapping[str, Summary]) -> SealedTier:
    """Compress summaries of one resolution, by address."""
    start = min((summary.start for summary in summaries.values()), default=0)
    series = []
    numbers = 0
    for address in sorted(summaries):
        summary = summaries[address]
        packed = _pack(summary, summary.start - start)
        numbers += _KEPT_A_BUCKET * sum(1 for bucket in summary.buckets if bucket.readings)
        series.append((address, msgspec.Raw(_encoder.encode(packed))))
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    return SealedTier(MAGIC + compressor.compress(_encoder.encode(_Body(start, series))), numbers)


def unseal_tier(data: bytes) -> TierChunk:
    """Raise `DamagedChunk` if `data` is not what `seal_tier` gave."""
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedChunk("not a chunk of a tier of a version known here")
    try:
        frame = data[len(MAGIC) :]
        if not 0 <= zstandard.frame_content_size(frame) <= _MAX_INFLATED_BYTES:
            raise DamagedChunk("a chunk of impossible size")
        return TierChunk(msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(frame), type=_Body))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise DamagedChunk(str(error)) from error


_KEPT_A_BUCKET: Final = 5


def _pack(summary: Summary, offset: int) -> _Packed:
    present = [bucket for bucket in summary.buckets if bucket.readings]
    if summary.places is None:
        return _pack_doubles(summary, present, offset)
    try:
        return _pack_exact(summary, present, offset)
    except OverflowError:
        return _pack_doubles(summary, rescale(present, summary.places, None), offset)


def _pack_exact(summary: Summary, present: list[Bucket], offset: int) -> _Packed:
    columns = _transposed(present)
    unit = math.gcd(*chain.from_iterable(columns[1:])) or 1
    counts, lows, highs, lasts, totals, firsts, gains = [
        columns[0],
        *(_divided(column, unit) for column in columns[1:]),
    ]
    if summary.is_counter:
        rises = list(map(sub, gains, map(sub, lasts, firsts)))
        vectors = (pack_walk(lows), pack_vector(_less(highs, lows)), pack_vector(_less(highs, lasts)),
                   pack_vector(_less(firsts, lows)), pack_vector(rises))  # fmt: skip
    else:
        base = list(map(floordiv, totals, counts))
        rest = list(map(sub, totals, map(mul, base, counts)))
        vectors = (pack_vector(_less(base, lows)), pack_vector(_less(highs, base)), pack_vector(_less(lasts, base)),
                   pack_walk(base), pack_vector(rest))  # fmt: skip
    counted = _pack_counts(summary)
    return _Packed(offset, len(summary.buckets), summary.places, unit, summary.is_counter, counted, *vectors)


def _pack_doubles(summary: Summary, present: list[Bucket], offset: int) -> _Packed:
    _, lows, highs, lasts, totals, firsts, gains = _transposed(present)
    columns = (lows, highs, lasts, firsts if summary.is_counter else totals, gains if summary.is_counter else ())
    return _Packed(
        offset, len(summary.buckets), None, 1, summary.is_counter, _pack_counts(summary), *map(pack_doubles, columns)
    )


class _Cut(NamedTuple):
    """Of vectors of `size` numbers, those from `begin` until before `end`."""

    size: int
    begin: int
    end: int


def _unpack(packed: _Packed, start: int, wanted: range | None, *, is_brief: bool) -> Columns:
    length = packed.length
    begin = 0 if wanted is None else min(max(wanted.start - start, 0), length)
    end = length if wanted is None else min(max(wanted.stop - start, begin), length)
    numbers: Sequence[int] = range(start + begin, start + end)
    cut = _Cut(length, begin, end)
    steady = steady_walk(packed.counts, length) if length else None
    if steady:  # as where no sample is missing and none came late
        counts = [steady] * len(numbers)
    else:
        dense = unpack_walk(packed.counts, length)
        counts = dense[begin:end]
        if not all(dense):
            filled = list(compress(range(length), dense))
            cut = _Cut(len(filled), bisect_left(filled, begin), bisect_left(filled, end))
            numbers, counts = list(compress(numbers, counts)), [count for count in counts if count]
    if packed.places is None:
        columns = _unpack_doubles(packed, cut)
    elif packed.is_counter:
        columns = _unpack_counter(packed, cut, is_brief=is_brief)
    else:
        columns = _unpack_gauge(packed, cut, is_brief=is_brief)
    return Columns(numbers, counts, *columns, packed.unit, packed.places, packed.is_counter)


_Seven: TypeAlias = tuple[
    Sequence[Number], Sequence[Number], Sequence[Number], Sequence[Number], Sequence[Number], Sequence[Number],
    Sequence[Number],
]  # fmt: skip
"""Lows, highs, lasts, means, rests, firsts and gains."""


def _unpack_gauge(packed: _Packed, cut: _Cut, *, is_brief: bool) -> _Seven:
    means = unpack_walk(packed.total, *cut)
    lows = list(map(sub, means, unpack_vector(packed.low, *cut))) if packed.low else means
    highs = list(map(add, means, unpack_vector(packed.high, *cut))) if packed.high else means
    lasts = () if is_brief else list(map(add, means, unpack_vector(packed.last, *cut)))
    return lows, highs, lasts, means, unpack_vector(packed.rest, *cut), (), ()


def _unpack_counter(packed: _Packed, cut: _Cut, *, is_brief: bool) -> _Seven:
    lows = unpack_walk(packed.low, *cut)
    highs = list(map(add, lows, unpack_vector(packed.high, *cut)))
    lasts = list(map(sub, highs, unpack_vector(packed.last, *cut))) if packed.last else highs
    if is_brief:
        return lows, highs, lasts, (), (), (), ()
    firsts = list(map(add, lows, unpack_vector(packed.total, *cut)))
    gains = list(map(add, unpack_vector(packed.rest, *cut), _less(lasts, firsts)))
    return lows, highs, lasts, (), (), firsts, gains


def _unpack_doubles(packed: _Packed, cut: _Cut) -> _Seven:
    def unpacked(data: bytes) -> list[float]:
        return unpack_doubles(data, cut.size)[cut.begin : cut.end]

    lows, highs, lasts, totals = map(unpacked, (packed.low, packed.high, packed.last, packed.total))
    if packed.is_counter:
        return lows, highs, lasts, (), (), totals, unpacked(packed.rest)
    return lows, highs, lasts, (), totals, (), ()


def _transposed(present: list[Bucket]) -> list[list[Any]]:
    return [list(column) for column in zip(*present, strict=True)] if present else [[] for _ in NOTHING]


def _pack_counts(summary: Summary) -> bytes:
    return pack_walk([bucket.readings for bucket in summary.buckets])


def _divided(column: list[int], unit: int) -> list[int]:
    return column if unit == 1 else [number // unit for number in column]


def _less(minuends: list[int], subtrahends: list[int]) -> list[int]:
    return list(map(sub, minuends, subtrahends))
