"""One run: users, systems, tokens, settings and alerts in one transaction, then the key, then statistics in small ones.

What is here stays as it is, so a run can be repeated: it adds what an earlier one had to leave out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.notifications.settings_view import Absorb, make_absorb
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret
from beszel_hub.systems.queries import load_entries
from beszel_hub.takeover.alarms import take_alerts, take_history, take_quiet_hours
from beszel_hub.takeover.history import take_statistics
from beszel_hub.takeover.hubkey import take_key
from beszel_hub.takeover.machines import take_details, take_systems, take_tokens, take_universal_tokens
from beszel_hub.takeover.people import take_users
from beszel_hub.takeover.preferences import take_settings
from beszel_hub.takeover.report import Report
from beszel_hub.takeover.source import SourceDatabase, open_source

WITHOUT_HOME: Final = {
    "_superusers": "the first user there is an administrator here; make others with `beszel-hub user create`",
    "containers": "agents tell anew what runs",
    "systemd_services": "agents tell anew what runs",
    "smart_devices": "agents tell anew what disks there are",
}
"""Tables of Beszel's that are only counted, and why."""


class _DryRun(Exception):
    """Rolls back everything that a dry run has written."""

    def __init__(self, system_ids: list[str]) -> None:
        self.system_ids = system_ids
        super().__init__()


def take_over(
    path: Path, config: HubConfig, database: Database, secret: Secret, clock: Clock, *, note: Callable[[Report], None],
    dry_run: bool = False,
) -> Report:  # fmt: skip
    """Take over what is in the data directory (or the database file) at `path`; raise `CommandFailed` if it cannot.

    `note` runs inside the transaction of the records, which the report is about until then.
    """
    report = Report(dry_run=dry_run)
    now_ms = clock()
    with open_source(path, config.data_dir) as source:
        has_agents = any(entry.ever_seen for entry in database.read_now(load_entries))
        system_ids = _take_records(database, source, secret, make_absorb(secret, clock), report, now_ms, note)
        take_key(path, config, report, has_agents=has_agents, dry_run=dry_run)
        take_statistics(database, source, system_ids, report, now_ms=now_ms, dry_run=dry_run)
        for table, reason in WITHOUT_HOME.items():
            count = source.count(table)
            if count:
                report.table(table).leave_out(reason, count)
    return report


def _take_records(
    database: Database, source: SourceDatabase, secret: Secret, absorb: Absorb, report: Report, now_ms: int,
    note: Callable[[Report], None],
) -> list[str]:  # fmt: skip
    """The ids of the systems that are here now."""

    def write() -> list[str]:
        users = take_users(source.rows("users"), report, now_ms)
        system_ids = take_systems(source.rows("systems"), users, report, now_ms)
        take_details(source.rows("system_details"), system_ids, report, now_ms)
        take_tokens(source.rows("fingerprints"), system_ids, secret, report, now_ms)
        take_universal_tokens(source.rows("universal_tokens"), users, secret, report, now_ms)
        take_settings(source.rows("user_settings"), users, absorb, report, now_ms)
        take_alerts(source.rows("alerts"), users, report, now_ms)
        take_history(source.rows("alerts_history"), users, report, now_ms)
        take_quiet_hours(source.rows("quiet_hours"), users, report, now_ms)
        if report.dry_run:
            raise _DryRun(system_ids)
        note(report)
        return system_ids

    try:
        return database.write_now(write)
    except _DryRun as rolled_back:
        return rolled_back.system_ids
