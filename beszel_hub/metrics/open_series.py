"""Series that are asked for without their names: `containers[].cpu_percent` is that of every container there was.

The functions run inside `Database.read`.
"""

from collections.abc import Collection
from itertools import islice
from typing import Final

from beszel_hub.metrics.buckets import Aggregate
from beszel_hub.metrics.reader import Range, part_of, read_parts
from beszel_hub.metrics.series import find_spacing_ms
from beszel_protocol.addresses import Address, parse_address

MAX_SERIES: Final = 2048
"""In one answer; the first by address."""


def is_open(address: Address) -> bool:
    """Whether a key of it is left empty."""
    return any(step.key == "" for step in address)


def read_open(system_id: str, wanted: Collection[Address], span: Range, seconds: int) -> dict[Address, Aggregate]:
    """Every series that fits one of the addresses and has a reading in the span, in buckets of that many seconds."""
    parts = {part_of(str(address)) for address in wanted}
    _, found = read_parts(system_id, parts, span, seconds, find_spacing_ms(system_id, span.to_ms))
    read = ((parse_address(text), found[text]) for text in sorted(found))
    fitting = (
        (address, aggregate)
        for address, aggregate in read
        if any(_fits(address, each) for each in wanted) and any(bucket.readings for bucket in aggregate.buckets)
    )
    return dict(islice(fitting, MAX_SERIES))


def _fits(address: Address, wanted: Address) -> bool:
    return len(address) == len(wanted) and all(
        name == wanted_name and (key == wanted_key or (wanted_key == "" and key is not None))
        for (name, key), (wanted_name, wanted_key) in zip(address, wanted, strict=True)
    )
