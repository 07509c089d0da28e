"""The forms of channels, read into the hub's fields. Where a channel leads is written only, and never shown. Pure."""

from collections.abc import Mapping
from typing import Final

from beszel_protocol.template import (
    MAX_SUBJECT_TEMPLATE_LENGTH,
    MAX_TEMPLATE_LENGTH,
    Value,
    check_json,
    check_subject,
    check_text,
    fill_json,
    fill_text,
)
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import Channel
from beszel_tui.state.alertforms import SEVERITY_CHOICES
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.form import (
    YES_NO,
    Form,
    FormField,
    Record,
    Values,
    listed,
    read_seconds,
    required,
    words,
    write_seconds,
)
from beszel_tui.state.scopes import read_system

_KINDS: Final = (("email", "e-mail"), ("webhook", "webhook"), ("apprise", "a service of Apprise"))
_EXAMPLES: Final = {
    "email": "an address: ops@example.net",
    "webhook": "a URL that takes JSON: https://example.net/hook",
    "apprise": "a URL of Apprise: ntfy://ntfy.example.net/alerts, tgram://…, discord://…",
}
_SAMPLE: Final[Mapping[str, Value]] = {
    "alert": "k3v9x0c2m8q1z7t", "at": "2026-11-22T10:30:00.000Z", "count": 1, "key": "k3v9x0c2m8q1z7t-1",
    "kind": "fired", "link": "https://hub.example.net/system/web-1", "peak": 98.2, "rule": "busy",
    "severity": "warning", "since": "2026-11-22T10:30:00.000Z", "system": "web-1", "target": "cpu.usage_percent",
    "text": "CPU is at 91.4%", "threshold": 80.0, "title": "Warning: web-1 · busy", "value": 91.4,
}  # fmt: skip
"""Of an alert that a template is shown with."""
_WEEK_SECONDS: Final = 7 * 86_400
_MOST_GROUP_SECONDS: Final = 3600
_MOST_PER_HOUR: Final = 600


def channel_form(view: AlertView, channel: Channel | None = None) -> Form:
    return Form(
        title="New channel" if channel is None else f"Channel {channel.name}",
        fields=(
            FormField("name", "Name", hint="on call"),
            *([FormField("kind", "Kind", _KINDS)] * (channel is None)),
            FormField("url", "Where", hint="" if channel is None else f"unchanged: {channel.hint}"),
            FormField("severity", "From severity", SEVERITY_CHOICES),
            FormField("recoveries", "Also the end", YES_NO),
            FormField("systems", "Systems", hint="every system; or web-1, db-1"),
            FormField("tags", "Tags", hint="or those with prod, web"),
            FormField("rules", "Rules", hint="every rule; or busy, down"),
            FormField("after", "Only after", hint="at once; or 30m"),
            FormField("repeat", "Tell again", hint="never; or every 1h"),
            FormField("group", "Together", hint="3s; 0s for each at once"),
            FormField("hour", "Most an hour", hint="60"),
            FormField("weekly", "Weekly digest", YES_NO),
            FormField("subject", "Subject", hint="the hub's own; or ${severity}: ${system}"),
            FormField("template", "Template", hint="the hub's own words; or ${system}: ${value}", lines=4),
            FormField("enabled", "On", YES_NO),
        ),
        values=_NEW if channel is None else _values_of(channel, view),
        read=lambda values: [_read_channel(values, view, channel)],
        preview=lambda values: _preview(values, channel),
    )


_NEW: Final[Values] = {
    "name": "", "kind": "email", "url": "", "severity": "info", "recoveries": "yes", "systems": "", "tags": "",
    "rules": "", "after": "", "repeat": "", "group": "", "hour": "", "weekly": "no", "subject": "", "template": "",
    "enabled": "yes",
}  # fmt: skip


def _values_of(channel: Channel, view: AlertView) -> Values:
    names = [rule.name for rule_id in channel.rules if (rule := view.book.rule(rule_id))]
    return {
        "name": channel.name,
        "url": "",
        "severity": channel.severity,
        "recoveries": _yes(channel.recoveries),
        "systems": ", ".join(view.system_name(system_id) for system_id in channel.systems),
        "tags": ", ".join(channel.tags),
        "rules": ", ".join(names),
        "after": write_seconds(channel.escalate_after) if channel.escalate_after else "",
        "repeat": write_seconds(channel.repeat) if channel.repeat else "",
        "group": write_seconds(channel.group),
        "hour": str(channel.per_hour or ""),
        "weekly": _yes(channel.weekly),
        "subject": channel.subject_template,
        "template": channel.template,
        "enabled": _yes(channel.enabled),
    }


def _read_channel(values: Values, view: AlertView, channel: Channel | None) -> Record:
    record: Record = {
        "name": required(values, "name", "a channel needs a name", most=100),
        "severity": values["severity"],
        "recoveries": values["recoveries"] == "yes",
        "systems": [read_system(name, view, "systems") for name in listed(values["systems"])],
        "tags": words(values["tags"]),
        "rules": [_read_rule(name, view) for name in listed(values["rules"])],
        "escalate_after": _optional_seconds(values, "after"),
        "repeat": _optional_seconds(values, "repeat"),
        "weekly": values["weekly"] == "yes",
        "enabled": values["enabled"] == "yes",
    }
    if values["group"].strip():
        record["group"] = read_seconds(values["group"], "group", most=_MOST_GROUP_SECONDS)
    if values["hour"].strip():
        record["per_hour"] = _read_per_hour(values["hour"])
    template = _read_template(values["template"], values["kind"] if channel is None else channel.kind)
    if template != ("" if channel is None else channel.template):
        record["template"] = template
    subject = _read_subject(values["subject"])
    if subject != ("" if channel is None else channel.subject_template):
        record["subject_template"] = subject
    if channel is None:
        record["kind"] = values["kind"]
    if channel is None or values["url"].strip():
        record["url"] = required(values, "url", f"where to? {_EXAMPLES[values['kind']]}", most=2048)
    return record


def _read_rule(name: str, view: AlertView) -> str:
    found = next((rule.id for rule in view.book.rules.values() if rule.name == name), None)
    if found is None:
        raise FormError("rules", f"no rule is called {name!r}")
    return found


def _read_per_hour(text: str) -> int:
    number = text.strip()
    if not (number.isascii() and number.isdecimal() and 1 <= int(number[:9]) <= _MOST_PER_HOUR):
        raise FormError("hour", f"from 1 to {_MOST_PER_HOUR} messages")
    return int(number)


def _optional_seconds(values: Values, key: str) -> int:
    return read_seconds(values[key], key, most=_WEEK_SECONDS) if values[key].strip() else 0


def _read_subject(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_SUBJECT_TEMPLATE_LENGTH:
        raise FormError("subject", f"at most {MAX_SUBJECT_TEMPLATE_LENGTH} characters")
    try:
        check_subject(text)
    except ValueError as error:
        raise FormError("subject", str(error)) from error
    return text


def _read_template(text: str, kind: str) -> str:
    if not text.strip():
        return ""
    if len(text) > MAX_TEMPLATE_LENGTH:
        raise FormError("template", f"at most {MAX_TEMPLATE_LENGTH} characters")
    try:
        (check_json if kind == "webhook" else check_text)(text)
    except ValueError as error:
        raise FormError("template", str(error)) from error
    return text


def _preview(values: Values, channel: Channel | None) -> str:
    kind = values["kind"] if channel is None else channel.kind
    where = _EXAMPLES[kind] if channel is None else "leave “where” empty to keep it; the hub never shows it again"
    said = [where, *_preview_of_subject(values["subject"]), *_preview_of_text(values["template"], kind)]
    return "\n".join(said)


def _preview_of_subject(text: str) -> list[str]:
    if not text.strip():
        return []
    try:
        return [f"the subject: {' '.join(fill_text(_read_subject(text), _SAMPLE).split())}"]
    except FormError as error:
        return [f"the subject: {error}"]


def _preview_of_text(template: str, kind: str) -> list[str]:
    if not template.strip():
        return []
    try:
        _read_template(template, kind)
    except FormError as error:
        return [f"the template: {error}"]
    filled = fill_json(template, _SAMPLE).decode() if kind == "webhook" else fill_text(template, _SAMPLE)
    return ["of an alert it would say:", filled]


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
