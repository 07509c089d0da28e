"""An alert desk whose book is what a test put there, and which remembers what it was asked to change."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from beszel_protocol.feed import Alert
from beszel_tui.errors import HubRefused, HubUnreachable
from beszel_tui.state.alertbook import (
    Account,
    AlertBook,
    Channel,
    Condition,
    Delivery,
    Kind,
    PastAlert,
    Quiet,
    Rule,
    RuleSet,
    Target,
    Trial,
)

ME = "me0000000000001"
NOW_MS = 1_795_343_071_000
"""A Sunday, 10:24:31 in UTC."""
TARGETS = [
    Target(target="cpu.usage_percent", label="CPU", unit="percent"),
    Target(target="disk[*].usage_percent", label="Disk", unit="percent"),
    Target(target="network.recv_bytes_per_second", label="Received", unit="bytes/s"),
    Target(target="temperature", label="Temperature", unit="°C"),
]


def make_rule(name: str = "busy", **fields: Any) -> Rule:
    """For all systems, and one's own, unless told otherwise."""
    condition = Condition(target="cpu.usage_percent", value=80.0, recover_value=70.0, window_seconds=600)
    values: dict[str, Any] = {"id": f"rule{name}".replace(" ", ""), "user": ME, "conditions": [condition]} | fields
    return Rule(name=name, **values)


def make_alert(system: str, name: str = "busy", **fields: Any) -> Alert:
    values: dict[str, Any] = {
        "id": f"alert{name}{system}".replace("-", "").replace(" ", ""), "rule": f"rule{name}".replace(" ", ""),
        "target": "cpu.usage_percent", "severity": "warning", "since_ms": NOW_MS - 240_000, "value": 91.4,
        "peak": 98.2, "threshold": 80.0,
    }  # fmt: skip
    return Alert(name=name, system=system, **(values | fields))


def make_book(*rules: Rule, **fields: Any) -> AlertBook:
    values: dict[str, Any] = {
        "account": Account(id=ME),
        "rules": {rule.id: rule for rule in rules},
        "targets": TARGETS,
        "sets": [RuleSet(name="host", help="of every host", rules=["System down", "CPU busy"])],
    }
    return AlertBook(**(values | fields))


def make_past(system: str, name: str = "busy", **fields: Any) -> PastAlert:
    values: dict[str, Any] = {
        "id": f"past{name}{system}", "rule": f"rule{name}", "target": "cpu.usage_percent", "severity": "warning",
        "since_ms": NOW_MS - 7_200_000, "until_ms": NOW_MS - 3_600_000, "value": 84.0, "peak": 99.0,
        "outcome": "recovered",
    }  # fmt: skip
    return PastAlert(name=name, system=system, **(values | fields))


WEB = f"id{b'web-1'.hex()}"
"""Of the row that is made for `web-1`."""
FULL_BOOK = make_book(
    make_rule(),
    make_rule("disk full", conditions=[Condition(target="disk[*].usage_percent", value=90.0)], user="", origin="file"),
    history=[make_past(WEB)],
    quiet=[
        Quiet(id="quiet1", type="daily", start_ms=NOW_MS - 3_600_000, end_ms=NOW_MS + 3_600_000, note="nap"),
        Quiet(id="quiet2", type="one-time", start_ms=NOW_MS + 60_000, end_ms=NOW_MS + 120_000, note="later"),
    ],
    channels=[
        Channel(id="channel1", name="mail", kind="email", hint="ops@example.net"),
        Channel(id="channel2", name="pager", kind="apprise", hint="ntfy://example.net", last_error="answered 502"),
    ],
    deliveries={f"pastbusy{WEB}": [Delivery(alert=f"pastbusy{WEB}", channel="channel1", status="sent")]},
)


class ScriptedAlerts:
    """An `AlertDesk`."""

    def __init__(self, book: AlertBook = FULL_BOOK) -> None:
        self.book = book
        self.reads = 0
        self.acknowledged: list[str] = []
        self.over: set[str] = set()
        """Alerts that cannot be acknowledged any more."""
        self.saved: list[tuple[Kind, str | None, Mapping[str, Any]]] = []
        self.deleted: list[tuple[Kind, str]] = []
        self.tried: list[str] = []
        self.told_again: list[str] = []
        """Deliveries."""
        self.test_result = ""
        self.trial = Trial(fired=0, samples=0)
        self.problem = ""
        """What every change is refused with."""
        self.read_problem = ""

    async def read(self) -> AlertBook:
        self.reads += 1
        if self.read_problem:
            raise HubUnreachable(self.read_problem)
        return self.book

    async def acknowledge(self, alert_id: str) -> None:
        self._refuse()
        if alert_id in self.over:
            raise HubRefused(404, "it is over")
        self.acknowledged.append(alert_id)

    async def save(self, kind: Kind, record_id: str | None, values: Mapping[str, Any]) -> None:
        self._refuse()
        self.saved.append((kind, record_id, values))

    async def delete(self, kind: Kind, record_id: str) -> None:
        self._refuse()
        self.deleted.append((kind, record_id))
        if kind == "rules":
            rules = {key: rule for key, rule in self.book.rules.items() if key != record_id}
            self.book = replace(self.book, rules=rules)

    async def try_rule(self, rule_id: str, system_id: str, since_seconds: int) -> Trial:
        self._refuse()
        self.tried.append(f"{rule_id} {system_id} {since_seconds}")
        return self.trial

    async def try_channel(self, channel_id: str) -> str:
        self.tried.append(channel_id)
        return self.test_result

    async def tell_again(self, delivery_id: str) -> None:
        self._refuse()
        self.told_again.append(delivery_id)

    def _refuse(self) -> None:
        if self.problem:
            raise HubRefused(400, self.problem)
