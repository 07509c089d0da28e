"""The forms of channels, read into the hub's fields. Where a channel leads is written only, and never shown. Pure."""

from typing import Final

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
_WEEK_SECONDS: Final = 7 * 86_400
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
            FormField("hour", "Most an hour", hint="60"),
            FormField("weekly", "Weekly digest", YES_NO),
            FormField("enabled", "On", YES_NO),
        ),
        values=_NEW if channel is None else _values_of(channel, view),
        read=lambda values: [_read_channel(values, view, channel)],
        preview=lambda values: _preview(values, channel),
    )


_NEW: Final[Values] = {
    "name": "", "kind": "email", "url": "", "severity": "info", "recoveries": "yes", "systems": "", "tags": "",
    "rules": "", "after": "", "repeat": "", "hour": "", "weekly": "no", "enabled": "yes",
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
        "hour": str(channel.per_hour or ""),
        "weekly": _yes(channel.weekly),
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
    if values["hour"].strip():
        record["per_hour"] = _read_per_hour(values["hour"])
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


def _preview(values: Values, channel: Channel | None) -> str:
    if channel is not None:
        return "leave “where” empty to keep it; the hub never shows it again"
    return _EXAMPLES[values["kind"]]


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
