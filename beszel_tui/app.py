"""The Textual application: screens, themes, and what is common to all screens. No domain logic."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter

from beszel_protocol.feed import FleetRow
from beszel_tui.bindings.everywhere import APP
from beszel_tui.bindings.keymap import key_lines, keymap_problems
from beszel_tui.bridge import Bridge
from beszel_tui.choices import with_choices
from beszel_tui.commands.line import run_line
from beszel_tui.commands.palette import ActionEntries, CommandEntries, SystemEntries
from beszel_tui.config import Settings
from beszel_tui.context import Context
from beszel_tui.errors import CommandError
from beszel_tui.keeping import KeepingApp
from beszel_tui.renderables.chart import ChartLook
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.symbols import SYMBOLS
from beszel_tui.screens.base import HubScreen
from beszel_tui.screens.containers import ContainersScreen
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.hubs import switch_hub
from beszel_tui.screens.login import LoginScreen
from beszel_tui.screens.system import SystemScreen
from beszel_tui.state.alertbook import Kind
from beszel_tui.state.clipboard import for_clipboard, is_too_long
from beszel_tui.state.components import Question
from beszel_tui.state.containers import ContainerItem
from beszel_tui.state.form import Form
from beszel_tui.state.looks import choose
from beszel_tui.state.model import State
from beszel_tui.state.settings import HubLine, KeyLine
from beszel_tui.state.sheet import SheetRow
from beszel_tui.theming import DEFAULT_THEME, Themes, load_themes, palette_of, textual_theme
from beszel_tui.widgets.ascii_filter import AsciiFilter, key_in_words
from beszel_tui.widgets.listing import Listing

_ASCII = AsciiFilter()


class BeszelApp(KeepingApp):
    TITLE = "beszel"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {SystemEntries, ActionEntries, CommandEntries}  # noqa: RUF012 (Textual's way)
    BINDINGS: ClassVar[list[BindingType]] = [*APP]
    CSS = """
    Screen { color: $foreground; background: $background; }
    Toast { background: $panel; width: auto; max-width: 80%; padding: 0 1; margin-top: 0; }
    Input { color: $foreground; }
    CommandPalette SearchIcon { display: none; }
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context.settings.paths.choices_file)
        self.context = context
        self.themes: Themes = load_themes(context.settings.paths.themes)
        self._bridge: Bridge | None = None
        self._fleet: FleetScreen | None = None
        self._turned_away_by: set[str] = set()
        """Of several hubs."""
        self.is_leaving = False
        """Our session is about to end because we asked for it: nothing to be surprised by."""
        for theme in self.themes.by_name.values():
            self.register_theme(textual_theme(theme))
        self.set_keymap(context.settings.keys)
        chosen = context.settings.theme or self.choices.theme
        self.theme = self.themes.choose(chosen or DEFAULT_THEME).name
        self._restyle()

    @property
    def settings(self) -> Settings:
        """Of the context, with what was chosen on the screen."""
        return with_choices(self.context.settings, self.choices)

    @property
    def bridge(self) -> Bridge:
        if self._bridge is None:
            raise RuntimeError("there is no hub yet")
        return self._bridge

    @property
    def has_only_ascii(self) -> bool:
        return self.settings.looks.symbols == "ascii"

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and one for terminals of few characters."""
        return [*super().get_line_filters(), *([_ASCII] if self.has_only_ascii else [])]

    def get_key_display(self, binding: Binding) -> str:
        """In signs, or in words for terminals of few characters."""
        caption = super().get_key_display(binding)
        return key_in_words(caption) if self.has_only_ascii else caption

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """For Textual's own themes, which are never chosen but parsed with."""
        return {"text-strong": "#ffffff", "muted": "#999999", "faint": "#555555", "selection": "#333333"}

    def get_driver_class(self) -> type[Driver]:
        chosen = super().get_driver_class()
        if sys.platform == "win32":
            return chosen
        from beszel_tui.driver import quiet_driver  # noqa: PLC0415 (what it needs is not there on Windows)

        return quiet_driver(chosen)

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda _: self._restyle(), immediate=True)
        self.context.on_notice = self._warn
        for problem in (*self.themes.problems, *keymap_problems(self.settings.keys), *self.context.notices):
            self._warn(problem)
        if self.context.source is None:
            self.push_screen(LoginScreen(hub=self.settings.hub or ""))
        else:
            self.start_hub()

    def start_hub(self) -> None:
        """Show the fleet of the context's source, in place of whatever is shown."""
        source = self.context.source
        if source is None:
            return
        self.workers.cancel_group(self, "bridge")
        self._turned_away_by.clear()
        self._bridge = Bridge(self, source, self.context.clock, is_slow=self.settings.slow)
        self._bridge.absorb()
        self._bridge.changed.subscribe(self, self._watch_admission)
        self.run_worker(self._bridge.run(), name="bridge", group="bridge")
        self._fleet = FleetScreen()
        if len(self.screen_stack) > 1:
            self.switch_screen(self._fleet)
        else:
            self.push_screen(self._fleet)

    def _watch_admission(self, state: State) -> None:
        """A session that the hub ended is forgotten; a token from outside is somebody else's to change."""
        for name, connection in state.hubs.items():
            if connection.phase == "refused" and name not in self._turned_away_by:
                self._turned_away_by.add(name)
                self._warn(f"{name}: {connection.reason}; `:hub {name}` leads to its login")
        if state.connection.phase != "refused" or isinstance(self.screen, LoginScreen):
            return
        hub = self.context.session_hub
        if hub is None or self.is_leaving:
            return
        self.context.forget(hub)
        self.show_fleet()
        self.switch_screen(LoginScreen(hub=hub, reason="please log in again: " + state.connection.reason))

    # Settings and hubs

    def action_settings(self) -> None:
        self.open_settings()

    def open_settings(self, section: str = "looks") -> None:
        from beszel_tui.screens.settings import SettingsScreen  # noqa: PLC0415 (not needed for the first picture)

        if isinstance(self.screen, SettingsScreen):
            self.screen.show_section(section)
        elif isinstance(self.screen, HubScreen):
            self.push_screen(SettingsScreen(section))

    def known_hubs(self) -> list[HubLine]:
        return self.context.known_hubs()

    def known_keys(self) -> list[KeyLine]:
        return key_lines(self.settings.keys)

    def switch_hub(self, name: str) -> None:
        """Leave this hub for another one that is known."""
        switch_hub(self, name)

    def watch_app_focus(self, focus: bool) -> None:
        self.bridge.rest(is_away=not focus)
        if isinstance(self.screen, HubScreen):
            self.screen.terminal_focused(has_focus=focus)

    # Screens

    def open_system(self, system_id: str, tab: str = "overview") -> None:
        self.bridge.open_system(system_id)
        if self._fleet is not None:
            self._fleet.table.move_cursor(system_id)
        if not isinstance(self.screen, SystemScreen):
            self.push_screen(SystemScreen(tab))

    def open_containers(self, system_id: str | None = None) -> None:
        """Of all systems, or of one."""
        self.push_screen(ContainersScreen(system_id))

    def leave_for_system(self, system_id: str, tab: str = "") -> None:
        """From the containers or alerts of a system back to it, or from those of all on to it; at a tab if told."""
        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        focus = self.bridge.state.focus
        if isinstance(below, SystemScreen) and focus is not None and focus.system_id == system_id:
            self.pop_screen()
            if tab:
                below.show_tab(tab)
        else:
            self.open_system(system_id, tab or "overview")

    def open_alerts(self, system_id: str | None = None, pane: str = "active") -> None:
        """Of all systems, or of one."""
        from beszel_tui.screens.alerts import AlertsScreen  # noqa: PLC0415 (not needed for the first picture)

        if not isinstance(self.screen, AlertsScreen):
            self.push_screen(AlertsScreen(system_id, pane))
        else:
            self.screen.show_pane(pane)

    def open_form(
        self, form: Form, kind: Kind, record_id: str | None = None, *, stored: Callable[[], None] = lambda: None
    ) -> None:
        """Whose records are then stored: a new one each, or the one of that id; `stored` hears of it."""
        from beszel_tui.screens.form import FormScreen, sender  # noqa: PLC0415 (not needed for the first picture)

        self.push_screen(FormScreen(form, sender(self.bridge, kind, record_id, stored)))

    def add_system(self) -> None:
        from beszel_tui.screens.enrolment import EnrolmentScreen  # noqa: PLC0415 (not needed for the first picture)

        if self.settings.read_only:
            self.say("this client is read-only", severity="warning")
        else:
            self.push_screen(EnrolmentScreen())

    def open_logs(self, item: ContainerItem) -> None:
        from beszel_tui.screens.logs import LogsScreen  # noqa: PLC0415 (not needed for the first picture)

        self.push_screen(LogsScreen(item))

    def open_inspection(self, item: ContainerItem) -> None:
        from beszel_tui.screens.inspection import InspectionScreen  # noqa: PLC0415 (not needed for the first picture)

        self.push_screen(InspectionScreen(item))

    def open_detail(self, row: SheetRow, system: FleetRow, question: Question | None) -> None:
        from beszel_tui.screens.detail import DetailScreen  # noqa: PLC0415 (not needed for the first picture)

        self.push_screen(DetailScreen(row, system.id, system.name, question))

    def open_neighbour(self, step: int) -> None:
        """The next system of the list as it is filtered and sorted."""
        focus = self.bridge.state.focus
        ids = self._fleet.visible_ids if self._fleet is not None else []
        if focus is None or focus.system_id not in ids:
            return
        self.bridge.close_system()
        self.open_system(ids[(ids.index(focus.system_id) + step) % len(ids)])

    def close_system(self) -> None:
        if isinstance(self.screen, SystemScreen):
            self.pop_screen()
            if not any(isinstance(screen, SystemScreen) for screen in self.screen_stack):
                self.bridge.close_system()

    def show_fleet(self) -> FleetScreen:
        """Back to the fleet, wherever we are. Raises `CommandError` before there is one."""
        if self._fleet is None:
            raise CommandError("there is no hub yet")
        while self._fleet in self.screen_stack and self.screen is not self._fleet:
            if isinstance(self.screen, SystemScreen):
                self.close_system()
            else:
                self.pop_screen()
        return self._fleet

    def system_screen(self) -> SystemScreen:
        """Raises `CommandError` if no system is open."""
        if not isinstance(self.screen, SystemScreen):
            raise CommandError("open a system first")
        return self.screen

    def listing(self) -> Listing | None:
        """The list that is on the screen."""
        return self.screen.listing if isinstance(self.screen, HubScreen) else None

    # Looks

    def _restyle(self) -> None:
        palette = palette_of(self.themes.choose(self.theme))
        looks = self.settings.looks
        symbols, clock = SYMBOLS[looks.symbols], looks.hours
        self.look = FleetLook(palette, symbols, looks.units, self.settings.thresholds, clock)
        zone = clock.zone or datetime.now().astimezone().tzinfo
        assert zone is not None  # noqa: S101 (a local time always has one)
        self.chart_look = ChartLook(palette, symbols, looks.units, zone, clock.is_twelve)

    # Actions

    def action_help(self) -> None:
        from beszel_tui.screens.help import HelpScreen  # noqa: PLC0415 (not needed for the first picture)

        if not isinstance(self.screen, HelpScreen):
            active = [binding.binding for binding in self.screen.active_bindings.values()]
            vocabulary = self.screen.vocabulary if isinstance(self.screen, HubScreen) else None
            self.push_screen(HelpScreen(active, self.look.palette, vocabulary.help if vocabulary else ()))

    def action_command_line(self) -> None:
        if isinstance(self.screen, HubScreen):
            self.screen.open_command_line()

    def action_themes(self) -> None:
        from beszel_tui.screens.themes import ThemesScreen  # noqa: PLC0415 (not needed for the first picture)

        if not isinstance(self.screen, ThemesScreen):
            self.push_screen(ThemesScreen(self.themes, self.theme))

    def choose_theme(self, name: str) -> None:
        """Change the colours, and remember them for the next start."""
        self.theme = name
        self.keep(msgspec.structs.replace(self.choices, theme=name))
        if self.settings.theme not in {None, name}:
            self.say(f"until you leave: the settings say {self.settings.theme}")

    def choose_look(self, key: str, value: str) -> None:
        """Write or draw something another way, and remember that for the next start."""
        self.keep(choose(self.choices, key, value))
        self._restyle()
        if isinstance(self.screen, HubScreen):
            self.screen.redraw()
            self.screen.query("*").refresh()  # what is drawn once may have other characters now

    def action_alerts(self) -> None:
        """Of the system that is open, or of all."""
        if isinstance(self.screen, SystemScreen) and self.bridge.state.focus is not None:
            self.open_alerts(self.bridge.state.focus.system_id)
        elif isinstance(self.screen, HubScreen):
            self.open_alerts()

    def action_retry(self) -> None:
        self.bridge.source.retry_now()

    def run_command(self, line: str) -> None:
        try:
            run_line(self, line)
        except CommandError as error:
            self.say(str(error), severity="warning")

    def copy(self, text: str, *, said: str = "") -> None:
        """To the clipboard of the terminal (OSC 52), which also works over SSH; `said` stands for a long text."""
        self.copy_to_clipboard(text)
        if is_too_long(text):
            self.say("copied the beginning: all of it is too long for a terminal", severity="warning")
        else:
            self.say(f"copied: {said or text}")

    def copy_to_clipboard(self, text: str) -> None:
        """What a host or a container wrote is text for the terminal, too, and nothing for it to obey."""
        super().copy_to_clipboard(for_clipboard(text))

    def _warn(self, text: str) -> None:
        self.say(text, severity="warning")
