"""The fleet: every system of the hub, one line each."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import BindingType

from beszel_protocol.feed import FleetRow
from beszel_tui.bindings import FLEET, TIME
from beszel_tui.messages import LineChosen
from beszel_tui.renderables.fleet_row import spark_width
from beszel_tui.screens.listing import ListingScreen
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.alerts import AlertView, alerts_by_system
from beszel_tui.state.columns import BY_KEY
from beszel_tui.state.filterline import FLEET as FLEET_VOCABULARY
from beszel_tui.state.filterline import Filter
from beszel_tui.state.lines import LazyLines
from beszel_tui.state.model import State
from beszel_tui.state.past import moment
from beszel_tui.state.selectors import Sort, fleet_line, visible_rows
from beszel_tui.widgets.fleet_table import FleetTable


class FleetScreen(ListingScreen):
    BINDINGS: ClassVar[list[BindingType]] = [*FLEET, *TIME]
    shows_past = True
    vocabulary = FLEET_VOCABULARY
    columns = BY_KEY

    def __init__(self) -> None:
        super().__init__()
        self._arranged_from: Mapping[str, FleetRow] | None = None
        self._arranged_as: tuple[Filter, Sort] | None = None
        self._rows: list[FleetRow] = []
        self._keys: list[str] = []

    @property
    def table(self) -> FleetTable:
        return self.query_one(FleetTable)

    @property
    def visible_ids(self) -> list[str]:
        """The systems as filtered and sorted, for stepping through them."""
        return self._arranged(moment(self.state))[1]

    def make_table(self) -> FleetTable:
        return FleetTable(self.hub_app.look, self.sort)

    def show_state(self, state: State) -> None:
        state = moment(state)
        table, look = self.table, self.hub_app.look
        rows, keys = self._arranged(state)
        width = spark_width(table.placed)
        alerts = alerts_by_system(replace(state, alerts={}) if state.past else state)  # those of now are not of then
        lines = LazyLines(rows, lambda row: fleet_line(state, row, width, look.thresholds, alerts[row.id]))
        table.show(lines, self.sort, look, keys=keys)
        self.tell_shown(len(rows), len(state.systems), self._why_empty(state))
        if state.past is not None:
            self.hub_app.bridge.times.want(table.visible_ids, all_sorted=True)
        elif width:
            self.hub_app.bridge.want_trails(table.visible_ids)

    def _arranged(self, state: State) -> tuple[list[FleetRow], list[str]]:
        """The systems as filtered and sorted, and their ids; the same lists until something else is to be seen."""
        asked = (self.filter_line.wanted, self.sort)
        if state.systems is not self._arranged_from or asked != self._arranged_as:
            self._arranged_from, self._arranged_as = state.systems, asked
            self._rows = visible_rows(state, *asked)
            keys = [row.id for row in self._rows]
            self._keys = self._keys if keys == self._keys else keys
        return self._rows, self._keys

    def _why_empty(self, state: State) -> str:
        if not state.loaded:
            return f"waiting for {state.hub}…" if state.connection.phase != "offline" else state.connection.reason
        if state.systems:
            return "no system matches the filter\n\nesc clears it"
        return "no systems yet\n\nA adds one: it shows the command lines that start an agent for it"

    # Actions

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
                self.hub_app.bridge.set_paused(row.id, paused=paused, failed=self._failed)
        names = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} systems"
        self.hub_app.say(f"{'pausing' if paused else 'resuming'} {names}")
        self.table.clear_marks()

    def _failed(self, reason: str) -> None:
        self.hub_app.say(reason, severity="error")

    def action_watch(self) -> None:
        """A new rule for what is marked; what it can watch is asked of the hub first."""
        from beszel_tui.state.alertforms import rule_form  # noqa: PLC0415 (not needed for the first picture)

        if self.hub_app.settings.read_only:
            self.hub_app.say("this client is read-only", severity="warning")
            return
        chosen = sorted(self.table.marked) or list(filter(None, [self.table.cursor_id]))

        def open_form(book: AlertBook) -> None:
            view = AlertView(self.state, book, self.hub_app.chart_look.zone)
            if self.is_current:
                self.hub_app.open_form(rule_form(view, marked=chosen), "rules")

        self.hub_app.bridge.ask(self.hub_app.bridge.source.alerts.read, open_form, self._failed)

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
            self.clear_filter()

    # Messages

    @on(LineChosen)
    def _line_chosen(self, message: LineChosen) -> None:
        self.hub_app.open_system(message.key)
