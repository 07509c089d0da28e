"""Looks at the fleet as it was: holds an instant, moves it, and asks for the history around it."""

from collections.abc import Callable, Iterable
from typing import Final

from beszel_tui.pages import PageKey, Pages
from beszel_tui.state.events import Event, PastChosen, PastLeft
from beszel_tui.state.model import State
from beszel_tui.state.past import SPEEDS, number_of
from beszel_tui.state.windows import CUSTOM, LIVE, Window

TICK_MS: Final = 1000
EVERYBODY: Final = 200
"""Up to so many systems the history of all is asked for, so that they can be sorted; of more only those in sight."""
_AHEAD_SHARE: Final = 0.25
"""Of a chart's window, to the right of the instant."""


class TimeMachine:
    """Reads the state, and changes it by events only, as its owner does."""

    def __init__(
        self,
        state: Callable[[], State],
        apply: Callable[[list[Event]], None],
        choose_window: Callable[[Window], None],
        pages: Pages,
    ) -> None:
        self._read = state
        self._apply = apply
        self._choose_window = choose_window
        self._pages = pages

    @property
    def _state(self) -> State:
        return self._read()

    def travel(self, at_ms: int, speed: int = 0) -> None:
        """Show `at_ms`; from the present on, the present."""
        if at_ms >= self._state.hub_now_ms:
            self.leave()
            return
        self._apply([PastChosen(at_ms=at_ms, speed=speed)])
        self.follow_charts()

    def step(self, elapsed_ms: int) -> None:
        """Earlier or later; the first step leaves the present."""
        past = self._state.past
        base_ms = self._state.hub_now_ms if past is None else past.at_ms
        self.travel(base_ms + elapsed_ms, 0 if past is None else past.speed)

    def hold(self) -> None:
        """Stand still at this instant; or go on from it."""
        past = self._state.past
        if past is None:
            self.travel(self._state.hub_now_ms - TICK_MS)
        else:
            self.travel(past.at_ms, 0 if past.speed else SPEEDS[0])

    def next_speed(self) -> None:
        past = self._state.past
        if past is not None:
            faster = next((speed for speed in SPEEDS if speed > past.speed), SPEEDS[0])
            self.travel(past.at_ms, faster)

    def leave(self) -> None:
        """Back to now."""
        if self._state.past is None:
            return
        self._pages.forget()
        self._apply([PastLeft()])
        if self._state.focus is not None:
            self._choose_window(LIVE)

    def tick(self) -> None:
        past = self._state.past
        if past is not None and past.speed:
            self.travel(past.at_ms + past.speed * TICK_MS, past.speed)

    def follow_charts(self) -> None:
        """Keep the instant within the window of the charts."""
        past, focus = self._state.past, self._state.focus
        if past is None or focus is None:
            return
        start_ms, end_ms = focus.window.bounds(self._state.hub_now_ms)
        if focus.window.follows or not start_ms <= past.at_ms < end_ms:
            span_ms = focus.window.span_ms
            end_ms = min(self._state.hub_now_ms, past.at_ms + int(span_ms * _AHEAD_SHARE))
            self._choose_window(Window(name=CUSTOM, span_ms=span_ms, end_ms=end_ms))

    def want(self, in_sight: Iterable[str], *, all_sorted: bool = False) -> None:
        """Systems whose numbers of then are to be seen; those of the others too if they are sorted by them."""
        past = self._state.past
        if past is None or not self._state.is_live:
            return
        wanted = dict.fromkeys(in_sight)
        if all_sorted and len(self._state.systems) <= EVERYBODY:
            wanted |= dict.fromkeys(self._state.systems)
        self._want_pages([system_id for system_id in wanted if past.page(system_id) is None], of_containers=False)

    def want_system(self, system_id: str) -> None:
        """All that is kept of it."""
        self.want([system_id])
        self.want_containers(system_id)

    def want_containers(self, system_id: str | None = None) -> None:
        """Those of one system, or of all; of very many systems those that have some now come first."""
        past = self._state.past
        if past is None or not self._state.is_live:
            return
        wanted = [system_id] if system_id is not None else [*self._state.containers, *self._state.systems]
        wanted = list(dict.fromkeys(wanted))[:EVERYBODY]
        self._want_pages([each for each in wanted if past.container_page(each) is None], of_containers=True)

    def _want_pages(self, system_ids: Iterable[str], *, of_containers: bool) -> None:
        past = self._state.past
        if past is not None:
            number = number_of(past.at_ms)
            self._pages.want([PageKey(system_id, number, of_containers) for system_id in system_ids])
