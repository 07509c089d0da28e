"""The tables of alerts: what fires, what has fired, rules, quiet hours and channels; and all of one system in one."""

from typing import Final

from beszel_protocol.metrics import Unit
from beszel_tui.state.alertrows import (
    active_note,
    active_rows,
    channel_rows,
    history_rows,
    quiet_rows,
    rule_rows,
    system_rows,
)
from beszel_tui.state.selectors import Sort
from beszel_tui.state.sheet import Sheet, SheetColumn

ACTIVE: Final = Sheet(
    key="active",
    title="Active",
    columns=(
        SheetColumn("system", "SYSTEM"),
        SheetColumn("severity", "SEVERITY", short="SEV", by_level=True),
        SheetColumn("what", "RULE"),
        SheetColumn("target", "WHAT"),
        SheetColumn("value", "VALUE", Unit.NUMBER),
        SheetColumn("peak", "PEAK", Unit.NUMBER),
        SheetColumn("threshold", "LIMIT", Unit.NUMBER),
        SheetColumn("since", "SINCE", Unit.SECONDS),
        SheetColumn("note", "NOTE"),
    ),
    claims=(
        ("system", 14), ("value", 7), ("what", 12), ("since", 5), ("note", 12), ("target", 12), ("peak", 7),
        ("severity", 8), ("threshold", 7), ("what", 24), ("target", 24), ("system", 24), ("note", 30), ("what", 40),
    ),
    rows=active_rows,
    trouble="firing",
    sort=Sort("severity", descending=True),
    empty="nothing fires\n\nrules say what would: tab goes to them",
    hint="words  severity:critical  value>90  since<1h  acknowledged  /regex/",
    note=active_note,
)  # fmt: skip

HISTORY: Final = Sheet(
    key="history",
    title="History",
    columns=(
        SheetColumn("system", "SYSTEM"),
        SheetColumn("from", "FROM"),
        SheetColumn("lasted", "LASTED", Unit.SECONDS),
        SheetColumn("severity", "SEVERITY", short="SEV"),
        SheetColumn("what", "RULE"),
        SheetColumn("target", "WHAT"),
        SheetColumn("value", "VALUE", Unit.NUMBER),
        SheetColumn("peak", "PEAK", Unit.NUMBER),
        SheetColumn("end", "END"),
        SheetColumn("told", "TOLD"),
    ),
    claims=(
        ("system", 14), ("from", 16), ("what", 12), ("lasted", 6), ("peak", 7), ("told", 10), ("target", 12),
        ("value", 7), ("end", 10), ("severity", 8), ("what", 24), ("target", 20), ("told", 24), ("system", 24),
        ("told", 80),
    ),
    rows=history_rows,
    trouble="firing",
    sort=Sort("from", descending=True),
    empty="nothing has fired yet\n\nwhat fires is kept for a year",
    hint="words  end:fires  lasted>1h  told:mail  /regex/",
)  # fmt: skip

RULES: Final = Sheet(
    key="rules",
    title="Rules",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("state", "STATE", by_level=True),
        SheetColumn("scope", "FOR"),
        SheetColumn("when", "WHEN"),
        SheetColumn("window", "LASTS", Unit.SECONDS),
        SheetColumn("severity", "SEVERITY", short="SEV"),
        SheetColumn("tells", "TELLS"),
    ),
    claims=(
        ("name", 14), ("when", 18), ("scope", 11), ("state", 5), ("window", 5), ("severity", 8), ("tells", 9),
        ("name", 26), ("when", 40), ("scope", 20), ("name", 36), ("when", 60),
    ),
    rows=rule_rows,
    trouble="firing",
    sort=Sort("name"),
    empty=(
        "no rules\n\nn makes one: a processor that is busy for long, a disk that fills up, a system that is down;\n"
        "N makes a set that the hub has ready"
    ),
    hint="words  state:off  tells:everybody  window>5m  /regex/",
)  # fmt: skip

QUIET: Final = Sheet(
    key="quiet",
    title="Quiet hours",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("state", "STATE"),
        SheetColumn("type", "KIND"),
        SheetColumn("when", "WHEN"),
        SheetColumn("zone", "ZONE"),
        SheetColumn("scope", "FOR"),
        SheetColumn("rule", "RULE"),
    ),
    claims=(
        ("name", 12), ("when", 21), ("state", 5), ("scope", 11), ("type", 8), ("rule", 10), ("when", 27), ("zone", 12),
        ("name", 30), ("scope", 20), ("rule", 24),
    ),
    rows=quiet_rows,
    sort=Sort("name"),
    empty="no quiet hours\n\nn makes some: every night, at weekends, or once; alerts are told when they end",
    hint="words  state:now  type:daily  /regex/",
)  # fmt: skip

CHANNELS: Final = Sheet(
    key="channels",
    title="Channels",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("state", "STATE", by_level=True),
        SheetColumn("kind", "KIND"),
        SheetColumn("to", "TO"),
        SheetColumn("severity", "FROM", short="FROM"),
        SheetColumn("of", "OF"),
        SheetColumn("sent", "SENT", Unit.SECONDS),
        SheetColumn("error", "LAST ERROR"),
    ),
    claims=(
        ("name", 14), ("to", 14), ("state", 5), ("sent", 5), ("error", 14), ("kind", 8), ("severity", 8), ("of", 12),
        ("to", 30), ("error", 40), ("name", 26), ("of", 30),
    ),
    rows=channel_rows,
    sort=Sort("name"),
    empty="no channels: nobody is told\n\nn makes one: an e-mail, a webhook, or any service that Apprise knows",
    hint="words  kind:email  state:off  /regex/",
)  # fmt: skip

OF_SYSTEM: Final = Sheet(
    key="alerts",
    title="Alerts",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("kind", "IS", by_level=True),
        SheetColumn("target", "WHAT"),
        SheetColumn("value", "VALUE", Unit.NUMBER),
        SheetColumn("peak", "PEAK", Unit.NUMBER),
        SheetColumn("since", "SINCE", Unit.SECONDS),
        SheetColumn("from", "FROM"),
        SheetColumn("lasted", "LASTED", Unit.SECONDS),
        SheetColumn("severity", "SEVERITY", short="SEV"),
        SheetColumn("note", "NOTE"),
    ),
    claims=(
        ("name", 14), ("kind", 6), ("target", 18), ("value", 7), ("since", 5), ("note", 10), ("peak", 7), ("from", 16),
        ("lasted", 6), ("severity", 8), ("name", 24), ("target", 36), ("note", 24),
    ),
    rows=system_rows,
    counted=lambda row: row.values.get("kind") != "rule",
    trouble="firing",
    sort=Sort("name"),
    empty="nothing watches this system\n\na opens its alerts, where n makes a rule",
    hint="words  kind:fires  kind:rule  value>90  /regex/",
)  # fmt: skip

PANES: Final[tuple[Sheet, ...]] = (ACTIVE, HISTORY, RULES, QUIET, CHANNELS)
BY_KEY: Final = {sheet.key: sheet for sheet in PANES}
