"""Users' settings, which are their clients' business and come over as they are. Runs in a write."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from beszel_hub.notifications.channel import MAX_CHANNELS
from beszel_hub.notifications.settings_view import Absorb
from beszel_hub.notifications.targets import read_any, read_target
from beszel_hub.preferences.collection import MAX_SETTINGS_BYTES
from beszel_hub.preferences.queries import has_settings, insert_settings
from beszel_hub.store.ids import new_id
from beszel_hub.takeover.people import UserIds
from beszel_hub.takeover.report import Report
from beszel_hub.takeover.source import Row
from beszel_hub.takeover.values import json_of, text_of


def take_settings(rows: Iterable[Row], users: UserIds, absorb: Absorb, report: Report, now_ms: int) -> None:
    """Somebody who has settings here keeps those. Where notifications go becomes channels, sealed as all are."""
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
            usable = _usable(settings, report)
            insert_settings(new_id(), user_id, absorb(user_id, usable), now_ms)
            table.take()


def _is_document(settings: Any) -> bool:
    return isinstance(settings, dict) and len(msgspec.json.encode(settings)) <= MAX_SETTINGS_BYTES


def _usable(settings: dict[str, Any], report: Report) -> dict[str, Any]:
    """Without the targets of notifications to which this hub cannot send."""
    kept = dict(settings)
    for field, read in (("emails", lambda text: read_target("email", text)), ("webhooks", read_any)):
        if field not in settings:
            continue
        texts = settings[field] if isinstance(settings[field], list) else []
        kept[field] = [text for text in texts if _is_target(text, read)][: MAX_CHANNELS // 2]
        if len(texts) > len(kept[field]):
            report.table(field).leave_out("nothing that this hub can send to", len(texts) - len(kept[field]))
    return kept


def _is_target(text: Any, read: Callable[[str], Any]) -> bool:
    try:
        read(text if isinstance(text, str) else "")
    except ValueError:
        return False
    return True
