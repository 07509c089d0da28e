"""Reading history at any resolution: the coarsest tier that fits, and finer ones for what is not rolled up yet.

The functions run inside `Database.read`.
"""

import re
from collections.abc import Container, Sequence
from typing import Final, NamedTuple

from beszel_hub.metrics.buckets import Aggregate, Grid, choose_resolution, phase_of
from beszel_hub.metrics.series import find_spacing_ms, read_all_strands, read_strands
from beszel_hub.metrics.series_codec import DamagedChunk
from beszel_hub.metrics.series_tiers import find_first, floors_of, read_chunks, report_damage
from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.tier_codec import TierChunk
from beszel_hub.metrics.tier_columns import Columns, join_columns
from beszel_hub.metrics.tiers import RAW, TIERS, Tier, tier_of
from beszel_protocol.addresses import Address, parse_address
from beszel_protocol.metrics import Rollup

_SAMPLED_FOR_PHASE: Final = 300


class Range(NamedTuple):
    """`from_ms <= instant < to_ms`."""

    from_ms: int
    to_ms: int


def read_aggregates(
    system_id: str, addresses: Sequence[Address], span: Range, points: int
) -> tuple[Grid, list[Aggregate]]:
    """What a chart shows of the series: the finest resolution with at most `points` buckets that is still kept."""
    spacing_ms = find_spacing_ms(system_id, span.to_ms)
    finest = finest_kept(system_id, span.from_ms)
    seconds = choose_resolution(span.to_ms - span.from_ms, points, spacing_ms, finest)
    return read_at(system_id, addresses, span, seconds, spacing_ms, is_brief=True)


def read_at(
    system_id: str, addresses: Sequence[Address], span: Range, seconds: int, spacing_ms: float | None = None, *,
    is_brief: bool = False,
) -> tuple[Grid, list[Aggregate]]:  # fmt: skip
    """The series in buckets of that many seconds, the first and last of them whole; if brief, what a chart shows."""
    grid = Grid(span.from_ms, span.to_ms, seconds)
    aggregates = [Aggregate(grid, rollup_of(address)) for address in addresses]
    texts = [str(address) for address in addresses]
    covered_ms = grid.from_ms
    for tier in _from_coarse(tier_of(seconds)):
        begin_ms = covered_ms
        wanted = range(-(-begin_ms // tier.bucket_ms), grid.to_ms // tier.bucket_ms)
        stretches: list[list[Columns]] = [[] for _ in addresses]
        for row, chunk in read_chunks(system_id, tier, begin_ms, grid.to_ms):
            covered_ms = max(covered_ms, row.last)
            for text, stretch in zip(texts, stretches, strict=True):
                columns = _columns_or_none(system_id, chunk, text, wanted, is_brief=is_brief)
                if columns is not None:
                    stretch.append(columns)
        for aggregate, stretch in zip(aggregates, stretches, strict=True):
            for columns in join_columns(stretch):
                aggregate.add_columns(columns, tier.bucket_ms)
    if addresses and covered_ms < grid.to_ms:
        _add_samples(system_id, addresses, grid, aggregates, covered_ms, spacing_ms)
    return grid, aggregates


def read_parts(
    system_id: str, parts: Container[str], span: Range, seconds: int, spacing_ms: float | None = None
) -> tuple[Grid, dict[str, Aggregate]]:
    """Every series of these members of a sample (`cpu`, `disk` …) by address, in buckets of that many seconds."""
    grid = Grid(span.from_ms, span.to_ms, seconds)
    found: dict[str, Aggregate] = {}
    covered_ms = grid.from_ms
    for tier in _from_coarse(tier_of(seconds)):
        begin_ms = covered_ms
        wanted = range(-(-begin_ms // tier.bucket_ms), grid.to_ms // tier.bucket_ms)
        for row, chunk in read_chunks(system_id, tier, begin_ms, grid.to_ms):
            covered_ms = max(covered_ms, row.last)
            for text in chunk.addresses:
                if part_of(text) in parts:
                    columns = _columns_or_none(system_id, chunk, text, wanted)
                    if columns is not None:
                        _aggregate_of(found, text, grid).add_columns(columns, tier.bucket_ms)
    if covered_ms < grid.to_ms:
        margin_ms = _margin_ms(grid, spacing_ms)
        strands = read_all_strands(system_id, parts, covered_ms - margin_ms, grid.to_ms + margin_ms)
        for text, part in zip(strands, _moved(grid, covered_ms, margin_ms, [*strands.values()]), strict=True):
            if part is not None:
                _aggregate_of(found, text, grid).add_strand(part)
    return grid, found


def part_of(address: str) -> str:
    """The member of a sample in which a series lies."""
    return re.split(r"[.\[]", address, maxsplit=1)[0]


def _aggregate_of(found: dict[str, Aggregate], address: str, grid: Grid) -> Aggregate:
    aggregate = found.get(address)
    if aggregate is None:
        aggregate = found[address] = Aggregate(grid, rollup_of(parse_address(address)))
    return aggregate


def _columns_or_none(
    system_id: str, chunk: TierChunk, address: str, wanted: range, *, is_brief: bool = False
) -> Columns | None:
    """The buckets with these numbers."""
    try:
        return chunk.columns(address, wanted, is_brief=is_brief)
    except DamagedChunk as damage:
        report_damage(system_id, damage)
        return None


def rollup_of(address: Address) -> Rollup:
    metric = address.metric
    return Rollup.MEAN if metric is None else metric.rollup


def _add_samples(
    system_id: str, addresses: Sequence[Address], grid: Grid, aggregates: Sequence[Aggregate], from_ms: int,
    spacing_ms: float | None,
) -> None:  # fmt: skip
    margin_ms = _margin_ms(grid, spacing_ms)
    strands = read_strands(system_id, addresses, from_ms - margin_ms, grid.to_ms + margin_ms)
    for aggregate, part in zip(aggregates, _moved(grid, from_ms, margin_ms, strands), strict=True):
        if part is not None:
            aggregate.add_strand(part)


def _margin_ms(grid: Grid, spacing_ms: float | None) -> int:
    """How far beside the grid samples may lie that are moved into it: not at all unless buckets hold about one each."""
    return grid.step_ms if spacing_ms is not None and grid.step_ms < 2 * spacing_ms else 0


def _moved(grid: Grid, from_ms: int, margin_ms: int, strands: Sequence[Strand | None]) -> list[Strand | None]:
    """What of the strands belongs to the grid from an instant on, before which tiers tell everything."""
    if not margin_ms:
        return [*strands]
    longest = max((strand.instants_ms for strand in strands if strand is not None), key=len, default=())
    grid.phase_ms = phase_of(longest[-_SAMPLED_FOR_PHASE:], grid.resolution_seconds)
    # Of the margin before, only what moves to this side of the border is not told by a tier already.
    begin_ms, end_ms = from_ms + min(0, grid.phase_ms), grid.to_ms + margin_ms
    return [None if strand is None else strand.cut(begin_ms, end_ms) for strand in strands]


def _from_coarse(tier: Tier | None) -> list[Tier]:
    """The tier and the finer ones, coarsest first."""
    return [] if tier is None else [each for each in reversed(TIERS) if each.seconds <= tier.seconds]


def finest_kept(system_id: str, from_ms: int) -> int:
    """The length of the shortest buckets that history still has at the beginning of a range, 1 for samples."""
    floors_ms = floors_of(system_id)
    for position, tier in enumerate((RAW, *(tier.seconds for tier in TIERS))):
        floor_ms = floors_ms.get(tier, 0)
        if floor_ms <= from_ms or not _begins_before(system_id, TIERS[position:], floor_ms):
            return max(1, tier)
        # What is asked for begins where this tier has been deleted and a coarser one has something.
    return TIERS[-1].seconds


def _begins_before(system_id: str, tiers: Sequence[Tier], instant_ms: int) -> bool:
    firsts_ms = (find_first(system_id, tier) for tier in tiers)
    return any(first_ms is not None and first_ms < instant_ms for first_ms in firsts_ms)
