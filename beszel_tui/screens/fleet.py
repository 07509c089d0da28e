"""The fleet: every system of the hub, one line each."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from beszel_protocol.feed import FleetRow
from beszel_tui.bindings.fleet import FLEET
from beszel_tui.bindings.past import TIME
from beszel_tui.messages import LineChosen, LineMarked
from beszel_tui.renderables.card import trail_width
from beszel_tui.renderables.fleet_row import spark_width
from beszel_tui.screens.listing import ListingScreen
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.alerts import AlertView, alerts_by_system
from beszel_tui.state.cells import shown_text
from beszel_tui.state.columns import BY_KEY
from beszel_tui.state.filterline import FLEET as FLEET_VOCABULARY
from beszel_tui.state.filterline import Filter
from beszel_tui.state.groups import PREFIX, grouped
from beszel_tui.state.lines import LazyLines
from beszel_tui.state.model import State
from beszel_tui.state.past import moment
from beszel_tui.state.selectors import FleetLine, Sort, fleet_line, visible_rows
from beszel_tui.widgets.fleet_cards import FleetCards, shown_by
from beszel_tui.widgets.fleet_table import FleetTable

CHANGING: Final = frozenset({"pause", "watch", "tags", "delete", "add"})
"""Actions that change something at the hub."""


def called(rows: Sequence[FleetRow]) -> str:
    return shown_text(rows[0].name) if len(rows) == 1 else f"{len(rows)} systems"


class FleetScreen(ListingScreen):
    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = ["listing.tcss", "fleet.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*FLEET, *TIME]
    shows_past = True
    vocabulary = FLEET_VOCABULARY
    table_name = "fleet"
    columns = BY_KEY

    def __init__(self) -> None:
        super().__init__()
        self._folded: set[str] = set()
        """The groups of which only their own line is shown."""
        self._arranged_from: Mapping[str, FleetRow] | None = None
        self._arranged_as: tuple[Filter, Sort] | None = None
        self._rows: list[FleetRow] = []
        self._keys: list[str] = []
        self._is_empty = False

    @property
    def table(self) -> FleetTable:
        """The table, or the cards."""
        return self.query_one(FleetCards) if self.has_class("-cards") else self.query_one("#table", FleetTable)

    @property
    def visible_ids(self) -> list[str]:
        """The systems as filtered and sorted, for stepping through them."""
        state = moment(self.state)
        rows, keys = self._arranged(state)
        if not self._is_grouped:
            return keys
        lines = [fleet_line(state, row, 0, self.hub_app.look.thresholds) for row in rows]
        return [line.row.id for line in grouped(lines, ()) if line.group is None]

    @property
    def _is_grouped(self) -> bool:
        return self.hub_app.settings.looks.groups == "tags"

    def make_tables(self) -> ComposeResult:
        look = self.hub_app.look
        table = FleetTable(look, self.sort)
        table.id, table.has_hubs = "table", self.hub_app.settings.all_hubs
        self.set_class(self._is_cards, "-cards")
        yield table
        yield FleetCards(look, self.sort)

    @property
    def _is_cards(self) -> bool:
        return self.hub_app.settings.looks.layout == "cards"

    def show_state(self, state: State) -> None:
        before = self._lay_out()
        state = moment(state)
        table, look = self.table, self.hub_app.look
        rows, keys = self._arranged(state)
        width = trail_width(table.card_width) if isinstance(table, FleetCards) else spark_width(table.placed)
        alerts = alerts_by_system(state)
        lines = LazyLines(rows, lambda row: fleet_line(state, row, width, look.thresholds, alerts[row.id]))
        if self._is_grouped:
            table.show(grouped(lines, self._folded), self.sort, look)
        else:
            table.show(lines, self.sort, look, keys=keys)
        if before is not None:
            table.take_over(before)
        self.tell_shown(len(rows), len(state.systems), self._why_empty(state))
        is_empty = state.loaded and not self.state.systems
        if self._is_empty != is_empty:
            self._is_empty = is_empty
            self.call_after_refresh(self.show_keys)
        if state.past is not None:
            self.hub_app.bridge.times.want(shown_by(table), all_sorted=True)
        elif width:
            self.hub_app.bridge.trails.want(shown_by(table))

    def _lay_out(self) -> FleetTable | None:
        """As the settings say: a line a system, or a card. The other one, if it was on the screen until now."""
        before, is_cards = self.table, self._is_cards
        if isinstance(before, FleetCards) == is_cards:
            return None
        self.set_class(is_cards, "-cards")
        if before.has_focus:
            self.call_after_refresh(self.table.focus)
        return before

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
        if self.state.systems:
            return "no system was there yet"
        return "no systems yet\n\nA adds one: it shows the command lines that start an agent for it"

    # Actions

    def is_hinted(self, binding: Binding) -> bool:
        """Without systems there is nothing to open, sort or filter: only what leads on is told."""
        if not self._is_empty:
            return super().is_hinted(binding)
        return binding.id == "fleet.add" or (super().is_hinted(binding) and str(binding.id).startswith("app."))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What changes something is not there for a client that is to change nothing."""
        if action in CHANGING and self.hub_app.settings.read_only:
            return False
        return super().check_action(action, parameters)

    @property
    def chosen(self) -> list[FleetRow]:
        """The systems that are marked, or the one under the cursor, or all of its group."""
        table = self.table
        ids = table.marked or frozenset(self._ids_of(table.cursor_line))
        return [row for system_id in sorted(ids) if (row := self.state.systems.get(system_id))]

    def _ids_of(self, line: FleetLine | None) -> list[str]:
        if line is None or line.group is None:
            return [] if line is None else [line.row.id]
        tag = line.row.id.removeprefix(PREFIX)
        rows = visible_rows(self.state, self.filter_line.wanted, self.sort)
        return [row.id for row in rows if (row.tags[0] if row.tags else "") == tag]

    def action_pause(self) -> None:
        chosen = self.chosen
        if not chosen:
            return
        paused = any(row.status != "paused" for row in chosen)
        for row in chosen:
            if (row.status == "paused") != paused:
                self.hub_app.bridge.set_paused(row.id, paused=paused, failed=self._failed)
        self.hub_app.say(f"{'pausing' if paused else 'resuming'} {called(chosen)}")
        self.table.clear_marks()

    def action_tags(self) -> None:
        from beszel_tui.screens.fleet_orders import ask_tags  # noqa: PLC0415 (not needed for the first picture)

        chosen = self.chosen
        if chosen:
            ask_tags(self.hub_app, chosen, self.table.clear_marks)

    def action_delete(self) -> None:
        from beszel_tui.screens.fleet_orders import ask_delete  # noqa: PLC0415 (not needed for the first picture)

        chosen = self.chosen
        if chosen:
            ask_delete(self.hub_app, chosen, self.table.clear_marks)

    def _failed(self, reason: str) -> None:
        self.hub_app.say(reason, severity="error")

    def action_layout(self) -> None:
        self.hub_app.choose_look("layout", "table" if self._is_cards else "cards")

    def action_groups(self) -> None:
        self.hub_app.choose_look("groups", "none" if self._is_grouped else "tags")

    def action_watch(self) -> None:
        """A new rule for what is marked; what it can watch is asked of the hub first."""
        from beszel_tui.state.alertforms import rule_form  # noqa: PLC0415 (not needed for the first picture)

        chosen = [row.id for row in self.chosen]

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
        if message.key.startswith(PREFIX):
            self._folded ^= {message.key}
            self.show_state(self.state)
        else:
            self.hub_app.open_system(message.key)

    @on(LineMarked)
    def _group_marked(self) -> None:
        """A group's mark is that of all that are in it."""
        line = self.table.cursor_line
        if line is not None and line.row.id in self._folded:
            self._folded.discard(line.row.id)
            self.show_state(self.state)
        self.table.mark_all(self._ids_of(line))
