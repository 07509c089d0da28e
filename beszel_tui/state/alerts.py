"""Alerts in words: of which system, what is measured in which unit, how a rule reads, what is silent now. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from beszel_protocol.addresses import InvalidAddress, parse_address
from beszel_protocol.feed import Alert
from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_value
from beszel_tui.state.alertbook import STATUS, AlertBook, Channel, Condition, Delivery, Quiet, Rule, Severity
from beszel_tui.state.model import State
from beszel_tui.state.selectors import Level

LEVELS: Final[Mapping[Severity, Level | None]] = {"info": None, "warning": "warning", "critical": "critical"}
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERYWHERE: Final = "all systems"
_UNITS: Final = {unit.value: unit for unit in Unit}
_TABS: Final = {
    "cpu": "cpu", "load_per_core_1": "cpu", "load_per_core_5": "cpu", "load_per_core_15": "cpu", "memory": "memory",
    "swap_percent": "memory", "disk": "disks", "network": "network", "bandwidth": "network", "temperature": "sensors",
    "temperatures": "sensors", "fans": "sensors", "batteries": "sensors", "battery_percent": "sensors",
    "ups": "sensors", "gpus": "gpu", "containers": "containers", "container_unhealthy": "containers",
    "services": "services", "smart": "health", "arrays": "health", "pools": "health", "checks": "checks",
}  # fmt: skip
"""By the first member of an address, or the name of one of the hub's own series."""
_SIGNS: Final = {"above": ">", "below": "<"}


class AlertView(NamedTuple):
    """What the tables of alerts are drawn from."""

    state: State
    book: AlertBook
    zone: tzinfo
    """The reader's own."""
    system_id: str | None = None
    """Only what concerns this system."""

    @property
    def now_ms(self) -> int:
        return self.state.hub_now_ms

    def concerns(self, system_id: str) -> bool:
        return self.system_id in {None, system_id}

    def system_name(self, system_id: str) -> str:
        row = self.state.systems.get(system_id)
        return row.name if row is not None else "(gone)"

    def covers(self, system: str, tag: str) -> bool:
        """Whether something that is for a system, for a tag or for all concerns what is looked at."""
        if self.system_id is None or not (system or tag):
            return True
        row = self.state.systems.get(self.system_id)
        return self.system_id == system or (not system and row is not None and tag in (row.tags or ()))

    def scope(self, system: str, tag: str) -> str:
        if system:
            return self.system_name(system)
        return f"tag {tag}" if tag else EVERYWHERE

    def clock(self, instant_ms: int) -> str:
        """`14:03` of the reader's clock if that is today, else `2026-11-22 14:03`."""
        moment = datetime.fromtimestamp(instant_ms / 1000, self.zone)
        now = datetime.fromtimestamp(self.now_ms / 1000, self.zone)
        return f"{moment:%H:%M}" if moment.date() == now.date() else self.date(instant_ms)

    def date(self, instant_ms: int) -> str:
        """`2026-11-22 14:03`."""
        return datetime.fromtimestamp(instant_ms / 1000, self.zone).strftime("%Y-%m-%d %H:%M")


class AlertCounts(NamedTuple):
    total: int
    open: int
    """That nobody looks after yet."""
    worst: Severity | None
    """Of the open ones."""


def count_alerts(state: State) -> AlertCounts:
    alerts = list(state.alerts.values())
    severities = {alert.severity for alert in alerts if not alert.acknowledged}
    worst = max(severities, key=SEVERITIES.index, default=None)
    return AlertCounts(len(alerts), sum(not alert.acknowledged for alert in alerts), worst)


def alerts_by_system(state: State) -> Counter[str]:
    """How many fire that nobody looks after."""
    return Counter(alert.system for alert in state.alerts.values() if not alert.acknowledged)


@lru_cache(maxsize=4096)
def _declared(target: str) -> tuple[str, Unit] | None:
    try:
        address = parse_address(target)
    except InvalidAddress:
        return None
    metric = address.metric
    return None if metric is None else (metric.label, metric.unit)


def _described(target: str, book: AlertBook) -> tuple[str, Unit]:
    """Label and unit of a target: a series of samples, or one of the hub's own."""
    declared = _declared(target)
    if declared is not None:
        return declared
    name = target.partition("[")[0]
    found = next((known for known in book.targets if known.target.partition("[")[0] == name), None)
    return (target, Unit.NUMBER) if found is None else (found.label, _UNITS.get(found.unit, Unit.NUMBER))


def unit_of(target: str, book: AlertBook, aggregate: str = "mean") -> Unit:
    return Unit.SECONDS if aggregate == "forecast" else _described(target, book)[1]


def label_of(target: str, book: AlertBook) -> str:
    """`CPU`, `Disk [/var]`, `Status`."""
    if target == STATUS:
        return "Status"
    keys = "".join(f" [{piece.partition(']')[0]}]" for piece in target.split("[")[1:])
    return _described(target, book)[0] + ("" if keys == " [*]" else keys)


def tab_of_target(target: str) -> str:
    """The key of a system's tab that shows what a rule watches."""
    return _TABS.get(target.partition("[")[0].partition(".")[0], "overview")


def condition_text(condition: Condition, book: AlertBook) -> str:
    """`CPU > 80.0%`, `Disk forecast < 24h`, `Status down`."""
    if condition.target == STATUS:
        return "Status down"
    label = label_of(condition.target, book)
    if condition.comparison == "absent":
        return f"{label} not told"
    how = "" if condition.aggregate in {"mean", "last"} else f" {condition.aggregate}"
    unit = unit_of(condition.target, book, condition.aggregate)
    return f"{label}{how} {_SIGNS.get(condition.comparison, '?')} {format_value(condition.value, unit)}"


def rule_text(rule: Rule, book: AlertBook) -> str:
    joined = " and " if rule.match == "all" else " or "
    return joined.join(condition_text(condition, book) for condition in rule.conditions)


def rule_window_seconds(rule: Rule) -> int:
    """How long something must be so before the alert fires, at least."""
    first = rule.conditions[0] if rule.conditions else None
    window = 0 if first is None or first.target == STATUS else first.window_seconds
    return window + rule.for_seconds


def alert_unit(alert_target: str, rule_id: str, book: AlertBook) -> Unit:
    """In which the value of an alert is."""
    rule = book.rule(rule_id)
    aggregate = rule.conditions[0].aggregate if rule is not None and len(rule.conditions) == 1 else "mean"
    return unit_of(alert_target, book, aggregate)


def is_quiet(quiet: Quiet, now_ms: int) -> bool:
    """Whether it holds now; a night belongs to the day on which it begins."""
    if quiet.type == "one-time":
        return quiet.start_ms <= now_ms < quiet.end_ms
    zone = zone_of(quiet.timezone)
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    start, end = (datetime.fromtimestamp(ms / 1000, zone).time() for ms in (quiet.start_ms, quiet.end_ms))
    today, yesterday = now.weekday(), (now.weekday() - 1) % 7
    is_over_night = start >= end
    begun_today = now.time() >= start and (is_over_night or now.time() < end)
    begun_yesterday = is_over_night and now.time() < end
    days = range(7) if quiet.type == "daily" else {WEEKDAYS.index(day) for day in quiet.days if day in WEEKDAYS}
    return (begun_today and today in days) or (begun_yesterday and yesterday in days)


def quiet_text(quiet: Quiet, view: AlertView) -> str:
    """`22:00–07:00`, `sat sun 22:00–07:00`, `2026-11-22 14:03 – 2026-11-23 15:03`."""
    if quiet.type == "one-time":
        return f"{view.clock(quiet.start_ms)} – {view.clock(quiet.end_ms)}"
    zone = zone_of(quiet.timezone)
    start, end = (datetime.fromtimestamp(ms / 1000, zone).strftime("%H:%M") for ms in (quiet.start_ms, quiet.end_ms))
    days = " ".join(quiet.days) + " " if quiet.type == "weekly" else ""
    return f"{days}{start}–{end}"


def snoozed_until_ms(alert: Alert, view: AlertView) -> int | None:
    """Until when a snooze of this very alert's rule and system holds, if one does."""
    ends = [
        quiet.end_ms
        for quiet in view.book.quiet
        if quiet.type == "one-time"
        and quiet.rule == alert.rule
        and quiet.system in {"", alert.system}
        and is_quiet(quiet, view.now_ms)
    ]
    return max(ends, default=None)


def told_text(alert_id: str, book: AlertBook) -> str:
    """Which channels have had it, which have not, and why: `ops, mail (waiting), pager (not delivered: HTTP 410)`."""
    names = {channel.id: channel.name for channel in book.channels}
    return ", ".join(
        names.get(channel, "(gone)") + _fate(newest) for channel, newest in _newest_told(alert_id, book).items()
    )


def given_up(alert_id: str, book: AlertBook) -> list[Delivery]:
    """What can be told again, oldest first; of a channel that has heard of the alert since, nothing can."""
    newest = _newest_told(alert_id, book)
    told = reversed(book.deliveries.get(alert_id, ()))
    return [delivery for delivery in told if delivery.status == newest[delivery.channel].status == "dead"]


def _newest_told(alert_id: str, book: AlertBook) -> dict[str, Delivery]:
    """By channel."""
    newest: dict[str, Delivery] = {}
    for delivery in book.deliveries.get(alert_id, ()):
        newest.setdefault(delivery.channel, delivery)
    return newest


def _fate(delivery: Delivery) -> str:
    word = {"waiting": "waiting", "dead": "not delivered"}.get(delivery.status)
    return "" if word is None else f" ({word}: {delivery.reason})" if delivery.reason else f" ({word})"


def selection_text(channel: Channel, view: AlertView) -> str:
    """Of what a channel tells."""
    names = [view.system_name(system_id) for system_id in channel.systems] + [f"tag {tag}" for tag in channel.tags]
    rules = [rule.name if (rule := view.book.rule(rule_id)) else "(gone)" for rule_id in channel.rules]
    return ", ".join([*names, *rules]) or "everything"


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """UTC for an empty name, and for one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return UTC
