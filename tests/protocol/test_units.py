import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.metrics import Unit
from beszel_protocol.units import ByteFamily, Style, format_bytes, format_duration, format_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0B"),
        (980, "980B"),
        (999, "999B"),
        (1000, "1.0K"),
        (1024, "1.0K"),
        (1_258_291, "1.2M"),
        (15_786_000_000, "14.7G"),
        (99.96 * 1024, "100K"),
        (512 << 40, "512T"),
        (2**63, "8.0E"),
    ],
)
def test_binary_bytes(value: float, expected: str) -> None:
    assert format_bytes(value) == expected


def test_other_families() -> None:
    assert format_bytes(1_500_000, ByteFamily.DECIMAL) == "1.5M"
    assert format_bytes(1_500_000, ByteFamily.BITS) == "12.0Mb"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (59.4, "59s"),
        (59.9, "1m"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (86400 * 41, "41d"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, Unit.PERCENT, "–"),
        (41.23, Unit.PERCENT, "41.2%"),
        (100.0, Unit.PERCENT, "100%"),
        (54.4, Unit.CELSIUS, "54°C"),
        (0.812, Unit.LOAD, "0.81"),
        (2048.0, Unit.BYTES_PER_SECOND, "2.0K/s"),
        (0.2, Unit.MILLISECONDS, "0.2ms"),
        (90_000.0, Unit.MILLISECONDS, "1m"),
        (71.0, Unit.WATTS, "71W"),
        (61, Unit.COUNT, "61"),
        (900, Unit.RPM, "900"),
        (22_400, Unit.PER_SECOND, "22.4k/s"),
        (0, Unit.NUMBER, "0"),
        (-41.234, Unit.NUMBER, "-41.2"),
        (0.0312, Unit.NUMBER, "0.031"),
        (-1_200_000, Unit.NUMBER, "-1.2M"),
        (-3e-7, Unit.NUMBER, "-3e-7"),
        (1.2e20, Unit.NUMBER, "1e20"),
    ],
)
def test_values_with_their_unit(value: float | None, unit: Unit, expected: str) -> None:
    assert format_value(value, unit) == expected


def test_fahrenheit() -> None:
    assert format_value(100.0, Unit.CELSIUS, Style(fahrenheit=True)) == "212°F"


@given(st.floats(0, 1e18), st.sampled_from(ByteFamily))
def test_bytes_never_widen_a_column(value: float, family: ByteFamily) -> None:
    assert len(format_bytes(value, family)) <= 6


@given(st.floats(-1e300, 1e300))
def test_numbers_of_scripts_never_widen_a_column(value: float) -> None:
    assert len(format_value(value, Unit.NUMBER)) <= 7


@given(st.floats(0, 1e14), st.sampled_from(Unit))
def test_every_unit_has_a_form(value: float, unit: Unit) -> None:
    assert format_value(value, unit)
