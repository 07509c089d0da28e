from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.metric_ids import digest_of, make_metric_id, split_metric_id
from beszel_hub.metrics.projection import TYPES
from beszel_hub.store.ids import is_id


@given(
    st.text(max_size=15),
    st.sampled_from(sorted(TYPES)),
    st.sampled_from([1, 60, 600, 28_800]),
    st.integers(0, 36**8 - 1),
)
def test_an_id_tells_instant_and_digest(system_id: str, type_name: str, resolution: int, instant_ms: int) -> None:
    record_id = make_metric_id(system_id, type_name, resolution, instant_ms)
    assert is_id(record_id)
    assert split_metric_id(record_id) == (instant_ms, digest_of(system_id, type_name, resolution))


def test_ids_of_later_rows_come_later() -> None:
    ids = [make_metric_id("a", "cpu", 60, instant_ms) for instant_ms in range(0, 10**13, 10**11) if instant_ms < 36**8]
    assert ids == sorted(ids)


def test_a_thousand_systems_have_ids_of_their_own() -> None:
    digests = [digest_of(f"system{n}", name, 60) for n, name in product(range(1000), ("cpu", "memory", "load"))]
    assert len({*digests}) == len(digests)


def test_other_texts_are_no_ids() -> None:
    assert split_metric_id("") is None
    assert split_metric_id("A" * 15) is None
    assert split_metric_id("0" * 16) is None
