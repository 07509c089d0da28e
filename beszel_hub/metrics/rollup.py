"""The first roll-up: the readings of single samples, gathered into buckets. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.summaries import Summary, summarise


def fold(strands: Mapping[str, Strand], resolution_ms: int) -> dict[str, Summary]:
    """Buckets of every series."""
    summaries: dict[str, Summary] = {}
    borders: dict[int, list[tuple[int, int, int]]] = {}
    for address, strand in strands.items():
        # Most series have a reading in every sample, and share the list of instants.
        parts = borders.get(id(strand.instants_ms))
        if parts is None:
            parts = borders[id(strand.instants_ms)] = split(strand.instants_ms, resolution_ms)
        if not parts:
            continue
        summary = Summary(parts[0][0], [], strand.places, strand.is_counter)
        values = strand.values
        for number, begin, end in parts:
            summary.append(number, summarise(values[begin:end], is_counter=strand.is_counter), strand.places)
        summaries[address] = summary
    return summaries


def split(instants_ms: Sequence[int], resolution_ms: int) -> list[tuple[int, int, int]]:
    """Ascending instants by bucket: its number since the epoch, and from where to where its instants stand."""
    parts = []
    begin = 0
    while begin < len(instants_ms):
        number = instants_ms[begin] // resolution_ms
        end = bisect_left(instants_ms, (number + 1) * resolution_ms, begin)
        parts.append((number, begin, end))
        begin = end
    return parts
