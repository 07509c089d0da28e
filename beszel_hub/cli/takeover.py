"""Takes over an existing Beszel, beside a running hub or before the first start of one."""

from pathlib import Path
from typing import Any

from beszel_hub.cli.opening import note, open_database
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.store.secrets import load_secret
from beszel_hub.takeover.report import Report
from beszel_hub.takeover.service import take_over


def import_beszel(config: HubConfig, path: Path, *, dry_run: bool) -> Report:
    """Raise `CommandFailed` if `path` holds no Beszel that can be read."""
    with open_database(config) as database:
        secret = load_secret(config.secret_path)
        return take_over(path, config, database, secret, system_clock, note=_note, dry_run=dry_run)


def _note(report: Report) -> None:
    taken: dict[str, Any] = {table.table: table.taken for table in report.tables if table.taken}
    if taken:
        note("import_beszel", **taken)
