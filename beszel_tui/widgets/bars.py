"""The lines around the content: top bar, facts of a system, tabs and ranges, keys."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size

from beszel_tui.messages import ActionClicked, RangeClicked, TabClicked
from beszel_tui.renderables.facts import draw_facts
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.key_bar import Hint, Place, draw_key_bar
from beszel_tui.renderables.tab_bar import TabBarView, draw_tab_bar
from beszel_tui.renderables.top_bar import draw_top_bar
from beszel_tui.state.model import State
from beszel_tui.widgets.line import LineWidget


class TopBar(LineWidget):
    DEFAULT_CSS = "TopBar { height: 1; background: $panel; }"

    def __init__(self, state: State, look: FleetLook) -> None:
        super().__init__()
        self._state = state
        self._look = look
        self._is_away = False

    def show(self, state: State, look: FleetLook, *, is_away: bool = False) -> None:
        """`is_away` if the terminal has not the focus, and is painted only now and then."""
        self._state, self._look, self._is_away = state, look, is_away
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        now = self._look.clock.at(self._state.now_ms)
        return [draw_top_bar(self._state, size.width, self._look, now, is_away=self._is_away)]


class Facts(LineWidget):
    DEFAULT_CSS = "Facts { height: 2; }"

    def __init__(self, state: State, look: FleetLook) -> None:
        super().__init__()
        self._state = state
        self._look = look

    def show(self, state: State, look: FleetLook) -> None:
        self._state, self._look = state, look
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        return draw_facts(self._state, size.width, self._look)


class TabBar(LineWidget):
    DEFAULT_CSS = "TabBar { height: 1; }"

    def __init__(self, view: TabBarView, look: FleetLook) -> None:
        super().__init__()
        self._view = view
        self._look = look
        self._places: list[Place] = []

    def show(self, view: TabBarView, look: FleetLook) -> None:
        self._view, self._look = view, look
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        line, self._places = draw_tab_bar(self._view, size.width, self._look.palette)
        return [line]

    def on_click(self, event: events.Click) -> None:
        kind, _, value = _key_at(self._places, event.x).partition(":")
        if kind == "tab":
            self.post_message(TabClicked(int(value)))
        elif kind == "range":
            self.post_message(RangeClicked(value))


class KeyBar(LineWidget):
    DEFAULT_CSS = "KeyBar { height: 1; background: $panel; }"

    def __init__(self, look: FleetLook) -> None:
        super().__init__()
        self._hints: Sequence[Hint] = ()
        self._look = look
        self._places: list[Place] = []

    def show(self, hints: Sequence[Hint], look: FleetLook) -> None:
        self._hints, self._look = hints, look
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        line, self._places = draw_key_bar(self._hints, size.width, self._look.palette)
        return [line]

    def on_click(self, event: events.Click) -> None:
        if key := _key_at(self._places, event.x):
            self.post_message(ActionClicked(key))


def _key_at(places: Sequence[Place], x: int) -> str:
    return next((place.key for place in places if place.x <= x < place.x + place.width), "")
