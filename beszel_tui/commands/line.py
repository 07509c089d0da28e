"""What the `:` command line understands: one table, for carrying out, suggesting and the help page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from beszel_tui.errors import CommandError
from beszel_tui.state.alertsheets import BY_KEY as ALERT_PANES
from beszel_tui.state.charts import TABS
from beszel_tui.state.columns import BY_KEY
from beszel_tui.state.ranges import parse_instant
from beszel_tui.state.settings import SECTIONS
from beszel_tui.state.windows import PRESETS

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


class Command(NamedTuple):
    name: str
    argument: str
    """How the argument is called in the help; empty if there is none."""
    help: str
    run: "Callable[[BeszelApp, str], None]"
    choices: "Callable[[BeszelApp], list[str]]" = lambda _app: []
    """What the argument can be."""

    @property
    def needs_argument(self) -> bool:
        return bool(self.argument) and not self.argument.startswith("[")


def run_line(app: "BeszelApp", line: str) -> None:
    """Carry out one line. Raises `CommandError` with a sentence to show."""
    name, _, argument = line.strip().partition(" ")
    if not name:
        return
    found = [command for command in COMMANDS if command.name == name]
    found = found or [command for command in COMMANDS if command.name.startswith(name)]
    if len(found) != 1:
        known = " ".join(command.name for command in (found or COMMANDS))
        raise CommandError(f"{'which of' if found else f'no command {name!r}:'} {known}{'?' if found else ''}")
    found[0].run(app, argument.strip())


def suggestions(app: "BeszelApp") -> list[str]:
    """Every complete line that makes sense now."""
    lines: list[str] = []
    for command in COMMANDS:
        lines.append(command.name)
        lines += [f"{command.name} {choice}" for choice in command.choices(app)]
    return lines


def _open(app: "BeszelApp", name: str) -> None:
    app.open_system(_system_id(app, name))


def _system_id(app: "BeszelApp", name: str) -> str:
    rows = app.bridge.state.systems.values()
    found = [row for row in rows if row.name.casefold() == name.casefold()]
    found = found or [row for row in rows if row.name.casefold().startswith(name.casefold())]
    if not name or not found:
        raise CommandError(f"no system is called {name!r}" if name else "open which system?")
    return found[0].id


def _sort(app: "BeszelApp", argument: str) -> None:
    """Of the table on the screen; elsewhere of the fleet."""
    key, _, direction = argument.partition(" ")
    listing = app.listing()
    columns = list(BY_KEY) if listing is None else listing.sort_keys
    found = [column for column in columns if column.startswith(key)] if key else []
    if not found or direction.strip() not in {"", "asc", "desc"}:
        raise CommandError(f"sort by one of: {' '.join(columns)}; then asc or desc")
    descending = direction.strip() == "desc" if direction.strip() else None
    (listing or app.show_fleet()).sort_by(found[0], descending=descending)


def _fleet(app: "BeszelApp", _argument: str) -> None:
    app.show_fleet()


def _filter(app: "BeszelApp", text: str) -> None:
    """Of the table on the screen; elsewhere of the fleet."""
    (app.listing() or app.show_fleet()).set_filter(text)


def _containers(app: "BeszelApp", name: str) -> None:
    app.open_containers(_system_id(app, name) if name else None)


def _theme(app: "BeszelApp", name: str) -> None:
    if not name:
        app.action_themes()
    elif name in app.themes.by_name:
        app.choose_theme(name)
    else:
        raise CommandError(f"themes: {' '.join(sorted(app.themes.by_name))}")


def _range(app: "BeszelApp", name: str) -> None:
    app.system_screen().choose_range(name)


def _at(app: "BeszelApp", text: str) -> None:
    """On the fleet and on a system, which show the past; from elsewhere on the fleet."""
    times, state = app.bridge.times, app.bridge.state
    if text in {"", "now"}:
        times.leave()
        return
    if not state.is_live:
        raise CommandError("there is no history while the hub is away")
    at_ms = parse_instant(text, state.hub_now_ms, app.chart_look.zone)
    if not getattr(app.screen, "shows_past", False):
        app.show_fleet()
    times.travel(at_ms)


def _tab(app: "BeszelApp", name: str) -> None:
    screen = app.system_screen()
    found = [tab for tab in screen.tabs if tab.key.startswith(name.casefold())] if name else []
    if not found:
        raise CommandError(f"tabs: {' '.join(tab.key for tab in screen.tabs)}")
    screen.show_tab(found[0].key)


def _names(app: "BeszelApp") -> list[str]:
    return sorted(row.name for row in app.bridge.state.systems.values())


def _add(app: "BeszelApp", _argument: str) -> None:
    app.show_fleet()
    app.add_system()


def _settings(app: "BeszelApp", name: str) -> None:
    found = [section.key for section in SECTIONS if section.key.startswith(name.casefold())]
    if not found:
        raise CommandError(f"settings: {' '.join(section.key for section in SECTIONS)}")
    app.open_settings(found[0])


def _hub(app: "BeszelApp", name: str) -> None:
    names = [hub.name for hub in app.known_hubs()]
    found = [known for known in names if known == name] or [known for known in names if name and known.startswith(name)]
    if not found:
        raise CommandError(f"hubs: {' '.join(names) or 'this one only; others stand in the config file'}")
    app.switch_hub(found[0])


def _alerts(app: "BeszelApp", name: str) -> None:
    found = [key for key in ALERT_PANES if key.startswith(name.casefold())]
    if not found:
        raise CommandError(f"alerts: {' '.join(ALERT_PANES)}")
    app.open_alerts(pane=found[0])


COMMANDS: Final[tuple[Command, ...]] = (
    Command("add", "", "Add a system", _add),
    Command(
        "alerts", "[TAB]", "Alerts: active, history, rules, quiet hours, channels", _alerts, lambda _: list(ALERT_PANES)
    ),
    Command(
        "at", "INSTANT", "Show what was: 10m ago, 12:04, 2026-11-20 08:00; now", _at, lambda _: ["now", "10m", "1h"]
    ),
    Command("containers", "[SYSTEM]", "Containers of all systems, or of one", _containers, _names),
    Command("filter", "TEXT", "Filter the table", _filter),
    Command("fleet", "", "Back to the fleet", _fleet),
    Command("help", "", "All keys of this screen", lambda app, _: app.action_help()),
    Command("hub", "NAME", "Go over to another hub", _hub, lambda app: [hub.name for hub in app.known_hubs()]),
    Command("open", "SYSTEM", "Open a system", _open, _names),
    Command("quit", "", "Leave", lambda app, _: app.exit()),
    Command(
        "range",
        "RANGE",
        "The time of the charts: 24h, 6h, 2026-11-20, 20:00..21:30",
        _range,
        lambda _: [window.name for window in PRESETS],
    ),
    Command("reconnect", "", "Connect to the hub again without waiting", lambda app, _: app.action_retry()),
    Command(
        "settings",
        "[SECTION]",
        "Looks, account, sessions, tokens, users, hub, backups, store, hubs, keys",
        _settings,
        lambda _: [section.key for section in SECTIONS],
    ),
    Command("sort", "COLUMN [asc|desc]", "Sort the table", _sort, lambda _: list(BY_KEY)),
    Command("tab", "TAB", "A tab of the system", _tab, lambda _: [tab.key for tab in TABS]),
    Command(
        "theme",
        "[NAME]",
        "Change the colours; without a name show all themes",
        _theme,
        lambda app: sorted(app.themes.by_name),
    ),
)
