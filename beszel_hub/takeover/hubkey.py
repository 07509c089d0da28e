"""The hub's key, so that agents which know the old hub by it know this one."""

from pathlib import Path
from typing import Final

from beszel_hub.agents.keys import load_hub_key
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, StartError
from beszel_hub.store.files import write_private_file
from beszel_hub.takeover.report import Report

KEY_FILE: Final = "id_ed25519"
_MAX_KEY_BYTES: Final = 16 << 10


def take_key(path: Path, config: HubConfig, report: Report, *, has_agents: bool, dry_run: bool) -> None:
    """Put the key of the Beszel in `path` into our data directory.

    The one there is replaced only while no agent has enrolled with it; it stays as `id_ed25519.before`.
    """
    table = report.table(KEY_FILE)
    source = path / KEY_FILE
    if not path.is_dir() or not source.is_file():
        return
    try:
        with source.open("rb") as file:
            content = file.read(_MAX_KEY_BYTES)
        public_line = load_hub_key(source, content.decode()).public_line
    except (OSError, UnicodeDecodeError, StartError) as error:
        table.leave_out(f"it cannot be used: {error}")
        return
    if config.key_source is not None:
        table.leave_out("the setting KEY says which key this hub has")
        return
    previous = _read_own(config.key_path)
    if previous is not None and load_hub_key(config.key_path, previous.decode()).public_line == public_line:
        table.skip_present()
        return
    if previous is not None and has_agents:
        table.leave_out("agents have enrolled with the key that this hub has")
        return
    if not dry_run:
        if previous is not None:
            write_private_file(config.key_path.with_name(f"{KEY_FILE}.before"), previous)
        write_private_file(config.key_path, content)
    table.take()
    report.notes.append("The hub's key is that of the Beszel now; restart a hub that is running.")


def _read_own(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandFailed(f"the hub's key {path} cannot be read: {error.strerror}") from error
