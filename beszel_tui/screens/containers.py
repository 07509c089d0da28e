"""Containers: of all systems, or of one."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from beszel_protocol.feed import CONTAINERS_TOPIC, CONTAINERS_TOPIC_PREFIX
from beszel_tui.bindings import CONTAINERS
from beszel_tui.messages import FilterChanged, FilterLeft, HeaderClicked, LineChosen, TableResized
from beszel_tui.renderables.container_row import draw_caption
from beszel_tui.renderables.fleet_row import spark_width
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.containers import (
    BY_KEY,
    VOCABULARY,
    ContainerItem,
    container_items,
    container_line,
    count_containers,
    visible_items,
)
from beszel_tui.state.model import State
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.caption import Caption
from beszel_tui.widgets.container_table import ContainerTable
from beszel_tui.widgets.filter_line import FilterLine


class ContainersScreen(HubScreen):
    CSS_PATH = "containers.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*CONTAINERS]
    AUTO_FOCUS = "ContainerTable"
    vocabulary = VOCABULARY

    def __init__(self, system_id: str | None = None) -> None:
        super().__init__()
        self.system_id = system_id
        """None: of all systems."""
        self._sort = Sort()

    @property
    def table(self) -> ContainerTable:
        return self.query_one(ContainerTable)

    @property
    def chosen(self) -> ContainerItem | None:
        """The container under the cursor."""
        key = self.table.cursor_id
        return next((item for item in container_items(self.state, self.system_id) if item.key == key), None)

    def compose_content(self) -> ComposeResult:
        yield Caption()
        yield FilterLine(self.vocabulary)
        yield ContainerTable(self.hub_app.look, self._sort, of_one_system=self.system_id is not None)
        yield Static(Content(""), id="empty")

    def on_mount(self) -> None:
        topic = CONTAINERS_TOPIC if self.system_id is None else CONTAINERS_TOPIC_PREFIX + self.system_id
        self.hub_app.bridge.watch_containers(self, topic)

    def on_unmount(self) -> None:
        self.hub_app.bridge.watch_containers(self, None)

    def show_state(self, state: State) -> None:
        table, look = self.table, self.hub_app.look
        wanted = self.query_one(FilterLine).wanted
        items = container_items(state, self.system_id)
        shown = visible_items(items, wanted, self._sort)
        table.show([container_line(state, item) for item in shown], self._sort, look)
        if spark_width(table.placed):
            visible = set(table.visible_ids)
            self.hub_app.bridge.want_container_trails(item for item in shown if item.key in visible)
        title, counts = self._title(state), count_containers(items)
        self.query_one(Caption).show(lambda cells: draw_caption(title, counts, len(shown), cells, look))
        self.set_class(not shown, "-empty")
        if shown and self.focused is None:
            self.call_after_refresh(table.focus)  # it had to give the focus up while it was hidden
        if not shown:
            self.query_one("#empty", Static).update(Content(self._why_empty(state, is_filtered=bool(items))))
        if wanted.terms:
            self.query_one(FilterLine).say(f"{len(shown)} of {len(items)}")

    def _title(self, state: State) -> str:
        if self.system_id is None:
            return "of all systems"
        row = state.systems.get(self.system_id)
        return "of a system that is gone" if row is None else f"of {row.name}"

    def _why_empty(self, state: State, *, is_filtered: bool) -> str:
        if is_filtered:
            return "no container matches the filter\n\nesc clears it"
        if not state.is_live:
            return state.connection.reason or "waiting for the hub…"
        if not state.containers_loaded:
            return "waiting for the hub…"
        return "no containers\n\nan agent finds those of Docker and Podman by itself, if it may read their sockets"

    def focus_content(self) -> None:
        self.table.focus()

    # Actions

    def action_back(self) -> None:
        filter_line = self.query_one(FilterLine)
        if filter_line.wanted.terms:
            filter_line.clear()
        else:
            self.hub_app.pop_screen()

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

    def action_inspect(self) -> None:
        item = self.chosen
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
    def _line_chosen(self) -> None:
        item = self.chosen
        if item is not None:
            self.hub_app.open_logs(item)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.show_keys)
