"""Commands on universal tokens, on the file of systems, and on the audit log."""

from pathlib import Path
from typing import Annotated, Final

import typer

from beszel_hub.cli.options import AsJson, DataDir, OwnerEmail, read_config, show

universal_app: Final = typer.Typer(
    help="Universal tokens: each new agent with one becomes a system.", no_args_is_help=True
)
systems_app: Final = typer.Typer(help="All systems as one file, in the form of Beszel's config.yml.")
audit_app: Final = typer.Typer(help="Who changed what.", no_args_is_help=True)


@universal_app.command("create")
def create_universal(
    user: OwnerEmail,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=8760, help="How long new agents may use it; else until it is ended.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a universal token of a user."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    made = fleet.create_universal(read_config(data_dir), user, hours)
    show(made, made.token, as_json=as_json)


@universal_app.command("list")
def list_universal(user: OwnerEmail, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List a user's open universal tokens."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    found = fleet.list_universal(read_config(data_dir), user)
    lines = [f"{token.id}  {token.expires or 'permanent':<24}  {token.token}" for token in found]
    show(found, "\n".join(lines) or "There are no universal tokens.", as_json=as_json)


@universal_app.command("end")
def end_universal(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `universal list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Let a universal token enrol nobody new; agents that it enrolled go on."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    fleet.end_universal(read_config(data_dir), token_id)
    typer.echo("The token enrols nobody new any more.")


@systems_app.command("export")
def export_systems(data_dir: DataDir = None) -> None:
    """Print every system as config.yml, tokens included."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    typer.echo(fleet.export_systems(read_config(data_dir)), nl=False)


@systems_app.command("import")
def import_systems(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="In the form of config.yml; - for standard input.")],
    remove_missing: Annotated[
        bool, typer.Option("--remove-missing", help="Delete systems that the file does not name, with their history.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make and change systems as a file says; none is deleted unless it or the option says so."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    applied = fleet.import_systems(read_config(data_dir), file, remove_missing=remove_missing)
    show(applied, fleet.describe(applied), as_json=as_json)


@audit_app.command("list")
def list_audit(
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the newest entries of the audit log, newest first."""
    from beszel_hub.cli import fleet  # noqa: PLC0415

    entries = fleet.list_audit(read_config(data_dir), last)
    lines = [f"{entry.time}  {entry.user or '-':<24}  {entry.action:<28}  {entry.record}".rstrip() for entry in entries]
    show(entries, "\n".join(lines) or "Nothing has been changed yet.", as_json=as_json)
