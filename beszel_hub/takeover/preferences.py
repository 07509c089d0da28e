"""Users' settings, which are their clients' business and come over as they are. Runs in a write."""

from collections.abc import Iterable
from typing import Any

import msgspec

from beszel_hub.preferences.collection import MAX_SETTINGS_BYTES
from beszel_hub.preferences.queries import has_settings, insert_settings
from beszel_hub.store.ids import new_id
from beszel_hub.takeover.people import UserIds
from beszel_hub.takeover.report import Report
from beszel_hub.takeover.source import Row
from beszel_hub.takeover.values import json_of, text_of


def take_settings(rows: Iterable[Row], users: UserIds, report: Report, now_ms: int) -> None:
    """Somebody who has settings here keeps those."""
    table = report.table("user_settings")
    for row in rows:
        user_id, settings = users.get(text_of(row, "user")), json_of(row, "settings")
        if user_id is None:
            table.leave_out("its user was not taken over")
        elif has_settings(user_id):
            table.skip_present()
        elif not _is_document(settings):
            table.leave_out("it is no settings")
        else:
            insert_settings(new_id(), user_id, settings, now_ms)
            table.take()


def _is_document(settings: Any) -> bool:
    return isinstance(settings, dict) and len(msgspec.json.encode(settings)) <= MAX_SETTINGS_BYTES
