"""Containers: of all systems, or of one."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from beszel_protocol.feed import CONTAINERS_TOPIC, CONTAINERS_TOPIC_PREFIX
from beszel_tui.bindings.containers import CONTAINERS
from beszel_tui.bindings.past import TIME
from beszel_tui.messages import LineChosen
from beszel_tui.renderables.container_row import draw_caption
from beszel_tui.renderables.fleet_row import spark_width
from beszel_tui.screens.listing import ListingScreen
from beszel_tui.state.containers import (
    BY_KEY,
    VOCABULARY,
    ContainerItem,
    container_items,
    container_line,
    count_containers,
    visible_items,
)
from beszel_tui.state.lines import LazyLines
from beszel_tui.state.model import State
from beszel_tui.state.pastcontainers import items_then, line_then, not_looked_up
from beszel_tui.widgets.caption import Caption
from beszel_tui.widgets.container_table import ContainerTable


class ContainersScreen(ListingScreen):
    BINDINGS: ClassVar[list[BindingType]] = [*CONTAINERS, *TIME]
    shows_past = True
    vocabulary = VOCABULARY
    table_name = "containers"
    columns = BY_KEY

    def __init__(self, system_id: str | None = None) -> None:
        super().__init__()
        self.system_id = system_id
        """None: of all systems."""

    @property
    def table(self) -> ContainerTable:
        return self.query_one(ContainerTable)

    @property
    def chosen(self) -> ContainerItem | None:
        """The container under the cursor."""
        key = self.table.cursor_id
        return next((item for item in self._items(self.state) if item.key == key), None)

    def _items(self, state: State) -> list[ContainerItem]:
        return container_items(state, self.system_id) if state.past is None else items_then(state, self.system_id)

    def make_table(self) -> ContainerTable:
        return ContainerTable(self.hub_app.look, self.sort, of_one_system=self.system_id is not None)

    def compose_head(self) -> ComposeResult:
        yield Caption()

    def on_mount(self) -> None:
        topic = CONTAINERS_TOPIC if self.system_id is None else CONTAINERS_TOPIC_PREFIX + self.system_id
        self.hub_app.bridge.watch_containers(self, topic)

    def on_unmount(self) -> None:
        self.hub_app.bridge.watch_containers(self, None)

    def show_state(self, state: State) -> None:
        table, look = self.table, self.hub_app.look
        items = self._items(state)
        shown = visible_items(items, self.filter_line.wanted, self.sort)
        past = state.past
        if past is None:
            table.show([container_line(state, item) for item in shown], self.sort, look)
        else:
            lines = LazyLines(shown, lambda item: line_then(past, item))
            table.show(lines, self.sort, look, keys=[item.key for item in shown])
            self.hub_app.bridge.times.want((), all_sorted=True)  # for the counts at the top
            self.hub_app.bridge.times.want_containers(self.system_id)
        if past is None and spark_width(table.placed):
            visible = set(table.visible_ids)
            self.hub_app.bridge.trails.want_containers(item for item in shown if item.key in visible)
        title, counts = self._title(state), count_containers(items)
        self.query_one(Caption).show(lambda cells: draw_caption(title, counts, len(shown), cells, look))
        self.tell_shown(len(shown), len(items), self._why_empty(state, is_filtered=bool(items)))

    def _title(self, state: State) -> str:
        if self.system_id is None:
            missing = not_looked_up(state)
            return "of all systems" + (f", {missing} not looked up" if missing else "")
        row = state.systems.get(self.system_id)
        return "of a system that is gone" if row is None else f"of {row.name}"

    def _why_empty(self, state: State, *, is_filtered: bool) -> str:
        if is_filtered:
            return "no container matches the filter\n\nesc clears it"
        if not state.is_live:
            return state.connection.reason or "waiting for the hub…"
        if state.past is not None:
            is_known = not not_looked_up(state, self.system_id)
            return "no container was measured then" if is_known else "looking it up…"
        if not state.containers_loaded:
            return "waiting for the hub…"
        return "no containers\n\nan agent finds those of Docker and Podman by itself, if it may read their sockets"

    # Actions

    def action_back(self) -> None:
        if self.is_filtered:
            self.clear_filter()
        else:
            self.hub_app.pop_screen()

    def action_inspect(self) -> None:
        item = self._chosen_of_now()
        if item is not None:
            self.hub_app.open_inspection(item)

    def action_open_system(self) -> None:
        item = self.chosen
        if item is not None:
            self.hub_app.leave_for_system(item.system_id)

    def action_copy(self) -> None:
        item = self.chosen
        if item is not None:
            self.hub_app.copy(item.facts.name)

    def _chosen_of_now(self) -> ContainerItem | None:
        """The one under the cursor, if it still exists: only such a one can be asked."""
        item = self.chosen
        if item is not None and item.past in {"gone", "unknown"}:
            is_gone = f"{item.facts.name} is no longer on {item.system}: only its numbers are kept"
            self.hub_app.say(is_gone if item.past == "gone" else "a moment: the hub is still telling what is there now")
            return None
        return item

    # Messages

    @on(LineChosen)
    def _line_chosen(self) -> None:
        item = self._chosen_of_now()
        if item is not None:
            self.hub_app.open_logs(item)
