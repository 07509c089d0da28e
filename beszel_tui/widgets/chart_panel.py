"""One chart on the system screen."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.containers import VerticalScroll
from textual.geometry import Size

from beszel_tui.messages import InstantPointed
from beszel_tui.renderables.chart import AXIS_WIDTH, ChartLook, cell_instant, draw_chart
from beszel_tui.state.chartview import ChartView
from beszel_tui.widgets.line import LineWidget


class ChartGrid(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Holds the charts of a tab; the arrow keys belong to the screen, for the time cursor."""


class ChartPanel(LineWidget, can_focus=True):
    """Draws its view; the mouse on it points at instants."""

    DEFAULT_CSS = "ChartPanel { height: 1fr; }"

    def __init__(self, key: str, view: ChartView, look: ChartLook) -> None:
        super().__init__()
        self.key = key
        """Which chart of its tab it shows."""
        self._view = view
        self._look = look

    @property
    def view(self) -> ChartView:
        return self._view

    @property
    def plot_width(self) -> int:
        return max(1, self.size.width - AXIS_WIDTH - 1)

    def show(self, view: ChartView, look: ChartLook) -> None:
        self._view, self._look = view, look
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        return draw_chart(self._view, size.width, size.height, self._look, focused=self.has_focus)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        cell = event.x - AXIS_WIDTH - 1
        if cell >= 0:
            self.post_message(InstantPointed(cell_instant(self._view, cell, self.plot_width)))
