"""`beszel-hub`: the server, and what is done beside it on the same data directory."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from beszel_hub.cli.alert_commands import alerts_app
from beszel_hub.cli.backup_commands import backup_app
from beszel_hub.cli.fleet_commands import audit_app, systems_app, universal_app
from beszel_hub.cli.options import AsJson, DataDir, Email, OwnerEmail, read_config, show
from beszel_hub.config import Loaded, load_config
from beszel_hub.errors import HubError, InvalidSetting
from beszel_protocol.version import VERSION

app: Final = typer.Typer(
    help="The hub of beszel-suite: stores what agents send and serves it.",
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
)  # fmt: skip
user_app: Final = typer.Typer(help="Users of the hub.", no_args_is_help=True)
token_app: Final = typer.Typer(help="Tokens for scripts and clients.", no_args_is_help=True)
store_app: Final = typer.Typer(help="What the database holds.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(store_app, name="store")
app.add_typer(universal_app, name="universal")
app.add_typer(systems_app, name="systems")
app.add_typer(audit_app, name="audit")
app.add_typer(alerts_app, name="alerts")
app.add_typer(backup_app, name="backup")


class RoleName(StrEnum):
    ADMIN = "admin"
    USER = "user"
    READONLY = "readonly"


class FormatName(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    OPENMETRICS = "openmetrics"


class ScopeName(StrEnum):
    READ = "read"
    WRITE = "write"


PasswordFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A file with the password, - for standard input; asked for if not given."),
]


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status: 0, 1 if it failed, 2 if it was called wrongly."""
    try:
        app(list(arguments), prog_name="beszel-hub")
    except HubError as error:
        complaints = [f"{field}: {complaint.message}" for field, complaint in error.data.items()]
        sys.stderr.write(f"beszel-hub: {'; '.join(complaints) or error.message}\n")
        return 2 if isinstance(error, InvalidSetting) else 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"beszel-hub {VERSION}")
        raise typer.Exit


@app.callback()
def start(
    _: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = (
        False
    ),
) -> None:
    """The hub of beszel-suite: stores what agents send and serves it."""


@app.command()
def serve(
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to serve. [LISTEN; default: 127.0.0.1:8090]")
    ] = None,
    data_dir: DataDir = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Serve HTTPS with this certificate; read again on SIGHUP.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's private key.")] = None,
    database_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL database in place of a file; no place for a password."),
    ] = None,
) -> None:
    """Run the hub until SIGTERM or SIGINT; further settings come from the environment (docs/hub.md)."""
    from beszel_hub.cli.server import run_server  # noqa: PLC0415

    run_server(_load(data_dir, DATABASE_URL=database_url, LISTEN=http, TLS_CERT=tls_cert, TLS_KEY=tls_key))


@user_app.command("create")
def create_user(
    email: Email,
    role: Annotated[RoleName, typer.Option(help="What the user may do.")] = RoleName.USER,
    password_file: PasswordFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a user; works beside a running hub."""
    from beszel_hub.cli import people  # noqa: PLC0415

    created = people.create_user(read_config(data_dir), email, role.value, people.read_password(password_file))
    show(created, f"{created.email} is a user now ({created.role}).", as_json=as_json)


@user_app.command("list")
def list_users(
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the users, oldest first."""
    from beszel_hub.cli import people  # noqa: PLC0415

    users = people.list_users(read_config(data_dir))
    lines = [f"{user.role:<9} {user.email} ({user.username})" for user in users]
    show(users, "\n".join(lines) or "There are no users yet.", as_json=as_json)


@user_app.command("password")
def set_password(email: Email, password_file: PasswordFile = None, data_dir: DataDir = None) -> None:
    """Set a new password; ends every login and API token of the user."""
    from beszel_hub.cli import people  # noqa: PLC0415

    people.set_password(read_config(data_dir), email, people.read_password(password_file))
    typer.echo(f"{email} has a new password; every token of theirs has ended.")


@user_app.command("role")
def set_role(
    email: Email, role: Annotated[RoleName, typer.Argument(help="What the user may do.")], data_dir: DataDir = None
) -> None:
    """Give a user another role."""
    from beszel_hub.cli import people  # noqa: PLC0415

    people.set_role(read_config(data_dir), email, role.value)
    typer.echo(f"{email} is {role.value} now.")


@user_app.command("delete")
def delete_user(email: Email, data_dir: DataDir = None) -> None:
    """Remove a user, with every token and membership of theirs."""
    from beszel_hub.cli import people  # noqa: PLC0415

    people.delete_user(read_config(data_dir), email)
    typer.echo(f"{email} is no user any more.")


@user_app.command("logout")
def log_out(email: Email, data_dir: DataDir = None) -> None:
    """End every login and API token of a user."""
    from beszel_hub.cli import people  # noqa: PLC0415

    people.log_out(read_config(data_dir), email)
    typer.echo(f"Every token of {email} has ended.")


@app.command()
def enrol(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the system.")],
    user: OwnerEmail,
    rotate: Annotated[bool, typer.Option("--rotate", help="Replace the token; its agent is shut out until told.")] = (
        False
    ),
    forget: Annotated[bool, typer.Option("--forget-agent", help="Let another machine take the agent's place.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a system and print what its agent needs; for a system that is there, print that again."""
    from beszel_hub.cli import machines  # noqa: PLC0415

    enrolment = machines.enrol(read_config(data_dir), name, user, rotate=rotate, forget=forget)
    show(enrolment, machines.describe(enrolment), as_json=as_json)


@token_app.command("create")
def create_token(
    user: OwnerEmail,
    scope: Annotated[ScopeName, typer.Option(help="Whether it may only look, or change things too.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="To tell it from others.")] = "command line",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token; it is shown this once."""
    from beszel_hub.cli import people  # noqa: PLC0415

    token = people.create_token(read_config(data_dir), user, scope.value, name)
    show(token, token.token, as_json=as_json)


@token_app.command("list")
def list_tokens(
    user: OwnerEmail,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List a user's API tokens, without their text."""
    from beszel_hub.cli import people  # noqa: PLC0415

    found = people.list_tokens(read_config(data_dir), user)
    lines = [f"{token.id}  {token.scope:<5}  {token.last_used or 'never used':<24}  {token.name}" for token in found]
    show(found, "\n".join(lines) or "There are no API tokens.", as_json=as_json)


@token_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `token list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """End an API token."""
    from beszel_hub.cli import people  # noqa: PLC0415

    people.revoke_token(read_config(data_dir), token_id)
    typer.echo("The token has ended.")


@store_app.command("info")
def show_store(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what history takes: by tier, by system, and by value."""
    from beszel_hub.cli import storage  # noqa: PLC0415

    info = storage.read_info(read_config(data_dir))
    if as_json:
        show(info, "", as_json=True)
    else:
        storage.print_info(info)


@store_app.command("move")
def move_store(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="postgresql://user@host/name, or sqlite:///path/of/data.db.")
    ],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Move a stopped hub's database into an empty one, to PostgreSQL or back into a file; the old one stays."""
    from beszel_hub.cli import moving  # noqa: PLC0415

    config = read_config(data_dir)
    report = moving.move_store(config, to)
    show(report, moving.describe(report, config), as_json=as_json)


@app.command()
def key(data_dir: DataDir = None) -> None:
    """Print the hub's public key, which agents take as KEY."""
    from beszel_hub.cli import machines  # noqa: PLC0415

    typer.echo(machines.public_key(read_config(data_dir)))


@app.command()
def export(  # noqa: PLR0913, PLR0917  # one option each
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
    chosen: Annotated[FormatName, typer.Option("--format", help="What to write.")] = FormatName.CSV,
    system: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Name or id; may be repeated. [default: every system]")
    ] = None,
    metric: Annotated[
        str, typer.Option(metavar="LIST", help="Series and patterns such as disk[].usage_percent. [default: all]")
    ] = "",
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="A date, or milliseconds since 1970. [default: an hour ago]")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Where it ends. [default: now]")] = "",
    resolution: Annotated[
        str, typer.Option(metavar="SPAN", help="Buckets of 60, 1m, 8h …; raw is every sample.")
    ] = "raw",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the file was cut off (csv and jsonl).")] = False,
    data_dir: DataDir = None,
) -> None:
    """Write stored history to a file; works beside a running hub."""
    from beszel_hub.cli import exporting  # noqa: PLC0415

    wanted = exporting.Wanted(
        format=chosen.value, systems=tuple(system or ()), metric=metric, start=start, end=end, resolution=resolution
    )
    exporting.export_history(read_config(data_dir), wanted, None if output == "-" else Path(output), resume=resume)


@app.command("import-beszel")
def import_beszel(
    path: Annotated[Path, typer.Argument(metavar="PB_DATA", help="The data directory of a Beszel, or its data.db.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take over users, systems, tokens, alerts, key and statistics of an existing Beszel; may be repeated."""
    from beszel_hub.cli import takeover  # noqa: PLC0415
    from beszel_hub.takeover.report import describe  # noqa: PLC0415

    report = takeover.import_beszel(read_config(data_dir), path, dry_run=dry_run)
    show(report, describe(report), as_json=as_json)


@app.command()
def health(
    url: Annotated[str | None, typer.Option(metavar="URL", help="Of the hub; else the one on this directory.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Ask a running hub whether it is well; exit 1 if it is not."""
    from beszel_hub.cli.health import check_health  # noqa: PLC0415

    typer.echo(check_health(url) if url else check_health(read_config(data_dir).local_url(), is_own=True))


def _load(data_dir: Path | None, **others: str | Path | None) -> Loaded:
    """From the flags, by setting, and the environment."""
    flags = {"DATA_DIR": data_dir, **others}
    return load_config({name: str(value) for name, value in flags.items() if value is not None}, os.environ)
