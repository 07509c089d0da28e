import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.timestamps import LATEST_MS, format_timestamp, parse_timestamp


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2026-11-22T10:30:00.123Z", 1_795_343_400_123),
        ("2026-11-22T10:30:00Z", 1_795_343_400_000),
        ("2026-11-22T11:30:00.500+01:00", 1_795_343_400_500),
    ],
)
def test_parse(text: str, instant_ms: int) -> None:
    assert parse_timestamp(text) == instant_ms


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-11-22T10:30:00", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"]
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)


@given(st.integers(0, LATEST_MS))
def test_there_and_back(instant_ms: int) -> None:
    assert parse_timestamp(format_timestamp(instant_ms)) == instant_ms
    assert len(format_timestamp(instant_ms)) == 24
