"""Users' alerts, their history and quiet hours, by the rules that hold for them over HTTP. Runs in a write."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from beszel_hub.accounts.queries import find_account
from beszel_hub.alerts import queries
from beszel_hub.alerts.beszel_collection import MAX_VALUE, put_preset
from beszel_hub.alerts.presets import MAX_MINUTES, PRESETS, Preset
from beszel_hub.alerts.quiet_collection import QuietSource
from beszel_hub.alerts.rule import STATUS
from beszel_hub.alerts.steps import Ended
from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Actor
from beszel_hub.store.ids import is_id
from beszel_hub.takeover.people import UserIds
from beszel_hub.takeover.report import Report, TableReport
from beszel_hub.takeover.source import Row
from beszel_hub.takeover.values import instant_of, number_of, text_of

_KINDS: Final = ("one-time", "daily")
_NOBODY: Final = "its user was not taken over"
_UNSEEN: Final = "its system was not taken over, or its user does not see it"


def take_alerts(rows: Iterable[Row], users: UserIds, report: Report, now_ms: int) -> None:
    """Who has an alert of that kind on that system here keeps it."""
    table = report.table("alerts")
    for row in rows:
        actor, system_id, name = _owner(row, users), text_of(row, "system"), text_of(row, "name")
        value, minutes = number_of(row, "value") or 0.0, number_of(row, "min") or 0.0
        if actor is None:
            table.leave_out(_NOBODY)
        elif not queries.sees_system(actor, system_id):
            table.leave_out(_UNSEEN)
        elif name not in PRESETS or not 0 <= value <= MAX_VALUE or not 0 <= minutes <= MAX_MINUTES:
            table.leave_out("it is of no kind that there is, or its numbers are none")
        elif queries.find_preset(actor.user_id or "", system_id, name) is not None:
            table.skip_present()
        else:
            _attempt(table, partial(put_preset, actor, system_id, name, value, int(minutes), now_ms))


def take_history(rows: Iterable[Row], users: UserIds, report: Report, now_ms: int) -> None:
    """What has ended and is no older than history here; what lasts fires anew, by the alert that was taken over."""
    table = report.table("alerts_history")
    for row in rows:
        actor, system_id, preset = _owner(row, users), text_of(row, "system"), PRESETS.get(text_of(row, "name"))
        created_ms, resolved_ms = instant_of(row, "created"), instant_of(row, "resolved")
        if actor is None:
            table.leave_out(_NOBODY)
        elif not queries.sees_system(actor, system_id):
            table.leave_out(_UNSEEN)
        elif preset is None or created_ms is None or not is_id(text_of(row, "id")):
            table.leave_out("it has no id or no time, or is of no kind that there is")
        elif resolved_ms is None:
            table.leave_out("it had not ended")
        elif not now_ms - queries.HISTORY_MS <= created_ms <= resolved_ms <= now_ms:
            table.leave_out("it is older than history here goes, or its times are none")
        elif queries.insert_ended(_ended(row, preset, actor.user_id or "", created_ms, resolved_ms)):
            table.take()
        else:
            table.skip_present()


def _ended(row: Row, preset: Preset, user_id: str, created_ms: int, resolved_ms: int) -> Ended:
    """With the alert of the same kind here as its rule, if there is one."""
    system_id, name = text_of(row, "system"), text_of(row, "name")
    rule, value = queries.find_preset(user_id, system_id, name), number_of(row, "value")
    return Ended(
        id=text_of(row, "id"), rule_id=text_of(row, "alert_id") if rule is None else rule.id, user_id=user_id,
        system_id=system_id, name=name, target="" if "*" in preset.target else preset.target,
        value=None if value is None or preset.target == STATUS else value * preset.scale,
        reason="taken over from Beszel", created=created_ms, resolved=resolved_ms,
    )  # fmt: skip


def take_quiet_hours(rows: Iterable[Row], users: UserIds, report: Report, now_ms: int) -> None:
    """Those that are over stay behind."""
    table = report.table("quiet_hours")
    source = QuietSource(lambda: now_ms)
    here = {(old.user_id, old.system_id or "", old.type, old.start_ms, old.end_ms) for old in queries.load_silences()}
    for row in rows:
        actor, system_id, kind = _owner(row, users), text_of(row, "system"), text_of(row, "type")
        start_ms, end_ms = instant_of(row, "start"), instant_of(row, "end")
        if actor is None:
            table.leave_out(_NOBODY)
        elif start_ms is None or end_ms is None or kind not in _KINDS:
            table.leave_out("it has no times, or is of no kind that there is")
        elif system_id and not queries.sees_system(actor, system_id):
            table.leave_out(_UNSEEN)
        elif kind == "one-time" and end_ms <= now_ms:
            table.leave_out("it is over")
        elif (actor.user_id, system_id, kind, start_ms, end_ms) in here:
            table.skip_present()
        else:
            values: Row = {"system": system_id, "type": kind, "start": start_ms, "end": end_ms}
            _attempt(table, partial(source.create, actor, values))


def _owner(row: Row, users: UserIds) -> Actor | None:
    account = find_account(users.get(text_of(row, "user"), ""))
    return None if account is None else Actor(user_id=account.id, role=account.role, scope="full")


def _attempt(table: TableReport, make: Callable[[], str]) -> None:
    try:
        make()
    except BadRequest:
        table.leave_out("its user has too many already, or its times are none")
    else:
        table.take()
