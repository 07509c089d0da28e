import pytest

from beszel_tui.state.windows import LIVE, LONGEST_SPAN_MS, PRESETS, SHORTEST_SPAN_MS, next_preset, pan, preset, zoom

NOW = 1_795_343_071_000
HOUR = 3_600_000


HOUR_WINDOW = PRESETS[1]


def test_a_following_window_ends_now() -> None:
    assert LIVE.bounds(NOW) == (NOW - LIVE.span_ms, NOW)
    assert preset("nonsense") is None


@pytest.mark.parametrize(
    ("name", "step", "expected"), [("live", 1, "1h"), ("1y", 1, "1y"), ("live", -1, "live"), ("7d", -1, "24h")]
)
def test_next_preset(name: str, step: int, expected: str) -> None:
    window = preset(name)
    assert window is not None
    assert next_preset(window, step).name == expected


def test_from_a_custom_window_to_the_nearest_preset() -> None:
    window = HOUR_WINDOW
    assert next_preset(zoom(window, 0.9, NOW, NOW), 1).name == "1h"


def test_zooming_at_the_end_goes_on_following() -> None:
    window = HOUR_WINDOW
    zoomed = zoom(window, 0.5, NOW, NOW)
    assert zoomed.follows
    assert zoomed.span_ms == HOUR // 2
    assert zoomed.name == "custom"
    assert not zoomed.live


def test_zooming_keeps_the_instant_in_its_place() -> None:
    window = HOUR_WINDOW
    around = NOW - HOUR * 3 // 4
    zoomed = zoom(window, 0.5, around, NOW)
    start, end = zoomed.bounds(NOW)
    assert (around - start) / (end - start) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("factor", "limit"), [(1e-9, SHORTEST_SPAN_MS), (1e12, LONGEST_SPAN_MS)])
def test_zoom_has_limits(factor: float, limit: int) -> None:
    window = preset("24h")
    assert window is not None
    zoomed = zoom(window, factor, NOW, NOW)
    assert zoomed.span_ms == limit
    assert zoom(zoomed, factor, NOW, NOW) is zoomed


def test_pan_back_and_forth() -> None:
    window = HOUR_WINDOW
    back = pan(window, -0.5, NOW)
    assert back.end_ms == NOW - HOUR // 2
    assert pan(back, 0.5, NOW).follows
    assert pan(back, 9, NOW).follows


def test_names_are_unique() -> None:
    assert len({window.name for window in PRESETS}) == len(PRESETS)
