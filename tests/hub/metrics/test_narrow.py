"""Decoding a few series of very many documents gives what decoding all of each gives."""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from beszel_hub.metrics.narrow import Narrow
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import Metrics, catalogue
from tests.support.samples import any_metrics, make_metrics

few = st.lists(any_metrics, min_size=1, max_size=4)
patterns = st.sets(st.sampled_from(sorted(catalogue())), min_size=1, max_size=8)


@settings(deadline=None)  # what is decoded is laid out anew for every example
@given(few, patterns)
def test_narrow_readings_are_those_of_the_whole_sample(samples: Sequence[Metrics], wanted: set[str]) -> None:
    expected: dict[str, list[tuple[int, float]]] = {}
    for number, metrics in enumerate(samples):
        for address, value in dict(flatten(metrics)).items():
            if address.pattern in wanted:
                expected.setdefault(str(address), []).append((number, value))
    strands = Narrow(wanted).strands((number, msgspec.json.encode(metrics)) for number, metrics in enumerate(samples))
    assert {address: list(zip(*strand[:2], strict=True)) for address, strand in strands.items()} == expected


def test_what_cannot_be_read_is_left_out() -> None:
    documents = [(1, b"{"), (2, msgspec.json.encode(make_metrics(7.0))), (3, b'{"cpu": {"usage_percent": "much"}}')]
    strand = Narrow(["cpu.usage_percent", "no.such[].series"]).strands(documents)["cpu.usage_percent"]
    assert (strand.instants_ms, strand.values) == ([2], [7.0])


def test_columns_of_chunks() -> None:
    narrow = Narrow(["disk[].usage_percent", "containers[].cpu_percent", "cpu.usage_percent"])
    assert narrow.has_path(("disk", "/", "usage_percent"))
    assert narrow.has_path(("containers", 3, "cpu_percent"))
    assert not narrow.has_path(("disk", "/", "used_bytes"))
    assert not narrow.has_path(("disk", "/"))
    assert not narrow.has_path(("cpu", "usage_percent", 0))
    assert not narrow.has_path(("containers", 3, "name"))
