"""What commands have in common: options, the settings they read, and how they print."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from beszel_hub.config import HubConfig, load_config

DataDir = Annotated[
    Path | None, typer.Option("--dir", metavar="DIR", help="The data directory. [DATA_DIR; default: beszel_data]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL")]
OwnerEmail = Annotated[str, typer.Option("--user", metavar="EMAIL", help="Whose it is.")]


def read_config(data_dir: Path | None) -> HubConfig:
    flags = {} if data_dir is None else {"DATA_DIR": str(data_dir)}
    return load_config(flags, os.environ).config


def show(value: object, text: str, *, as_json: bool) -> None:
    typer.echo(msgspec.json.encode(value).decode() if as_json else text)
