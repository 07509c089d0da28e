"""The command lines of a new system, and the line that says whether its agent has come."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Size

from beszel_tui.renderables.enrolment import EnrolmentView, draw_enrolment, draw_progress
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.state.enrolment import Progress
from beszel_tui.widgets.line import LineWidget


class EnrolmentPane(LineWidget):
    """As high as what it says."""

    DEFAULT_CSS = "EnrolmentPane { height: auto; }"

    def __init__(self, look: FleetLook) -> None:
        super().__init__()
        self._view: EnrolmentView | None = None
        self._look = look

    def show(self, view: EnrolmentView, look: FleetLook) -> None:
        is_other = view != self._view
        self._view, self._look = view, look
        if is_other:
            self.refresh(layout=True)
        self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport
        return 0 if self._view is None else len(draw_enrolment(self._view, width, self._look.palette))

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        return [] if self._view is None else draw_enrolment(self._view, size.width, self._look.palette)


class ProgressLine(LineWidget):
    DEFAULT_CSS = "ProgressLine { height: 1; }"

    def __init__(self, look: FleetLook) -> None:
        super().__init__()
        self._told: tuple[Progress, str] | None = None
        self._look = look

    def show(self, progress: Progress, name: str, look: FleetLook) -> None:
        self._told, self._look = (progress, name), look
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        return [] if self._told is None else [draw_progress(*self._told, size.width, self._look)]
