"""Sparkline and meter."""

import pytest

from beszel_tui.renderables.meter import meter
from beszel_tui.renderables.sparkline import spark_character, sparkline
from beszel_tui.renderables.symbols import SYMBOLS
from beszel_tui.state.selectors import Thresholds
from tests.support.looks import make_palette

PALETTE = make_palette()
UNICODE = SYMBOLS["braille"]
ASCII = SYMBOLS["ascii"]


@pytest.mark.parametrize(
    ("reading", "character"), [(0, "▁"), (0.1, "▁"), (50, "▄"), (99.9, "▇"), (100, "▇"), (250, "▇"), (-3, "▁")]
)
def test_spark_character(reading: float, character: str) -> None:
    assert spark_character(reading, UNICODE) == character


def test_a_gap_is_open_and_levels_have_their_colours() -> None:
    pieces = sparkline([1, 2, None, 70, 95], PALETTE, UNICODE, Thresholds())
    assert "".join(text for text, _ in pieces) == "▁▁ ▅▇"
    assert [style for _, style in pieces] == [
        PALETTE.spark["good"], PALETTE.faint, PALETTE.spark["warning"], PALETTE.spark["critical"],
    ]  # fmt: skip


def test_an_aged_curve_is_grey() -> None:
    assert {style for _, style in sparkline([1, 95], PALETTE, UNICODE, Thresholds(), aged=True)} == {PALETTE.aged}


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (0, "────────"), (0.1, "╸───────"), (50, "━━━━────"), (56.25, "━━━━╸───"), (100, "━━━━━━━━"), (150, "━━━━━━━━"),
        (-5, "────────"),
    ],
)  # fmt: skip
def test_meter(percent: float, expected: str) -> None:
    assert "".join(text for text, _ in meter(percent, 8, PALETTE.text, PALETTE, UNICODE)) == expected


def test_without_unicode() -> None:
    assert "".join(text for text, _ in meter(50, 8, PALETTE.text, PALETTE, ASCII)) == "####----"
    assert "".join(t for t, _ in sparkline([0, 50, 100], PALETTE, ASCII, Thresholds())).isascii()
