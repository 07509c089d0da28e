"""The command line. What a command needs is loaded when it runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from beszel_protocol.containers import MAX_LOG_LINES
from beszel_protocol.version import VERSION
from beszel_tui.config import Flags, Settings, load_settings
from beszel_tui.errors import ConfigError, TuiError
from beszel_tui.launch import EXIT_OK, complain, run

if TYPE_CHECKING:
    from beszel_tui.client.source import Source

HubOption = Annotated[str | None, typer.Option("--hub", metavar="URL", help="The hub. [BESZEL_HUB]")]
TokenOption = Annotated[
    str | None, typer.Option("--token-file", metavar="FILE", help="An API token. [BESZEL_TOKEN, BESZEL_TOKEN_FILE]")
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="A hub of the config file. [BESZEL_PROFILE]")
]


def _complete_system(context: typer.Context, incomplete: str) -> list[str]:
    from beszel_tui.plain.completion import complete_system  # noqa: PLC0415 (only for the shell)

    said = context.find_root().params
    flags = Flags(hub=said.get("hub"), token_file=said.get("token_file"), profile=said.get("profile"))
    return complete_system(flags, incomplete)


SystemArgument = Annotated[
    str,
    typer.Argument(
        metavar="SYSTEM", help="Its name, or a beginning that no other name has.", autocompletion=_complete_system
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For scripts: units in the names, nothing unknown.")]
PlainOption = Annotated[bool, typer.Option("--plain", help="A plain table; the default.")]
SortOption = Annotated[str, typer.Option("--sort", metavar="COLUMN", help="Another order, such as mem.")]
_LARGEST_SIZE: Final = (1000, 500)

app = typer.Typer(
    name="beszel-tui",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run_command_line(arguments: list[str]) -> int:
    """The exit status."""
    try:
        app(arguments, prog_name="beszel-tui")
    except TuiError as error:
        return complain(error)
    except SystemExit as end:
        if "--install-completion" in arguments and end.code == EXIT_OK:
            from beszel_tui.plain.completion import complete_at_first_key  # noqa: PLC0415 (only for the shell)

            complete_at_first_key(Path.home())
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return EXIT_OK


@app.callback(invoke_without_command=True)
def main(  # noqa: PLR0913, PLR0917 (a parameter for each option)
    context: typer.Context,
    hub: HubOption = None,
    token_file: TokenOption = None,
    profile: ProfileOption = None,
    theme: Annotated[str | None, typer.Option(metavar="NAME", help="Colours. [BESZEL_THEME]")] = None,
    symbols: Annotated[
        str | None, typer.Option(metavar="KIND", help="braille, block or ascii. [BESZEL_SYMBOLS]")
    ] = None,
    all_hubs: Annotated[
        bool, typer.Option("--all-hubs", help="Every hub of the config file at once, on the screen.")
    ] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Paint every five seconds only, for thin lines.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing at the hub.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Show a fleet that does not exist.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """The terminal client of beszel-suite: a fleet of machines, live."""
    if version:
        typer.echo(f"beszel-tui {VERSION}")
        raise typer.Exit
    flags = Flags(
        hub=hub, token_file=token_file, profile=profile, theme=theme, symbols=symbols, all_hubs=all_hubs, slow=slow,
        read_only=read_only,
    )  # fmt: skip
    if demo and context.invoked_subcommand not in {None, "screenshot"}:
        raise ConfigError(f"--demo is for the screen; {context.invoked_subcommand} tells of a real hub")
    context.obj = flags
    if context.invoked_subcommand is None:
        raise typer.Exit(run(load_settings(flags), demo=demo))


@app.command()
def local(context: typer.Context) -> None:
    """Watch this machine: a private hub and an agent run as long as the client does."""
    from beszel_tui.local.stack import LocalStack  # noqa: PLC0415 (only for this command)

    settings = load_settings(context.obj)
    raise typer.Exit(run(settings, companions=LocalStack(settings.paths.local).companions))


@app.command()
def status(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help='For scripts: {"systems": [...]}')] = False,
    plain: PlainOption = False,
) -> None:
    """Print every system once. Exit 0: all up; 1: some down or waiting for their agent; 2: hub not reached."""
    from beszel_tui.plain.fleet import status as print_status  # noqa: PLC0415 (only for this command)

    _refuse_both(json, plain)
    hub, token = _credentials(context.obj)
    raise typer.Exit(print_status(_open(hub, token), as_json=json))


@app.command()
def watch(
    context: typer.Context,
    system: SystemArgument,
    json: Annotated[bool, typer.Option("--json", help="For scripts: a document a line.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line for each sample; the default.")] = False,
) -> None:
    """Print a line for each sample of one system, until ctrl+c."""
    from beszel_tui.plain.fleet import watch as print_samples  # noqa: PLC0415 (only for this command)

    _refuse_both(json, plain)
    hub, token = _credentials(context.obj)
    raise typer.Exit(print_samples(_open(hub, token), system, as_json=json))


@app.command()
def containers(
    context: typer.Context,
    system: Annotated[
        str | None,
        typer.Argument(metavar="[SYSTEM]", help="Only those of this system.", autocompletion=_complete_system),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help='For scripts: {"containers": [...]}')] = False,
    plain: PlainOption = False,
) -> None:
    """Print every container once. Exit 0: all well; 1: some failed, restart or are unhealthy; 2: hub not reached."""
    from beszel_tui.plain.containers import list_containers  # noqa: PLC0415 (only for this command)

    _refuse_both(json, plain)
    hub, token = _credentials(context.obj)
    raise typer.Exit(list_containers(_open(hub, token), system, as_json=json))


_TABLES: Final = (
    (
        "processes", "processes",
        "Print what runs on a system now. Exit 0: printed; 2: not possible.",
    ),
    (
        "services", "services",
        "Print the services of a system, failed ones first. Exit 0: all well; 1: some are not; 2: not possible.",
    ),
    (
        "disks", "health",
        "Print how disks, arrays and pools of a system are. Exit 0: all well; 1: some are not; 2: not possible.",
    ),
    (
        "sensors", "sensors",
        "Print temperatures, fans, batteries and UPS of a system. Exit 0: all well; 1: some are not; 2: not possible.",
    ),
    (
        "gpus", "gpu",
        "Print the graphics processors of a system. Exit 0: all well; 1: some are hot or full; 2: not possible.",
    ),
    (
        "checks", "checks",
        "Print what came of the checks made from a system. Exit 0: all well; 1: some failed; 2: not possible.",
    ),
)  # fmt: skip
"""Commands, the sheet that each prints, and its help."""


def _add_table(name: str, key: str, help_text: str) -> None:
    @app.command(name, help=help_text)
    def print_table(
        context: typer.Context, system: SystemArgument, json: JsonOption = False, plain: PlainOption = False,
        sort: SortOption = "",
    ) -> None:  # fmt: skip
        _print_table(context, key, system, as_json=json, plain=plain, sort=sort)


for _table in _TABLES:
    _add_table(*_table)


def _complete_section(incomplete: str) -> list[str]:
    from beszel_tui.plain.settings import complete_section  # noqa: PLC0415 (only for the shell)

    return complete_section(incomplete)


@app.command("settings")
def print_settings(
    context: typer.Context,
    section: Annotated[
        str,
        typer.Argument(
            metavar="SECTION",
            help="account, sessions, tokens, users, hub, backups, store, hubs or keys.",
            autocompletion=_complete_section,
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help='For scripts: {"SECTION": [...]}')] = False,
    plain: PlainOption = False,
) -> None:
    """Print a table of the settings; nothing is changed. Exit 0: printed; 2: not possible."""
    from beszel_tui.plain import settings as tables  # noqa: PLC0415 (only for this command)

    _refuse_both(json, plain)
    if section not in tables.PRINTABLE:
        raise typer.BadParameter(f"a section is one of: {' '.join(tables.PRINTABLE)}")
    order = tables.SettingsOrder(section, as_json=json)
    source: Source | None = None
    if tables.PRINTABLE[section].of_account:
        source = _open(*_credentials(context.obj))
    else:
        order = tables.of_this_machine(order, load_settings(context.obj))
    raise typer.Exit(tables.print_settings(source, order))


@app.command()
def logs(
    context: typer.Context,
    system: SystemArgument,
    container: Annotated[str, typer.Argument(metavar="CONTAINER", help="Its name or id, or a beginning of one.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until ctrl+c.")] = False,
    tail: Annotated[int, typer.Option("--tail", "-n", metavar="LINES", help="At most so many to begin with.")] = 200,
    since: Annotated[
        str | None, typer.Option(metavar="AGE", help="Only what is younger: 90s, 15m, 12h, 3d; or a date.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Before each line.")] = False,
) -> None:
    """Print what a container wrote; its errors to standard error. Exit 0: printed; 2: not possible."""
    from beszel_tui.plain.logs import LogsOrder, print_logs, read_since  # noqa: PLC0415 (only for this command)

    if not 0 <= tail <= MAX_LOG_LINES:
        raise typer.BadParameter(f"at most {MAX_LOG_LINES} lines")
    try:
        since_ms = None if since is None else read_since(since)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    hub, token = _credentials(context.obj)
    order = LogsOrder(
        system, container, follow=follow, tail=tail, since_ms=since_ms, timestamps=timestamps,
        colour=not os.environ.get("NO_COLOR"),
    )  # fmt: skip
    raise typer.Exit(print_logs(_open(hub, token), order))


@app.command()
def chart(
    context: typer.Context,
    system: SystemArgument,
    metrics: Annotated[
        str, typer.Argument(metavar="METRIC[,METRIC...]", help="Such as cpu.usage_percent; all of one unit.")
    ],
    stretch: Annotated[str, typer.Option("--range", metavar="RANGE", help="1h, 12h, 24h, 7d, 30d or 1y.")] = "24h",
    size: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="In cells; otherwise the terminal's, or 80x20.")
    ] = None,
) -> None:
    """Print one chart of stored history. Exit 0: printed; 1: no readings in that time; 2: not possible."""
    from beszel_tui.plain.fleet import ChartOrder  # noqa: PLC0415 (only for this command)
    from beszel_tui.plain.fleet import chart as print_chart  # noqa: PLC0415 (only for this command)
    from beszel_tui.renderables.printed_chart import LEAST_HEIGHT, LEAST_WIDTH  # noqa: PLC0415 (only for this command)
    from beszel_tui.state.windows import preset  # noqa: PLC0415 (only for this command)

    window = preset(stretch)
    if window is None or window.live:
        raise typer.BadParameter("a range is one of 1h, 12h, 24h, 7d, 30d, 1y")
    cells = None if size is None else _size(size)
    if cells is not None and (cells[0] < LEAST_WIDTH or cells[1] < LEAST_HEIGHT):
        raise typer.BadParameter(f"a chart has at least {LEAST_WIDTH}x{LEAST_HEIGHT} cells")
    settings = load_settings(context.obj)
    order = ChartOrder(
        system,
        metrics,
        window,
        cells,
        settings.looks.units,
        settings.looks.symbols,
        colour=not os.environ.get("NO_COLOR"),
    )
    raise typer.Exit(print_chart(_open(*_credentials(context.obj)), order))


@app.command()
def alerts(  # noqa: PLR0913, PLR0917 (a parameter for each option)
    context: typer.Context,
    action: Annotated[str, typer.Argument(metavar="[ack|snooze|follow]", help="Without one: print them.")] = "",
    alert: Annotated[str, typer.Argument(metavar="[ALERT]", help="How its id begins, or the name of its system.")] = "",
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="How long to snooze it: 15m, 4h, 1d.")] = "1h",
    system: Annotated[str, typer.Option(metavar="SYSTEM", help="Only what concerns this system.")] = "",
    history: Annotated[bool, typer.Option("--history", help="What has fired, and who was told.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="What would fire.")] = False,
    quiet_hours: Annotated[bool, typer.Option("--quiet-hours", help="When nothing is told.")] = False,
    channels: Annotated[bool, typer.Option("--channels", help="Who is told.")] = False,
    json: JsonOption = False,
    plain: PlainOption = False,
) -> None:
    """Print what fires, or acknowledge it. Exit 0: nothing fires, or done; 1: something fires; 2: not possible."""
    from beszel_tui.plain import alerts as desk  # noqa: PLC0415 (only for this command)

    tables = {"history": history, "rules": rules, "quiet": quiet_hours, "channels": channels}
    wanted = [key for key, is_wanted in tables.items() if is_wanted] or ["active"]
    if (json and plain) or len(wanted) > 1 or (action and wanted != ["active"]):
        raise typer.BadParameter("one table at a time, as --json or --plain, and without an action")
    if action not in {"", "ack", "snooze", "follow"} or (action in {"ack", "snooze"}) != bool(alert):
        raise typer.BadParameter("ack ALERT, snooze ALERT --for 1h, or follow")
    source = _open(*_credentials(context.obj))
    if action == "ack":
        raise typer.Exit(desk.acknowledge(source, alert))
    if action == "snooze":
        raise typer.Exit(desk.snooze(source, alert, span))
    if action == "follow":
        raise typer.Exit(desk.follow(source))
    raise typer.Exit(desk.list_alerts(source, desk.AlertOrder(wanted[0], system, as_json=json)))


@app.command()
def screenshot(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.svg", help="Where to write it.")],
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="In cells.")] = "160x45",
    keys: Annotated[str, typer.Option(metavar="KEYS", help="Pressed first, such as `down,enter`.")] = "",
) -> None:
    """Write a picture of the demonstration as SVG."""
    from beszel_tui.picture import take  # noqa: PLC0415 (only for this command)

    take(load_settings(context.obj), file, _size(size), tuple(filter(None, keys.split(","))))


def _print_table(context: typer.Context, key: str, system: str, *, as_json: bool, plain: bool, sort: str) -> None:
    from beszel_tui.plain.tables import TableOrder, print_table  # noqa: PLC0415 (only for these commands)
    from beszel_tui.state.sheets import BY_KEY  # noqa: PLC0415 (only for these commands)

    _refuse_both(as_json, plain)
    settings = load_settings(context.obj)
    order = TableOrder(BY_KEY[key], system, as_json=as_json, sort=sort, thresholds=settings.thresholds)
    raise typer.Exit(print_table(_open(*_credentials(context.obj)), order))


def _refuse_both(as_json: bool, plain: bool) -> None:
    if as_json and plain:
        raise typer.BadParameter("either --json or --plain")


def _size(text: str) -> tuple[int, int]:
    """Width and height in cells."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and len(width) < 5 and len(height) < 5):
        raise typer.BadParameter("a size is written like 160x45")
    if int(width) > _LARGEST_SIZE[0] or int(height) > _LARGEST_SIZE[1]:
        raise typer.BadParameter(f"at most {_LARGEST_SIZE[0]}x{_LARGEST_SIZE[1]} cells")
    return int(width), int(height)


def _credentials(flags: Flags) -> tuple[str, str]:
    """Hub and token for a command without a login screen. Raises `ConfigError`."""
    settings: Settings = load_settings(flags)
    if settings.all_hubs:
        raise ConfigError("--all-hubs is for the screen; here name one with --hub")
    if settings.hub and settings.token:
        return settings.hub, settings.token
    from beszel_tui.client.session import load_session  # noqa: PLC0415 (only without a token)

    session = load_session(settings.paths.sessions_file, settings.hub) if settings.token is None else None
    if session is None:
        missing = "BESZEL_TOKEN or --token-file" if settings.hub else "BESZEL_HUB or --hub"
        raise ConfigError(f"which hub, with which token? Set {missing}, or log in once with `beszel-tui`")
    return session.hub, session.token


def _open(hub: str, token: str) -> "Source":
    from beszel_tui.context import open_hub  # noqa: PLC0415 (only for commands that need a hub)

    return open_hub(hub, token)
