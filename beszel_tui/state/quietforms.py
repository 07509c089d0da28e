"""The forms of quiet hours and snoozes, read into the hub's fields. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from beszel_protocol.feed import Alert
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import Quiet
from beszel_tui.state.alerts import WEEKDAYS, AlertView, zone_of
from beszel_tui.state.form import Form, FormField, Record, Values, read_seconds, required, words
from beszel_tui.state.scopes import read_scope, scope_fields, scope_values

_TYPES: Final = (("daily", "every day"), ("weekly", "some days of the week"), ("one-time", "once"))
_SPANS: Final = (("15m", "15 minutes"), ("1h", "1 hour"), ("4h", "4 hours"), ("1d", "1 day"), ("", "other"))
_LONGEST_SNOOZE_SECONDS: Final = 365 * 86_400


def quiet_form(view: AlertView, zone_name: str, quiet: Quiet | None = None) -> Form:
    """Of quiet hours, or of new ones; `zone_name` is the reader's own."""
    rules = tuple(rule.name for rule in view.book.rules.values())

    def recurs(values: Values) -> bool:
        return values["type"] != "one-time"

    return Form(
        title="New quiet hours" if quiet is None else "Quiet hours",
        fields=(
            FormField("type", "When", _TYPES),
            FormField("days", "Days", hint="sat sun", is_shown=lambda values: values["type"] == "weekly"),
            FormField("start", "From", hint="22:00"),
            FormField("end", "To", hint="07:00"),
            FormField("zone", "Time zone", hint="UTC", is_shown=recurs),
            *scope_fields(view),
            FormField("rule", "Rule", hint="every rule", suggestions=rules),
            FormField("note", "Note", hint="nights"),
        ),
        values=_new_values(view, zone_name) if quiet is None else _values_of(quiet, view),
        read=lambda values: _read_quiet(values, view),
        preview=_preview,
        follow=lambda key, values: _follow(key, values, view),
    )


def snooze_form(alerts: Sequence[Alert], view: AlertView) -> Form:
    """How long nothing is to be told of each alert's rule on its system."""
    several = {(alert.system, alert.rule): alert for alert in alerts}
    first = alerts[0]
    what = f"{len(alerts)} alerts" if len(alerts) > 1 else f"{first.name} of {view.system_name(first.system)}"

    def read(values: Values) -> list[Record]:
        seconds = read_seconds(values["span"] or values["other"], "other", least=60, most=_LONGEST_SNOOZE_SECONDS)
        return [
            {
                "type": "one-time",
                "start": format_timestamp(view.now_ms),
                "end": format_timestamp(view.now_ms + seconds * 1000),
                "system": alert.system,
                "rule": alert.rule,
                "note": f"snoozed {alert.name}"[:200],
            }
            for alert in several.values()
        ]

    return Form(
        title=f"Snooze {what}",
        fields=(
            FormField("span", "For", _SPANS),
            FormField("other", "How long", hint="90m, 3d", is_shown=lambda values: not values["span"]),
        ),
        values={"span": "1h", "other": ""},
        read=read,
        preview=lambda _values: "what happens meanwhile is told in one message when it ends",
    )


def _new_values(view: AlertView, zone_name: str) -> Values:
    return {
        "type": "daily", "days": "sat sun", "start": "22:00", "end": "07:00", "zone": zone_name,
        **scope_values(view, view.system_id or "", ""), "rule": "", "note": "",
    }  # fmt: skip


def _values_of(quiet: Quiet, view: AlertView) -> Values:
    rule = view.book.rule(quiet.rule)
    zone = view.zone if quiet.type == "one-time" else zone_of(quiet.timezone)
    written = "%Y-%m-%d %H:%M" if quiet.type == "one-time" else "%H:%M"
    start, end = (datetime.fromtimestamp(ms / 1000, zone).strftime(written) for ms in (quiet.start_ms, quiet.end_ms))
    return {
        "type": quiet.type, "days": " ".join(quiet.days), "start": start, "end": end, "zone": quiet.timezone,
        **scope_values(view, quiet.system, quiet.tag), "rule": rule.name if rule else "", "note": quiet.note,
    }  # fmt: skip


def _follow(key: str, values: Values, view: AlertView) -> Values:
    """Of something that is once the day has to be told as well."""
    if key != "type":
        return values
    now = datetime.fromtimestamp(view.now_ms / 1000, view.zone)
    if values["type"] == "one-time" and " " not in values["start"].strip():
        start = now.replace(second=0, microsecond=0)
        return {**values, "start": f"{start:%Y-%m-%d %H:%M}", "end": f"{start + timedelta(hours=4):%Y-%m-%d %H:%M}"}
    if values["type"] != "one-time" and " " in values["start"].strip():
        return {**values, "start": values["start"].split()[-1], "end": values["end"].split()[-1]}
    return values


def _read_quiet(values: Values, view: AlertView) -> list[Record]:
    record: Record = {"type": values["type"], "note": values["note"].strip()[:200], "rule": _read_rule(values, view)}
    if values["type"] == "one-time":
        start, end = (_read_instant(values[key], key, view.zone) for key in ("start", "end"))
        if start >= end:
            raise FormError("end", "it ends before it begins")
        record |= {"timezone": "", "days": []}
    else:
        zone = _read_zone(values["zone"])
        today = datetime.fromtimestamp(view.now_ms / 1000, zone).date()
        start, end = (_read_time(values[key], key, today, zone) for key in ("start", "end"))
        if start == end:
            raise FormError("end", "this is no time at all: it ends when it begins")
        record |= {"timezone": values["zone"].strip(), "days": _read_days(values)}
    record |= {"start": format_timestamp(start), "end": format_timestamp(end)}
    return [{**record, **scope} for scope in read_scope(values, view)]


def _read_rule(values: Values, view: AlertView) -> str:
    name = values["rule"].strip()
    found = [rule.id for rule in view.book.rules.values() if rule.name == name]
    if name and not found:
        raise FormError("rule", f"no rule is called {name!r}")
    return found[0] if name else ""


def _read_days(values: Values) -> list[str]:
    if values["type"] != "weekly":
        return []
    days = [day.casefold()[:3] for day in words(required(values, "days", "on which days? sat sun"))]
    if wrong := [day for day in days if day not in WEEKDAYS]:
        raise FormError("days", f"{wrong[0]!r} is no day: {' '.join(WEEKDAYS)}")
    return days


def _read_zone(text: str) -> tzinfo:
    name = text.strip() or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise FormError("zone", f"there is no time zone {name[:64]!r}: Europe/Amsterdam is one") from error


def _read_time(text: str, field: str, day: date, zone: tzinfo) -> int:
    try:
        moment = time.fromisoformat(text.strip().rjust(5, "0"))
    except ValueError as error:
        raise FormError(field, "this is a time of day such as 22:00") from error
    return round(datetime.combine(day, moment.replace(tzinfo=None), zone).timestamp() * 1000)


def _read_instant(text: str, field: str, zone: tzinfo) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise FormError(field, "this is a day and a time such as 2026-11-22 14:00") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _preview(values: Values) -> str:
    if values["type"] == "one-time":
        return "by your own clock; what happens meanwhile is told when it ends"
    return f"by clocks in {values['zone'].strip() or 'UTC'}; a night belongs to the day on which it begins"
