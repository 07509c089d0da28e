"""Lines of an export: the same bytes whatever history has done to its numbers meanwhile."""

import msgspec
import pytest

from beszel_hub.export.lines import CsvWriter, JsonLinesWriter
from beszel_hub.export.pages import Moment, Reading
from beszel_hub.export.plan import Source
from beszel_protocol.addresses import parse_address
from tests.support.samples import NOON_MS

CPU = "cpu.usage_percent"


@pytest.mark.parametrize(
    ("value", "written"), [(59, 59), (59.0, 59), (0.0, 0), (0.5, 0.5), (-3.0, -3), (2.0**60, 2.0**60)]
)
@pytest.mark.parametrize("in_buckets", [False, True])
def test_a_whole_number_is_written_as_one_sealed_or_not(value: float, written: float, in_buckets: bool) -> None:
    moments = [Moment(NOON_MS, [Reading(parse_address(CPU), CPU, value, value, value, 1)])]
    source = Source("systemsystem123", "web")
    csv = CsvWriter(in_buckets=in_buckets, has_heading=False).write(source, moments).decode()
    assert csv.rstrip().split(",")[4:] == [str(written)] * (3 if in_buckets else 1) + ["1"] * in_buckets
    read = msgspec.json.decode(JsonLinesWriter(in_buckets=in_buckets).write(source, moments))["value"]
    assert (read, type(read)) == (written, type(written))
