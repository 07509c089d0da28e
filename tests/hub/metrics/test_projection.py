"""The types of `metrics` rows."""

from beszel_hub.metrics.projection import TYPES, parts_of, project
from beszel_hub.metrics.series_codec import Entry
from beszel_protocol.sample import Metrics


def test_every_member_of_a_sample_is_of_some_type() -> None:
    assert parts_of(frozenset(TYPES)) == frozenset(Metrics.__struct_fields__)


def test_each_part_is_a_row_by_the_name_that_clients_know() -> None:
    document = {"cpu": {"usage_percent": 1.0, "load_average": [1, 2, 3]}, "ups": {"a": {}}, "temperatures": {"t": 4.0}}
    rows = {
        row["type"]: row["value"]
        for row in project("s", Entry(instant_ms=1000, mark=0, document=document), frozenset(TYPES))
    }
    assert rows == {
        "cpu": document["cpu"],
        "load": {"load_average": [1, 2, 3]},
        "temperature": {"t": 4.0},
        "ups": {"a": {}},
    }
