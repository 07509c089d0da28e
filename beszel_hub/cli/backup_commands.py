"""`beszel-hub backup`: made, listed, checked and put back."""

from typing import Annotated, Final

import typer

from beszel_hub.cli.options import AsJson, DataDir, read_config, show

backup_app: Final = typer.Typer(help="Backups of database, keys and the files beside them.", no_args_is_help=True)
File = Annotated[str, typer.Argument(metavar="FILE", help="A file, or the name of one that `backup list` shows.")]


@backup_app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="[NAME.zip]", help="What to call it.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a backup in `backups` of the data directory; works beside a running hub."""
    from beszel_hub.cli import backups  # noqa: PLC0415

    made = backups.create_backup(read_config(data_dir), name)
    show(made, f"{made.file}: {backups.describe_manifest(made.manifest)}", as_json=as_json)


@backup_app.command("list")
def list_all(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the backups there are, newest first."""
    from beszel_hub.cli import backups  # noqa: PLC0415

    found = backups.list_backups(read_config(data_dir))
    show(found, "\n".join(map(backups.describe_file, found)) or "There are no backups yet.", as_json=as_json)


@backup_app.command("check")
def check(file: File, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Read all of a backup and say whether this version could put it back."""
    from beszel_hub.cli import backups  # noqa: PLC0415

    manifest = backups.check(read_config(data_dir), file)
    show(manifest, f"A sound backup {backups.describe_manifest(manifest)}.", as_json=as_json)


@backup_app.command("restore")
def restore(file: File, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Put a backup back, with the hub stopped; what is there now is moved aside, not deleted."""
    from beszel_hub.cli import backups  # noqa: PLC0415

    back = backups.put_back(read_config(data_dir), file)
    text = f"Put back a backup {backups.describe_manifest(back.manifest)}.\nWhat was there before is in {back.aside}."
    show(back, text, as_json=as_json)
