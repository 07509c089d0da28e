"""Settings: how things look, who one is at the hub, and what belongs to that; each section a table of one kind."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from beszel_tui.bindings.settings import SETTINGS
from beszel_tui.messages import LineChosen, TabClicked, ValueCopied
from beszel_tui.renderables.preview import draw_preview
from beszel_tui.renderables.tab_bar import TabBarView
from beszel_tui.screens.base import HubScreen
from beszel_tui.screens.settings_orders import Orders
from beszel_tui.state.account import AccountFacts
from beszel_tui.state.looks import BY_KEY as PREFERENCES
from beszel_tui.state.model import State
from beszel_tui.state.settings import SECTIONS, Section, SettingsFacts, rows_of, sections_of, why_empty
from beszel_tui.state.settingsheets import Told
from beszel_tui.state.sheet import SheetRow
from beszel_tui.widgets.bars import TabBar
from beszel_tui.widgets.caption import Caption
from beszel_tui.widgets.sheet_panel import SheetPanel

_VERBS = {"new", "delete", "password"}


class SettingsScreen(HubScreen):
    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*SETTINGS]
    AUTO_FOCUS = "SheetTable"

    def __init__(self, section: str = "looks") -> None:
        super().__init__()
        self._key = section
        self._account: AccountFacts | None = None
        self._account_problem = ""
        self._is_asking = False
        self._orders = Orders(self)

    # What is shown

    @property
    def account(self) -> AccountFacts | None:
        return self._account

    @property
    def facts(self) -> SettingsFacts:
        app = self.hub_app
        return SettingsFacts(
            looks=app.settings.looks, said=app.settings.said, theme=app.themes.choose(app.theme).label,
            theme_note="⏎ shows them all", account=self._account, account_problem=self._account_problem,
            hubs=app.known_hubs(), keys=app.known_keys(), now_ms=self.state.now_ms,
        )  # fmt: skip

    @property
    def sections(self) -> tuple[Section, ...]:
        return sections_of(self.facts)

    @property
    def section(self) -> Section:
        return next((section for section in self.sections if section.key == self._key), SECTIONS[0])

    @property
    def row(self) -> SheetRow | None:
        line = self.panel.table.cursor_line
        return None if line is None else line.row

    @property
    def panel(self) -> SheetPanel:
        return self.query_one(SheetPanel)

    @property
    def listing(self) -> SheetPanel:
        return self.panel

    def compose_content(self) -> ComposeResult:
        look = self.hub_app.look
        yield TabBar(self._tab_bar_view(), look)
        yield SheetPanel(look, self.section.sheet, self.hub_app.orders)
        preview = Caption()
        preview.id = "preview"
        yield preview

    def on_mount(self) -> None:
        super().on_mount()
        self.reload()

    def show_state(self, state: State) -> None:
        look, section, facts = self.hub_app.look, self.section, self.facts
        self.panel.become(section.sheet)
        self.query_one(TabBar).show(self._tab_bar_view(), look)
        rows = rows_of(section, facts)
        aged = section.of_account and not state.is_live
        self.panel.show(Told(rows, self._note(section)), look, aged=aged, empty=why_empty(section, facts))
        preview = self.query_one("#preview", Caption)
        preview.display = section.key == "looks"
        preview.show(lambda width: draw_preview(look, state.now_ms, width))

    def _note(self, section: Section) -> str:
        if section.key == "keys":
            return "* of your config file: [keys]"
        if not section.of_account:
            return "kept for the next start" if section.key == "looks" else ""
        if self._account is not None and not self._account.is_login:
            return "by an API token: to be seen, not to be changed"
        return "asking the hub…" if self._is_asking else ""

    def _tab_bar_view(self) -> TabBarView:
        symbols, sections = self.hub_app.look.symbols, self.sections
        titles = tuple(section.sheet.title for section in sections)
        arrows = (symbols.more_left, symbols.more_right)
        return TabBarView(titles, sections.index(self.section), (), "", arrows=arrows)

    def show_section(self, key: str) -> None:
        self._key = key
        self.show_state(self.state)
        self.show_keys()
        self.call_after_refresh(self.panel.focus_table)

    def focus_content(self) -> None:
        self.panel.focus_table()

    # Asking the hub

    def reload(self) -> None:
        account = self.hub_app.bridge.source.account
        if account is None:
            self._account_problem = "there is no account to show: leave `--all-hubs` and choose one hub"
            return
        self._is_asking = True
        self.hub_app.bridge.ask(account.read, self._loaded, self._not_loaded)

    def _loaded(self, facts: AccountFacts) -> None:
        self._account, self._account_problem, self._is_asking = facts, "", False
        self._show_if_here()

    def _not_loaded(self, reason: str) -> None:
        self._account_problem, self._is_asking = f"{reason}\n\nr asks again", False
        self._show_if_here()

    def _show_if_here(self) -> None:
        if self.is_current and self.is_attached:
            self.show_state(self.state)
            self.show_keys()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the lines of this section is offered."""
        if action not in _VERBS and action != "change":
            return True
        section = self.section
        if action not in section.verbs:
            return False
        if action == "change" and parameters == (-1,) and section.key != "looks":
            return False
        if section.key == "hub" and not self._has_heartbeat:
            return False
        return not section.of_account or self._may_change

    @property
    def _has_heartbeat(self) -> bool:
        heartbeat = None if self._account is None else self._account.heartbeat
        return heartbeat is not None and heartbeat.enabled

    @property
    def _may_change(self) -> bool:
        return not self.hub_app.settings.read_only and self._account is not None and self._account.is_login

    def action_back(self) -> None:
        if self.panel.is_filtered:
            self.panel.clear_filter()
        else:
            self.hub_app.pop_screen()

    def action_tab(self, step: int) -> None:
        sections = self.sections
        self.show_section(sections[(sections.index(self.section) + step) % len(sections)].key)

    def action_tab_number(self, number: int) -> None:
        sections = self.sections
        if number <= len(sections):
            self.show_section(sections[number - 1].key)

    def action_reload(self) -> None:
        self.reload()
        self.show_state(self.state)

    def action_change(self, step: int) -> None:
        row = self.row
        if row is None:
            return
        if self.section.key == "looks":
            self._change_look(row.key, step)
        elif self.section.key == "hubs":
            self.hub_app.switch_hub(row.key)
        else:
            self._orders.change(self.section.key, row.key)

    def _change_look(self, key: str, step: int) -> None:
        if key == "theme":
            self.hub_app.action_themes()
        else:
            self.hub_app.choose_look(key, PREFERENCES[key].after(self.hub_app.settings.looks, step))

    def action_new(self) -> None:
        self._orders.new(self.section.key)

    def action_delete(self) -> None:
        if self.row is not None:
            self._orders.delete(self.section.key, self.row.key)

    def action_password(self) -> None:
        if self.row is not None:
            self._orders.set_password(self.row.key)

    # Messages

    @on(TabClicked)
    def _tab_clicked(self, message: TabClicked) -> None:
        self.action_tab_number(message.index + 1)

    @on(LineChosen)
    def _line_chosen(self) -> None:
        if self.check_action("change", (1,)):
            self.action_change(1)

    @on(ValueCopied)
    def _value_copied(self, message: ValueCopied) -> None:
        """Of a hub's facts one wants what they are, not how they are called."""
        row = self.row
        self.hub_app.copy(str(row.told.get("text", message.text)) if row is not None else message.text)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.show_keys)
