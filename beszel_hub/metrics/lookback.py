"""The newest part of the history of many systems, for whoever judges them: each part of it is read once for all.

What is wanted of a system is told as looks. Roll-ups serve those with long buckets; single samples, of chunks and of
hot rows, are gone through once for all looks at a system. Everything runs inside `Database.read`.
"""

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from beszel_hub.alerts.past import Form, Recollection
from beszel_hub.alerts.window import Past
from beszel_hub.metrics.buckets import Aggregate, Grid
from beszel_hub.metrics.narrow import Narrow, narrow_to
from beszel_hub.metrics.past import PastSample, Side, samples_of, value_of
from beszel_hub.metrics.reader import Range, part_of, rollup_of
from beszel_hub.metrics.series_blocks import read_chunk_block, read_hot_block, read_tier_block
from beszel_hub.metrics.series_codec import Chunk, DamagedChunk
from beszel_hub.metrics.strands import Strand, join_strands, strands_where
from beszel_hub.metrics.tier_codec import TierChunk
from beszel_hub.metrics.tiers import TIERS, Tier, tier_of
from beszel_protocol.addresses import Address, parse_address
from beszel_protocol.metrics import Rollup
from beszel_protocol.sample import Metrics

_SPEAKS_MS: Final = 1000
"""For how long a single sample speaks."""

log = logging.getLogger(__name__)


class Look(NamedTuple):
    """A part of a system's past, in buckets of so many seconds; patterns of the catalogue with what is wanted."""

    system_id: str
    sides: Mapping[str, Side]
    span: Range
    seconds: int
    form: Form = "samples"


def look_back(looks: Sequence[Look]) -> list[Recollection]:
    """Of each look what was read, oldest first; buckets without a reading are left out."""
    views = [_View(look) for look in looks]
    _add_tiers([view for view in views if view.tiers])
    of_system: dict[str, _Sight] = {}
    for view in views:
        of_system.setdefault(view.look.system_id, _Sight()).add(view)
    to_ms = max((look.span.to_ms for look in looks), default=0)
    froms_ms = {system_id: sight.from_ms for system_id, sight in of_system.items()}
    for system_id, chunk in read_chunk_block(froms_ms, to_ms):
        of_system[system_id].add_chunk(system_id, chunk)
    for system_id, rows in groupby(read_hot_block(froms_ms, to_ms), key=itemgetter(0)):
        of_system[system_id].add_hot((instant_ms, document) for _, instant_ms, document in rows)
    for sight in of_system.values():
        sight.finish()
    return [view.answer() for view in views]


class _View:
    """One look while it is filled."""

    def __init__(self, look: Look) -> None:
        self.look = look
        span = look.span
        self.grid = Grid(span.from_ms, span.to_ms, look.seconds)
        self.aggregates: dict[str, Aggregate] = {}
        self._series: dict[Address, list[Past]] = {}
        self.single: list[tuple[int, Metrics]] = []
        self.tiers = [] if look.form == "single samples" else _coarse_first(tier_of(look.seconds))
        self.covered_ms = span.from_ms if look.form == "single samples" else self.grid.from_ms
        """Until where roll-ups have told everything."""

    def add_tier(self, tier: Tier, begin_ms: int, chunk: TierChunk) -> None:
        wanted = range(-(-begin_ms // tier.bucket_ms), self.grid.to_ms // tier.bucket_ms)
        for text in chunk.addresses:
            if _pattern_of(text) in self.look.sides:
                columns = chunk.columns(text, wanted)
                if columns is not None:
                    self._aggregate(text).add_columns(columns, tier.bucket_ms)

    def add_strand(self, text: str, strand: Strand) -> None:
        side = self.look.sides.get(_pattern_of(text))
        part = None if side is None else strand.cut(self.covered_ms, self.grid.to_ms)
        if part is None or side is None:
            return
        if self.look.form == "series" and not self.tiers:
            self._series[_parse(text)] = list(_fold(part, self.look.span, self.grid.step_ms, side))
        else:
            self._aggregate(text).add_strand(part)

    def answer(self) -> Recollection:
        if self.look.form == "series":
            return Recollection(self._series or self._read_series(), ())
        if self.look.form == "samples":
            return Recollection({}, list(samples_of(self.grid, self.aggregates, self.look.sides, self.look.span)))
        self.single.sort(key=itemgetter(0))
        return Recollection({}, [PastSample(at_ms, at_ms + _SPEAKS_MS, 1, metrics) for at_ms, metrics in self.single])

    def _read_series(self) -> dict[Address, list[Past]]:
        span, step_ms, stamps = self.look.span, self.grid.step_ms, self.grid.timestamps_ms
        found: dict[Address, list[Past]] = {}
        for text, aggregate in self.aggregates.items():
            address = _parse(text)
            side, is_counter = self.look.sides[address.pattern], rollup_of(address) is Rollup.LAST
            found[address] = [
                Past(at_ms, at_ms + step_ms, bucket.readings, value_of(bucket, side, is_counter=is_counter))
                for at_ms, bucket in zip(stamps, aggregate.buckets, strict=True)
                if bucket.readings and span.from_ms <= at_ms < span.to_ms
            ]
        return found

    def _aggregate(self, text: str) -> Aggregate:
        aggregate = self.aggregates.get(text)
        if aggregate is None:
            aggregate = self.aggregates[text] = Aggregate(self.grid, rollup_of(_parse(text)))
        return aggregate


def _fold(strand: Strand, span: Range, step_ms: int, side: Side) -> Iterator[Past]:
    """What an aggregate would come to, of single samples and one side only: ten times as many as all else together."""
    instants, scale = strand.instants_ms, 10 ** (strand.places or 0)
    take = "last" if strand.is_counter and side == "mean" else side
    position = bisect_left(instants, span.from_ms + -span.from_ms % step_ms)
    while position < len(instants):
        from_ms = instants[position] - instants[position] % step_ms
        end = bisect_left(instants, from_ms + step_ms, position)
        yield Past(from_ms, from_ms + step_ms, end - position, _SIDES[take](strand.values[position:end]) / scale)
        position = end


_SIDES: Final[Mapping[Side, Callable[[Sequence[float]], float]]] = {
    "mean": lambda values: sum(values) / len(values), "least": min, "greatest": max, "last": itemgetter(-1),
}  # fmt: skip


class _Sight:
    """All looks at one system, and the single samples that they need."""

    def __init__(self) -> None:
        self._folded: list[_View] = []
        self._whole: list[_View] = []
        self._strands: dict[str, list[Strand]] = {}
        self._narrow: Narrow | None = None
        self._parts: frozenset[str] = frozenset()

    def add(self, view: _View) -> None:
        if view.look.form == "single samples":
            self._whole.append(view)
            self._parts |= {part_of(pattern) for pattern in view.look.sides}
        else:
            self._folded.append(view)

    @property
    def from_ms(self) -> int:
        return min(view.covered_ms for view in (*self._folded, *self._whole))

    @property
    def narrow(self) -> Narrow:
        if self._narrow is None:
            self._narrow = narrow_to(frozenset(pattern for view in self._folded for pattern in view.look.sides))
        return self._narrow

    def add_chunk(self, system_id: str, chunk: Chunk) -> None:
        try:
            if self._folded:
                self._keep(strands_where(chunk, self.narrow.has_path))
            if self._whole:
                self._add_single(
                    (entry.instant_ms, msgspec.convert(entry.document, Metrics)) for entry in chunk.entries(self._parts)
                )
        except DamagedChunk as damage:
            log.error("a part of the history of system %s is damaged and left out: %s", system_id, damage)

    def add_hot(self, rows: Iterable[tuple[int, bytes]]) -> None:
        if self._whole:
            rows = list(rows)
            self._add_single(_members(rows, self._parts))
        if self._folded:
            self._keep(self.narrow.strands(rows))

    def finish(self) -> None:
        for text, strands in self._strands.items():
            joined = join_strands(strands)
            for view in self._folded:
                view.add_strand(text, joined)
        self._strands.clear()

    def _keep(self, strands: Mapping[str, Strand]) -> None:
        for text, strand in strands.items():
            self._strands.setdefault(text, []).append(strand)

    def _add_single(self, samples: Iterable[tuple[int, Metrics]]) -> None:
        for sample in samples:
            for view in self._whole:
                if view.look.span.from_ms <= sample[0] < view.look.span.to_ms:
                    view.single.append(sample)


def _members(rows: Iterable[tuple[int, bytes]], parts: frozenset[str]) -> Iterator[tuple[int, Metrics]]:
    for instant_ms, document in rows:
        members: dict[str, Any] = msgspec.json.decode(document)
        wanted = {name: member for name, member in members.items() if name in parts}
        yield instant_ms, msgspec.convert(wanted, Metrics)


def _add_tiers(views: Sequence[_View]) -> None:
    """Coarse tiers first, then finer ones for what these do not have yet."""
    for tier in reversed(TIERS):
        wanting: dict[str, list[tuple[_View, int]]] = {}
        for view in views:
            if tier in view.tiers:
                wanting.setdefault(view.look.system_id, []).append((view, view.covered_ms))
        if not wanting:
            continue
        from_ms = min(begin_ms for found in wanting.values() for _, begin_ms in found)
        to_ms = max(view.grid.to_ms for found in wanting.values() for view, _ in found)
        for system_id, last_ms, chunk in read_tier_block(sorted(wanting), tier, from_ms, to_ms):
            for view, begin_ms in wanting[system_id]:
                if last_ms > begin_ms:
                    _add_tier(view, tier, begin_ms, last_ms, chunk)


def _add_tier(view: _View, tier: Tier, begin_ms: int, last_ms: int, chunk: TierChunk) -> None:
    view.covered_ms = max(view.covered_ms, last_ms)
    try:
        view.add_tier(tier, begin_ms, chunk)
    except DamagedChunk as damage:
        log.error("a roll-up of the history of system %s is damaged and left out: %s", view.look.system_id, damage)


@lru_cache(maxsize=1 << 14)
def _parse(text: str) -> Address:
    return parse_address(text)


@lru_cache(maxsize=1 << 14)
def _pattern_of(text: str) -> str:
    return _parse(text).pattern


def _coarse_first(tier: Tier | None) -> list[Tier]:
    return [] if tier is None else [each for each in reversed(TIERS) if each.seconds <= tier.seconds]
