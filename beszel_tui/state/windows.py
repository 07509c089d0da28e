"""The stretch of time that charts show: following the clock, or fixed once it was panned."""

from typing import Final

import msgspec

_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


class Window(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    span_ms: int
    end_ms: int | None = None
    """None: the end is now."""
    live: bool = False
    """Drawn from the samples as they arrive, instead of from stored history."""

    def bounds(self, hub_now_ms: int) -> tuple[int, int]:
        """Start and end in ms by the hub's clock."""
        end_ms = hub_now_ms if self.end_ms is None else self.end_ms
        return end_ms - self.span_ms, end_ms

    @property
    def follows(self) -> bool:
        return self.end_ms is None


LIVE: Final = Window(name="live", span_ms=5 * _MINUTE, live=True)
PRESETS: Final[tuple[Window, ...]] = (
    LIVE,
    Window(name="1h", span_ms=_HOUR),
    Window(name="12h", span_ms=12 * _HOUR),
    Window(name="24h", span_ms=_DAY),
    Window(name="7d", span_ms=7 * _DAY),
    Window(name="30d", span_ms=30 * _DAY),
    Window(name="1y", span_ms=365 * _DAY),
)
SHORTEST_SPAN_MS: Final = _MINUTE
LONGEST_SPAN_MS: Final = 5 * 365 * _DAY
CUSTOM: Final = "custom"
"""The name of every window that is none of the presets."""


def preset(name: str) -> Window | None:
    return next((window for window in PRESETS if window.name == name), None)


def next_preset(window: Window, step: int) -> Window:
    """The neighbour of `window` among the presets; of a custom one the preset with the nearest span."""
    names = [known.name for known in PRESETS]
    if window.name in names:
        index = names.index(window.name) + step
    else:
        index = min(range(len(PRESETS)), key=lambda i: abs(PRESETS[i].span_ms - window.span_ms))
    return PRESETS[max(0, min(len(PRESETS) - 1, index))]


def zoom(window: Window, factor: float, around_ms: int, hub_now_ms: int) -> Window:
    """Scale the span by `factor` around an instant; a window zoomed at its following end goes on following."""
    span_ms = max(SHORTEST_SPAN_MS, min(LONGEST_SPAN_MS, int(window.span_ms * factor)))
    if span_ms == window.span_ms:
        return window
    start_ms, end_ms = window.bounds(hub_now_ms)
    if window.follows and around_ms >= end_ms:
        return Window(name=CUSTOM, span_ms=span_ms)
    share = (around_ms - start_ms) / (end_ms - start_ms)
    return _fixed(span_ms, int(around_ms + (1 - share) * span_ms), hub_now_ms)


def pan(window: Window, share: float, hub_now_ms: int) -> Window:
    """Move by `share` of the span; to the right no farther than now, where the window follows the clock again."""
    _, end_ms = window.bounds(hub_now_ms)
    return _fixed(window.span_ms, end_ms + int(window.span_ms * share), hub_now_ms)


def _fixed(span_ms: int, end_ms: int, hub_now_ms: int) -> Window:
    if end_ms >= hub_now_ms:
        return Window(name=CUSTOM, span_ms=span_ms)
    return Window(name=CUSTOM, span_ms=span_ms, end_ms=max(end_ms, span_ms))
