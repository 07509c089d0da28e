"""Alerts of the fleet that does not exist."""

from typing import Final

from beszel_protocol.feed import Alert
from beszel_tui.state.alertbook import (
    Account,
    AlertBook,
    Channel,
    Condition,
    Delivery,
    PastAlert,
    Quiet,
    Rule,
    RuleSet,
    Severity,
    Target,
)
from beszel_tui.state.demo_hosts import HOSTS

_ME: Final = "demouser0000001"
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_IDS: Final = {host.name: f"demo{index:011d}" for index, host in enumerate(HOSTS)}

_RULES: Final = (
    Rule(
        id="rulebusy0000001", name="busy", severity="warning", user=_ME,
        conditions=[Condition(target="cpu.usage_percent", value=80, recover_value=70, window_seconds=600)],
    ),
    Rule(
        id="ruledisk0000001", name="disk nearly full", severity="critical",
        conditions=[Condition(target="disk[*].usage_percent", value=90, window_seconds=0)], escalate_value=97,
    ),
    Rule(
        id="ruledown0000001", name="down", severity="critical", for_seconds=120, repeat_seconds=3600, origin="file",
        conditions=[Condition(target="status")],
    ),
    Rule(
        id="rulefull0000001", name="full within a day", user=_ME, tag="prod",
        conditions=[
            Condition(
                target="disk[*].usage_percent", comparison="below", value=86_400, window_seconds=3600,
                aggregate="forecast",
            )
        ],
    ),
    Rule(
        id="rulememory00001", name="out of memory", user=_ME, for_seconds=60,
        conditions=[
            Condition(target="memory.usage_percent", value=90),
            Condition(target="swap_percent", value=50),
        ],
    ),
    Rule(
        id="rulehot00000001", name="hot", severity="info", enabled=False, user=_ME,
        conditions=[Condition(target="temperature", value=80, window_seconds=300)],
    ),
)  # fmt: skip

_TARGETS: Final = (
    Target(target="status", label="Status", unit="number"),
    Target(target="cpu.usage_percent", label="CPU", unit="percent"),
    Target(target="memory.usage_percent", label="Memory", unit="percent"),
    Target(target="disk[*].usage_percent", label="Disk", unit="percent"),
    Target(target="swap_percent", label="Swap", unit="percent"),
    Target(target="temperature", label="Temperature", unit="°C"),
)


def demo_alerts(at_ms: int) -> list[Alert]:
    """What fires there, for as long as it is looked at."""
    return [
        Alert(
            id="alertdown000001", rule="ruledown0000001", name="down", system=_system("down"), target="status",
            severity="critical", since_ms=at_ms - 4 * _MINUTE_MS,
        ),
        Alert(
            id="alertbusy000001", rule="rulebusy0000001", name="busy", system=_busiest(), target="cpu.usage_percent",
            severity="warning", since_ms=at_ms - 42 * _MINUTE_MS, value=91.4, peak=98.2, threshold=80.0,
            acknowledged=True,
        ),
    ]  # fmt: skip


def demo_book(at_ms: int) -> AlertBook:
    midnight = at_ms // _DAY_MS * _DAY_MS
    return AlertBook(
        account=Account(id=_ME),
        rules={rule.id: rule for rule in sorted(_RULES, key=lambda rule: rule.name)},
        history=_history(at_ms),
        quiet=[
            Quiet(
                id="quietnight00001", type="daily", start_ms=midnight + 22 * 60 * _MINUTE_MS,
                end_ms=midnight + 7 * 60 * _MINUTE_MS, note="nights", tag="staging",
            ),
            Quiet(
                id="quietweekend001", type="weekly", start_ms=midnight + 18 * 60 * _MINUTE_MS,
                end_ms=midnight + 8 * 60 * _MINUTE_MS, days=["sat", "sun"], note="weekends",
            ),
        ],
        channels=[
            Channel(id="channelmail0001", name="mail", kind="email", hint="ops@example.net", severity="warning",
                    last_sent_ms=at_ms - 4 * _MINUTE_MS),
            Channel(id="channelpage0001", name="on call", kind="apprise", hint="ntfy://ntfy.example.net",
                    severity="critical", last_sent_ms=at_ms - 4 * _MINUTE_MS),
            Channel(id="channelhook0001", name="dashboard", kind="webhook", hint="https://status.example.net",
                    last_sent_ms=at_ms - _DAY_MS, last_error="answered 502",
                    template='{"host": "${system}",\n "says": "${title}: ${text}",\n "usage": "${value}"}'),
        ],
        deliveries={
            "alertdown000001": [
                Delivery(alert="alertdown000001", channel="channelmail0001", status="sent"),
                Delivery(alert="alertdown000001", channel="channelpage0001", status="sent"),
            ],
            "alertbusy000001": [Delivery(alert="alertbusy000001", channel="channelmail0001", status="sent")],
        },
        targets=_TARGETS,
        sets=[RuleSet(name="host", help="what every host should be asked for", rules=["System down", "CPU busy"])],
    )  # fmt: skip


def _history(at_ms: int) -> list[PastAlert]:
    fires = [
        PastAlert(
            id=alert.id, rule=alert.rule, name=alert.name, system=alert.system, target=alert.target,
            severity=alert.severity, since_ms=alert.since_ms, value=alert.value, peak=alert.peak,
            threshold=alert.threshold,
        )
        for alert in demo_alerts(at_ms)
    ]  # fmt: skip
    over = [
        PastAlert(
            id=f"alertpast{index:06d}", rule=rule, name=name, system=_IDS[HOSTS[(index * 5) % len(HOSTS)].name],
            target=target, severity=severity, since_ms=at_ms - index * 7 * 3_600_000, value=value, peak=value + 4,
            until_ms=at_ms - index * 7 * 3_600_000 + index * 11 * _MINUTE_MS, outcome="recovered",
        )
        for index, (rule, name, target, severity, value) in enumerate(_PAST, start=1)
    ]  # fmt: skip
    return fires + over


_PAST: Final[tuple[tuple[str, str, str, Severity, float], ...]] = (
    ("rulebusy0000001", "busy", "cpu.usage_percent", "warning", 84.0),
    ("ruledisk0000001", "disk nearly full", "disk[/srv].usage_percent", "critical", 91.0),
    ("rulehot00000001", "hot", "temperature[cpu]", "info", 82.0),
    ("rulebusy0000001", "busy", "cpu.usage_percent", "warning", 88.5),
    ("rulememory00001", "out of memory", "memory.usage_percent", "warning", 93.2),
    ("rulebusy0000001", "busy", "cpu.usage_percent", "warning", 81.7),
)


def _system(status: str) -> str:
    return next(system_id for host in HOSTS if host.status == status for system_id in [_IDS[host.name]])


def _busiest() -> str:
    up = [host for host in HOSTS if host.status == "up"]
    return _IDS[max(up, key=lambda host: host.cpu).name]
