"""The rows of the tables of alerts, out of what fires and what the hub keeps. Pure."""

from typing import Any

from beszel_protocol.feed import Alert
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.state.alertbook import Channel, PastAlert, Quiet, Rule
from beszel_tui.state.alerts import (
    LEVELS,
    AlertView,
    alert_unit,
    is_quiet,
    label_of,
    quiet_text,
    rule_text,
    rule_window_seconds,
    selection_text,
    snoozed_until_ms,
    told_text,
    zone_of,
)
from beszel_tui.state.selectors import Level, Thresholds
from beszel_tui.state.sheet import SheetRow


def active_rows(view: AlertView, _thresholds: Thresholds) -> list[SheetRow]:
    """What fires; newest first."""
    alerts = sorted(view.state.alerts.values(), key=lambda alert: (-alert.since_ms, alert.id))
    return [_active_row(alert, view) for alert in alerts if view.concerns(alert.system)]


def _active_row(alert: Alert, view: AlertView) -> SheetRow:
    unit = alert_unit(alert.target, alert.rule, view.book)
    snoozed_ms = snoozed_until_ms(alert, view)
    snoozed = "" if snoozed_ms is None else f"snoozed to {view.clock(snoozed_ms)}"
    values = {"value": alert.value, "peak": alert.peak, "threshold": alert.threshold}
    return SheetRow(
        key=alert.id,
        name=view.system_name(alert.system),
        level=LEVELS[alert.severity],
        values={
            "severity": alert.severity,
            "what": alert.name,
            "target": label_of(alert.target, view.book),
            **values,
            "since": max(0, view.now_ms - alert.since_ms) / 1000,
            "note": ", ".join(filter(None, ("acknowledged" if alert.acknowledged else "", snoozed))),
        },
        units=dict.fromkeys(values, unit),
        told=_told(
            alert=alert.id, system=view.system_name(alert.system), system_id=alert.system, rule=alert.name,
            rule_id=alert.rule, target=alert.target, severity=alert.severity, unit=unit.value, **values,
            since=format_timestamp(alert.since_ms), acknowledged=alert.acknowledged, text=alert.text,
            snoozed_until=None if snoozed_ms is None else format_timestamp(snoozed_ms),
        ),
    )  # fmt: skip


def history_rows(view: AlertView, _thresholds: Thresholds) -> list[SheetRow]:
    return [_past_row(past, view) for past in view.book.history if view.concerns(past.system)]


def _past_row(past: PastAlert, view: AlertView) -> SheetRow:
    unit = alert_unit(past.target, past.rule, view.book)
    values = {"value": past.value, "peak": past.peak}
    end_ms = view.now_ms if past.until_ms is None else past.until_ms
    lasted = max(0, end_ms - past.since_ms) / 1000
    outcome = "fires" if past.until_ms is None else past.reason or past.outcome or "over"
    told_to = told_text(past.id, view.book)
    return SheetRow(
        key=past.id,
        name=view.system_name(past.system),
        level=LEVELS[past.severity] if past.until_ms is None else "good",
        values={
            "from": view.date(past.since_ms),
            "severity": past.severity,
            "what": past.name,
            "target": label_of(past.target, view.book),
            **values,
            "lasted": lasted,
            "end": outcome,
            "told": told_to,
        },
        units=dict.fromkeys(values, unit),
        told=_told(
            alert=past.id, system=view.system_name(past.system), system_id=past.system, rule=past.name,
            rule_id=past.rule, target=past.target, severity=past.severity, unit=unit.value, **values,
            threshold=past.threshold, since=format_timestamp(past.since_ms),
            until=None if past.until_ms is None else format_timestamp(past.until_ms), lasted_seconds=lasted,
            outcome=past.outcome, reason=past.reason, told=told_to,
            acknowledged=None if past.acknowledged_ms is None else format_timestamp(past.acknowledged_ms),
        ),
    )  # fmt: skip


def rule_rows(view: AlertView, _thresholds: Thresholds) -> list[SheetRow]:
    firing: dict[str, Level | None] = {
        alert.rule: LEVELS[alert.severity] for alert in view.state.alerts.values() if view.concerns(alert.system)
    }
    return [_rule_row(rule, view, firing) for rule in view.book.rules.values() if view.covers(rule.system, rule.tag)]


def _rule_row(rule: Rule, view: AlertView, firing: dict[str, Level | None]) -> SheetRow:
    window = rule_window_seconds(rule)
    owner = "the file" if rule.origin == "file" else "everybody" if not rule.user else "me"
    if rule.user not in {"", view.book.account.id}:
        owner = "another user"
    told = _told(
        rule=rule.id, name=rule.name, scope=view.scope(rule.system, rule.tag), when=rule_text(rule, view.book),
        window_seconds=window, severity=rule.severity, enabled=rule.enabled, tells=owner,
    )  # fmt: skip
    return SheetRow(
        key=rule.id,
        name=rule.name,
        level=firing.get(rule.id, "good") if rule.enabled else None,
        values={
            "scope": told["scope"],
            "when": told["when"],
            "window": window or None,
            "severity": rule.severity,
            "state": ("fires" if rule.id in firing else "on") if rule.enabled else "off",
            "tells": owner,
        },
        told=told,
    )


def quiet_rows(view: AlertView, _thresholds: Thresholds) -> list[SheetRow]:
    return [_quiet_row(quiet, view) for quiet in view.book.quiet if view.covers(quiet.system, quiet.tag)]


def _quiet_row(quiet: Quiet, view: AlertView) -> SheetRow:
    holds = is_quiet(quiet, view.now_ms)
    is_over = quiet.type == "one-time" and quiet.end_ms <= view.now_ms
    rule = view.book.rule(quiet.rule)
    rule_name = rule.name if rule is not None else "(gone)" if quiet.rule else ""
    zone = "" if quiet.type == "one-time" else str(zone_of(quiet.timezone))
    scope, when = view.scope(quiet.system, quiet.tag), quiet_text(quiet, view)
    state = "now" if holds else "over" if is_over else "later"
    return SheetRow(
        key=quiet.id,
        name=quiet.note or f"quiet {scope}",
        level="good" if holds else None,
        values={"type": quiet.type, "when": when, "zone": zone, "scope": scope, "rule": rule_name, "state": state},
        told=_told(
            quiet=quiet.id, note=quiet.note, type=quiet.type, when=when, start=format_timestamp(quiet.start_ms),
            end=format_timestamp(quiet.end_ms), timezone=zone, days=quiet.days or None, scope=scope, rule=rule_name,
            state=state,
        ),
    )  # fmt: skip


def channel_rows(view: AlertView, _thresholds: Thresholds) -> list[SheetRow]:
    return [_channel_row(channel, view) for channel in view.book.channels]


def _channel_row(channel: Channel, view: AlertView) -> SheetRow:
    selection, sent_ms = selection_text(channel, view), channel.last_sent_ms
    return SheetRow(
        key=channel.id,
        name=channel.name,
        level=None if not channel.enabled else "critical" if channel.last_error else "good",
        values={
            "kind": channel.kind,
            "to": channel.hint,
            "severity": channel.severity,
            "of": selection,
            "state": "on" if channel.enabled else "off",
            "sent": None if sent_ms is None else max(0, view.now_ms - sent_ms) / 1000,
            "error": channel.last_error,
        },
        told=_told(
            channel=channel.id, name=channel.name, kind=channel.kind, to=channel.hint, severity=channel.severity,
            of=selection, enabled=channel.enabled, last_error=channel.last_error,
            last_sent=None if sent_ms is None else format_timestamp(sent_ms),
        ),
    )  # fmt: skip


def system_rows(view: AlertView, thresholds: Thresholds) -> list[SheetRow]:
    """What fires, what watches the system, and what has been: all there is about one."""
    rows = [
        row._replace(name=str(row.values["what"]), values=dict(row.values) | {"kind": "fires"}, key=f"active:{row.key}")
        for row in active_rows(view, thresholds)
    ]
    rows += [
        row._replace(values={"kind": "rule", "target": row.values["when"], "note": row.values["state"],
                             "severity": row.values["severity"]}, key=f"rules:{row.key}")
        for row in rule_rows(view, thresholds)
    ]  # fmt: skip
    rows += [
        row._replace(name=str(row.values["what"]), values=dict(row.values) | {"kind": "was", "note": row.values["end"]},
                     key=f"history:{row.key}", level=None)
        for row in history_rows(view, thresholds)
        if row.values["end"] != "fires"
    ]  # fmt: skip
    return rows


def _told(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None and value != ""}


def active_note(view: AlertView) -> str:
    """That it is quiet now, for whoever wonders why nobody was told."""
    number = sum(not quiet.rule and is_quiet(quiet, view.now_ms) for quiet in view.book.quiet)
    return f"quiet hours: {number} {'holds' if number == 1 else 'hold'} now" if number else ""
