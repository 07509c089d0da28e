"""What a bucket looks like as a sample."""

import msgspec

from beszel_hub.metrics.buckets import Aggregate, Grid
from beszel_hub.metrics.coarse import make_entries
from beszel_hub.metrics.strands import make_strand
from beszel_protocol.addresses import flatten, parse_address
from beszel_protocol.metrics import Rollup
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, Metrics
from beszel_protocol.storage import DiskMetrics

BEGIN_MS = 1_795_348_800_000


def test_a_bucket_is_a_sample_again() -> None:
    sample = Metrics(
        cpu=CpuMetrics(usage_percent=12.5, cores_percent=[1.0, 2.0]),
        disk={"/mnt/v1.2": DiskMetrics(usage_percent=50.0), "/a]b": DiskMetrics(usage_percent=3.0)},
        containers=[ContainerMetrics(id="", name="web", cpu_percent=4.0)],
        temperatures={"package": 54.0},
    )
    grid = Grid(BEGIN_MS, BEGIN_MS + 120_000, 60)
    aggregates = {}
    for address, value in flatten(sample):
        aggregate = aggregates[str(address)] = Aggregate(grid, Rollup.MEAN)
        strand = make_strand(parse_address(str(address)), [BEGIN_MS + 61_000], [value])
        assert strand is not None
        aggregate.add_strand(strand)
    (entry,) = make_entries(grid, aggregates)
    assert entry.instant_ms == BEGIN_MS + 60_000
    (container,) = entry.document["containers"]
    container["id"] = ""
    assert msgspec.convert(entry.document, Metrics) == sample
