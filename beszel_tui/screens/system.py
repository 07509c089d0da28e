"""One system: what it is, its charts over a window of time, and tables of what it has many of."""

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from beszel_tui.bindings.past import TIME
from beszel_tui.bindings.system import SYSTEM
from beszel_tui.messages import InstantPointed, RangeClicked, SheetSorted, TabClicked, TableLeft, ValueCopied
from beszel_tui.renderables.tab_bar import TabBarView
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.alertsheets import OF_SYSTEM
from beszel_tui.state.charts import Chart, Tab, addresses_of, charts_of, tabs_of
from beszel_tui.state.chartview import chart_view, readings_text
from beszel_tui.state.components import question_of
from beszel_tui.state.layout import Grid, lay_out, table_height
from beszel_tui.state.model import Focus, State
from beszel_tui.state.past import moment
from beszel_tui.state.pastcontainers import whole_then
from beszel_tui.state.processes import PROCESSES, order_asked
from beszel_tui.state.ranges import parse_range, window_label
from beszel_tui.state.selectors import STALE_MS
from beszel_tui.state.sheet import Sheet
from beszel_tui.state.sheets import BY_KEY as SHEETS
from beszel_tui.state.windows import LIVE, PRESETS, Window, next_preset, pan, preset, zoom
from beszel_tui.widgets.bars import Facts, TabBar
from beszel_tui.widgets.chart_panel import ChartGrid, ChartPanel
from beszel_tui.widgets.command_line import CommandLine
from beszel_tui.widgets.sheet_panel import SheetPanel

_OF_CHARTS: Final = frozenset({"chart", "cursor", "range", "zoom", "pan", "live", "full", "copy", "type_range"})
"""Actions that a tab without charts does not have."""
_NOT_OF_THEN: Final = "of now: the hub does not keep these"


class SystemScreen(HubScreen):
    CSS_PATH = "system.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*SYSTEM, *TIME]
    shows_past = True
    AUTO_FOCUS = "ChartPanel"

    def __init__(self, tab: str = "overview") -> None:
        super().__init__()
        self._tab_key = tab
        self._cursor_ms: int | None = None
        self._charts: list[Chart] = []
        self._grid: Grid | None = None
        self._shown_tab = ""

    @property
    def panels(self) -> list[ChartPanel]:
        return list(self.query(ChartPanel))

    @property
    def window(self) -> Window:
        return self.state.focus.window if self.state.focus else LIVE

    @property
    def tabs(self) -> list[Tab]:
        return tabs_of(whole_then(self.state))

    @property
    def tab(self) -> Tab:
        return next((tab for tab in self.tabs if tab.key == self._tab_key), self.tabs[0])

    @property
    def cursor_ms(self) -> int | None:
        """In the past the instant that is looked at is the cursor."""
        return self.state.past.at_ms if self.state.past else self._cursor_ms

    def compose_content(self) -> ComposeResult:
        yield Facts(self.state, self.hub_app.look)
        yield TabBar(self._tab_bar_view(self.state), self.hub_app.look)
        yield SheetPanel(self.hub_app.look, PROCESSES, self.hub_app.orders, is_tree=self.hub_app.is_process_tree)
        yield ChartGrid()

    def show_state(self, state: State) -> None:
        look = self.hub_app.look
        self.query_one(Facts).show(moment(state), look)
        if state.past is not None and state.focus is not None:
            self.hub_app.bridge.times.want_system(state.focus.system_id)
        self.query_one(TabBar).show(self._tab_bar_view(state), look)
        self._show_sheet(state)
        charts = charts_of(self.tab, whole_then(state))
        if charts != self._charts:
            self._charts = charts
            self._mount_charts()
        self._fit()
        self._show_charts(state)
        if self.tab.key != self._shown_tab:
            self._shown_tab = self.tab.key
            self._tab_changed()

    def _show_sheet(self, state: State) -> None:
        """The table of the tab; the processes of a host are asked for only while they are to be seen."""
        sheet, focus, panel = _sheet_of(self.tab), state.focus, self.panel
        self.set_class(sheet is not None, "-table")
        self.vocabulary = panel.vocabulary if sheet is not None else None
        if sheet is not None and focus is not None:
            panel.become(sheet)
            if sheet is OF_SYSTEM:
                view = AlertView(state, state.book or AlertBook(), self.hub_app.chart_look.zone, focus.system_id)
                panel.show(view, self.hub_app.look, aged=not state.is_live, empty=_why_unknown(state))
            else:
                note = _NOT_OF_THEN if state.past else ""
                panel.show(focus, self.hub_app.look, aged=_is_aged(state, focus), note=note)
            self.vocabulary = panel.vocabulary
        self.hub_app.bridge.watch_alerts(self, looks=sheet is OF_SYSTEM)
        self.hub_app.bridge.want_processes(order_asked(panel.sort) if sheet is PROCESSES else None)

    def _tab_changed(self) -> None:
        self.query_one(ChartGrid).scroll_to(y=0, animate=False)
        self.remove_class("-full")
        if not self.query_one(CommandLine).is_open:
            self.focus_content()
        self.call_after_refresh(lambda: self.show_state(self.state))
        self.call_after_refresh(self.show_keys)

    def _show_charts(self, state: State) -> None:
        """Only what is on the screen is drawn; the rest draws itself when it is scrolled to."""
        visible = self.query_one(ChartGrid).region
        for panel in self.panels:
            chart = next((chart for chart in self._charts if chart.key == panel.key), None)
            if chart is not None and panel.display and panel.region.overlaps(visible):
                panel.show(chart_view(state, chart, self.cursor_ms), self.hub_app.chart_look)

    def _mount_charts(self) -> None:
        box = self.query_one(ChartGrid)
        focused = self.focused.key if isinstance(self.focused, ChartPanel) else None
        look = self.hub_app.chart_look
        panels = [ChartPanel(one.key, chart_view(self.state, one, self.cursor_ms), look) for one in self._charts]
        self._grid = None
        with self.app.batch_update():
            box.remove_children()
            box.mount(*panels)
        chosen = next((panel for panel in panels if panel.key == focused), None)
        self.set_class(chosen is not None and self.has_class("-full"), "-full")
        chosen = chosen or (panels[0] if panels else None)
        if chosen is not None:
            chosen.add_class("-chosen")
            self.app.call_later(self._give_keys, chosen, focused is not None)

    def _give_keys(self, panel: ChartPanel, scroll_visible: bool) -> None:
        if panel.is_attached and not (self.query_one(CommandLine).is_open or self.has_class("-table")):
            self.set_focus(panel, scroll_visible)  # what comes while somebody types does not take the keys

    def _fit(self) -> None:
        """Columns and heights for the room there is; and history as fine as the charts are wide."""
        self._share_height()
        box = self.query_one(ChartGrid)
        width, height = box.container_size.width, box.container_size.height
        shown = 1 if self.has_class("-full") else len(self._charts)
        grid = lay_out(shown, width, height)
        if grid != self._grid:
            self._grid = grid
            box.set_class(grid.is_tight, "-tight")
            box.styles.grid_size_columns = grid.columns
            box.styles.grid_rows = str(grid.row_height)
        points = max(60, width // grid.columns * 2)
        self.hub_app.bridge.want_series(addresses_of(self._charts), points)

    def _share_height(self) -> None:
        """Between a table and the charts below it."""
        self.set_class(bool(self._charts), "-charts")
        panel = self.panel
        if not self._charts:
            panel.styles.height = "1fr"
            return
        room = self.size.height - sum(bar.size.height for bar in self.query("TopBar, Facts, TabBar, KeyBar"))
        panel.styles.height = table_height(panel.height_wanted, room)

    def _tab_bar_view(self, state: State) -> TabBarView:
        tabs = self.tabs
        window = state.focus.window if state.focus else LIVE
        has_charts = bool(charts_of(self.tab, whole_then(state)))
        loading = bool(state.focus and state.focus.loading and not window.live)
        return TabBarView(
            tabs=tuple(tab.title for tab in tabs),
            active=tabs.index(self.tab),
            ranges=tuple(window.name for window in PRESETS) if has_charts else (),
            arrows=(self.hub_app.look.symbols.more_left, self.hub_app.look.symbols.more_right),
            range=window_label(window, self.hub_app.chart_look.zone) if has_charts else "",
            note=("loading…" if loading else (state.focus.problem if state.focus else "")) if has_charts else "",
        )

    @property
    def panel(self) -> SheetPanel:
        return self.query_one(SheetPanel)

    @property
    def has_table(self) -> bool:
        return self.has_class("-table") and not self.has_class("-full")

    @property
    def listing(self) -> SheetPanel | None:
        return self.panel if self.has_table else None

    def focus_content(self) -> None:
        if self.has_table:
            self.panel.focus_table()
            return
        chosen = self._chosen_panel()
        if chosen is not None:
            self.set_focus(chosen)

    def _chosen_panel(self) -> ChartPanel | None:
        if isinstance(self.focused, ChartPanel):
            return self.focused
        panels = self.panels
        return next((panel for panel in panels if panel.has_class("-chosen")), panels[0] if panels else None)

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.show_state(self.state))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        return bool(self._charts) or not self._shown_tab or action not in _OF_CHARTS

    # Actions

    def action_back(self) -> None:
        if self.has_class("-full"):
            self.action_full()
        elif self._cursor_ms is not None and self.state.past is None:
            self._move_cursor(None)
        elif self.has_table and self.panel.is_filtered:
            self.panel.clear_filter()
        else:
            self.hub_app.close_system()

    def action_tab(self, step: int) -> None:
        tabs = self.tabs
        self.show_tab(tabs[(tabs.index(self.tab) + step) % len(tabs)].key)

    def action_tab_number(self, number: int) -> None:
        if number <= len(self.tabs):
            self.show_tab(self.tabs[number - 1].key)

    def show_tab(self, key: str) -> None:
        self._tab_key = key
        self.show_state(self.state)

    def action_chart(self, step: int) -> None:
        panels = self.panels
        chosen = self._chosen_panel()
        if chosen is None or self.has_class("-full"):
            return
        index = panels.index(chosen) + step
        if index < 0 and self.has_table:
            self.panel.focus_table()
            return
        index = max(0, min(len(panels) - 1, index))
        panels[index].focus()
        self.call_after_refresh(lambda: self._show_charts(self.state))

    def action_full(self) -> None:
        chosen = self._chosen_panel()
        if chosen is None:
            return
        for panel in self.panels:
            panel.set_class(panel is chosen, "-chosen")
        self.toggle_class("-full")
        self._grid = None
        self._fit()
        chosen.focus()
        self.call_after_refresh(lambda: self._show_charts(self.state))

    def action_cursor(self, cells: int) -> None:
        """Move the time cursor by cells of a plot; the first press puts it at the right end."""
        panel = self._chosen_panel()
        if panel is None:
            return
        view = panel.view
        step_ms = (view.end_ms - view.start_ms) / panel.plot_width
        at_ms = self.cursor_ms if self.cursor_ms is not None else view.end_ms
        moved = int(at_ms + cells * step_ms)
        self._move_cursor(max(view.start_ms, min(view.end_ms - 1, moved)))

    def _move_cursor(self, instant_ms: int | None) -> None:
        if self.state.past is not None and instant_ms is not None:
            self.hub_app.bridge.times.travel(instant_ms)
            return
        self._cursor_ms = instant_ms
        self._show_charts(self.state)

    def action_range(self, step: int) -> None:
        self._choose(next_preset(self.window, step))

    def action_zoom(self, factor: float) -> None:
        now_ms = self.state.hub_now_ms
        start_ms, end_ms = self.window.bounds(now_ms)
        cursor = self.cursor_ms
        around = cursor if cursor is not None and start_ms <= cursor <= end_ms else end_ms
        self._choose(zoom(self.window, factor, around, now_ms))

    def action_pan(self, share: float) -> None:
        self._choose(pan(self.window, share, self.state.hub_now_ms))

    def action_live(self) -> None:
        self._cursor_ms = None
        self.hub_app.bridge.times.leave()
        self._choose(LIVE)

    def choose_range(self, text: str) -> None:
        """A preset, or a stretch as people write it. Raises `CommandError`."""
        self._choose(parse_range(text, self.state.hub_now_ms, self.hub_app.chart_look.zone))

    def action_type_range(self) -> None:
        self.open_command_line("range ")

    def _choose(self, window: Window) -> None:
        self.hub_app.bridge.choose_window(window)

    def action_neighbour(self, step: int) -> None:
        self._cursor_ms = None
        self.hub_app.open_neighbour(step)

    def action_detail(self) -> None:
        line, system = self.panel.table.cursor_line, self.state.focus_row
        if self.has_table and line is not None and line.row.told and system is not None:
            self.hub_app.open_detail(line.row, system, question_of(self.panel.sheet, line.row))

    def action_containers(self) -> None:
        if self.state.focus is not None:
            self.hub_app.open_containers(self.state.focus.system_id)

    def action_copy(self) -> None:
        panel = self._chosen_panel()
        if panel is None:
            return
        self.hub_app.copy(readings_text(panel.view, self.hub_app.look.units))

    # Messages

    @on(TabClicked)
    def _tab_clicked(self, message: TabClicked) -> None:
        self.action_tab_number(message.index + 1)

    @on(RangeClicked)
    def _range_clicked(self, message: RangeClicked) -> None:
        window = preset(message.name)
        if window is not None:
            self._choose(window)

    @on(InstantPointed)
    def _instant_pointed(self, message: InstantPointed) -> None:
        self._move_cursor(message.instant_ms)

    @on(TableLeft)
    def _table_left(self) -> None:
        if self._charts:
            self.panels[0].focus()

    @on(SheetSorted)
    def _sheet_sorted(self) -> None:
        self.show_state(self.state)

    @on(ValueCopied)
    def _value_copied(self, message: ValueCopied) -> None:
        self.hub_app.copy(message.text)

    def on_screen_suspend(self) -> None:
        self.hub_app.bridge.want_processes(None)

    def on_unmount(self) -> None:
        self.hub_app.bridge.want_processes(None)
        self.hub_app.bridge.watch_alerts(self, looks=False)


def _sheet_of(tab: Tab) -> Sheet | None:
    return OF_SYSTEM if tab.sheet == OF_SYSTEM.key else SHEETS.get(tab.sheet or "")


def _why_unknown(state: State) -> str:
    """Why nothing is told of alerts, if not because there is nothing."""
    if state.alerts_loaded and state.book is not None:
        return ""
    return state.connection.reason or state.book_problem or "waiting for the hub…"


def _is_aged(state: State, focus: Focus) -> bool:
    """Whether the numbers of a table are not of now."""
    row = state.systems.get(focus.system_id)
    is_old = focus.sampled_ms is not None and state.hub_now_ms - focus.sampled_ms > STALE_MS
    return state.past is not None or not state.is_live or row is None or row.status != "up" or is_old
