"""The fleet: every system of the hub, one line each."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from beszel_tui.bindings import FLEET
from beszel_tui.messages import FilterChanged, FilterLeft, HeaderClicked, LineChosen, TableResized
from beszel_tui.renderables.fleet_row import spark_width
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.columns import BY_KEY
from beszel_tui.state.filterline import FLEET as FLEET_VOCABULARY
from beszel_tui.state.model import State
from beszel_tui.state.selectors import Sort, fleet_line, visible_rows
from beszel_tui.widgets.filter_line import FilterLine
from beszel_tui.widgets.fleet_table import FleetTable


class FleetScreen(HubScreen):
    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*FLEET]
    AUTO_FOCUS = "FleetTable"
    vocabulary = FLEET_VOCABULARY

    def __init__(self) -> None:
        super().__init__()
        self._sort = Sort()

    @property
    def table(self) -> FleetTable:
        return self.query_one(FleetTable)

    @property
    def visible_ids(self) -> list[str]:
        """The systems as filtered and sorted, for stepping through them."""
        return [row.id for row in visible_rows(self.state, self.query_one(FilterLine).wanted, self._sort)]

    def compose_content(self) -> ComposeResult:
        yield FilterLine(self.vocabulary)
        yield FleetTable(self.hub_app.look, self._sort)
        yield Static(Content(""), id="empty")

    def show_state(self, state: State) -> None:
        table = self.table
        filter_line = self.query_one(FilterLine)
        look = self.hub_app.look
        rows = visible_rows(state, filter_line.wanted, self._sort)
        width = spark_width(table.placed)
        table.show([fleet_line(state, row, width, look.thresholds) for row in rows], self._sort, look)
        self.set_class(not rows, "-empty")
        if not rows:
            self.query_one("#empty", Static).update(Content(self._why_empty(state)))
        if filter_line.wanted.terms:
            filter_line.say(f"{len(rows)} of {len(state.systems)}")
        if width:
            self.hub_app.bridge.want_trails(table.visible_ids)

    def _why_empty(self, state: State) -> str:
        if not state.loaded:
            return f"waiting for {state.hub}…" if state.connection.phase != "offline" else state.connection.reason
        if state.systems:
            return "no system matches the filter\n\nesc clears it"
        return "no systems yet\n\nA adds one: it shows the command lines that start an agent for it"

    def focus_content(self) -> None:
        self.table.focus()

    # Actions

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_sort_next(self) -> None:
        """The next column that is on the screen."""
        keys = [place.column.key for place in self.table.placed]
        index = (keys.index(self._sort.key) + 1) % len(keys) if self._sort.key in keys else 0
        self.sort_by(keys[index])

    def action_sort_reverse(self) -> None:
        self._sort = Sort(self._sort.key, not self._sort.descending)
        self.show_state(self.state)

    def sort_by(self, key: str, *, descending: bool | None = None) -> None:
        """Numbers start with the highest: that is what one looks for."""
        if descending is None:
            descending = BY_KEY[key].number is not None
        self._sort = Sort(key, descending)
        self.show_state(self.state)

    def action_pause(self) -> None:
        if self.hub_app.settings.read_only:
            self.hub_app.say("this client is read-only", severity="warning")
            return
        marked = self.table.marked or frozenset(filter(None, [self.table.cursor_id]))
        chosen = [row for system_id in marked if (row := self.state.systems.get(system_id))]
        if not chosen:
            return
        paused = any(row.status != "paused" for row in chosen)
        for row in chosen:
            if (row.status == "paused") != paused:
                self.hub_app.bridge.set_paused(row.id, paused=paused, failed=self._pause_failed)
        names = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} systems"
        self.hub_app.say(f"{'pausing' if paused else 'resuming'} {names}")
        self.table.clear_marks()

    def _pause_failed(self, reason: str) -> None:
        self.hub_app.say(reason, severity="error")

    def action_add(self) -> None:
        self.hub_app.add_system()

    def action_containers(self) -> None:
        self.hub_app.open_containers()

    def action_copy(self) -> None:
        row = self.state.systems.get(self.table.cursor_id or "")
        if row is not None:
            self.hub_app.copy(row.host or row.name)

    def action_back(self) -> None:
        if self.table.marked:
            self.table.clear_marks()
        else:
            self.query_one(FilterLine).clear()

    def set_filter(self, text: str) -> None:
        self.query_one(FilterLine).put(text)

    # Messages

    @on(FilterChanged)
    def _filter_changed(self) -> None:
        self.show_state(self.state)

    @on(FilterLeft)
    def _filter_left(self) -> None:
        self.query_one(FilterLine).close()
        self.table.focus()

    @on(HeaderClicked)
    def _header_clicked(self, message: HeaderClicked) -> None:
        if message.column == self._sort.key:
            self.action_sort_reverse()
        else:
            self.sort_by(message.column)

    @on(TableResized)
    def _table_resized(self) -> None:
        self.show_state(self.state)

    @on(LineChosen)
    def _line_chosen(self, message: LineChosen) -> None:
        self.hub_app.open_system(message.key)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.show_keys)
