"""The tables of the settings: their columns, who is served first when they are narrow, and why one may be empty."""

from typing import Final, NamedTuple

from beszel_protocol.metrics import Unit
from beszel_tui.state.selectors import Sort
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow


class Told(NamedTuple):
    """What a table of the settings is shown from."""

    rows: list[SheetRow]
    note: str
    """Beside the counts."""


def _sheet(
    key: str, title: str, columns: tuple[SheetColumn, ...], claims: tuple[tuple[str, int], ...], empty: str,
    *, has_levels: bool = False,
) -> Sheet:  # fmt: skip
    return Sheet(
        key,
        title,
        columns,
        claims,
        rows=lambda told, _: told.rows,
        sort=Sort(columns[0].key),
        empty=empty,
        hint="",
        has_levels=has_levels,
        note=lambda told: told.note,
    )


LOOKS: Final = _sheet(
    "looks", "Looks",
    (SheetColumn("item", "WHAT"), SheetColumn("value", "HOW"), SheetColumn("note", "NOTE")),
    (("item", 18), ("value", 22), ("note", 30), ("note", 44), ("value", 30), ("note", 80)), "",
)  # fmt: skip
ACCOUNT: Final = _sheet(
    "account", "Account",
    (SheetColumn("item", "WHAT"), SheetColumn("value", "IS"), SheetColumn("note", "NOTE")),
    (("item", 14), ("value", 24), ("note", 30), ("value", 34), ("note", 60)), "",
)  # fmt: skip
SESSIONS: Final = _sheet(
    "sessions", "Sessions",
    (
        SheetColumn("name", "FROM"), SheetColumn("user", "WHO"), SheetColumn("method", "BY"),
        SheetColumn("used", "LAST USED"), SheetColumn("expires", "ENDS"), SheetColumn("agent", "PROGRAM"),
    ),
    (
        ("name", 17), ("used", 10), ("agent", 16), ("method", 8), ("expires", 7), ("user", 16), ("agent", 40),
        ("name", 40), ("user", 30), ("method", 14),
    ),
    "no sessions",
    has_levels=True,
)  # fmt: skip
TOKENS: Final = _sheet(
    "tokens", "API tokens",
    (
        SheetColumn("name", "NAME"), SheetColumn("scope", "MAY"), SheetColumn("systems", "SYSTEMS"),
        SheetColumn("used", "LAST USED"), SheetColumn("expires", "ENDS"),
    ),
    (("name", 18), ("scope", 14), ("used", 10), ("expires", 8), ("systems", 8), ("name", 60)),
    "no API tokens\n\nn makes one: for scripts, other programs, and `beszel-tui --token-file`",
    has_levels=True,
)  # fmt: skip
USERS: Final = _sheet(
    "users", "Users",
    (
        SheetColumn("name", "E-MAIL"), SheetColumn("username", "NAME"), SheetColumn("role", "ROLE"),
        SheetColumn("state", "STATE"), SheetColumn("created", "SINCE"),
    ),
    (
        ("name", 24), ("role", 8), ("username", 10), ("state", 12), ("created", 8), ("name", 50), ("username", 24),
    ),
    "no users to be seen",
    has_levels=True,
)  # fmt: skip
HUB: Final = _sheet(
    "hub", "Hub",
    (SheetColumn("name", "WHAT"), SheetColumn("value", "IS", by_level=True), SheetColumn("note", "NOTE")),
    (("name", 22), ("value", 14), ("value", 20), ("name", 30), ("note", 24), ("note", 70), ("value", 76)), "",
    has_levels=True,
)  # fmt: skip
BACKUPS: Final = _sheet(
    "backups", "Backups",
    (
        SheetColumn("name", "NAME"), SheetColumn("size", "SIZE", Unit.BYTES), SheetColumn("made", "MADE"),
        SheetColumn("note", "NOTE"),
    ),
    (("name", 24), ("size", 6), ("made", 10), ("note", 12), ("name", 40), ("note", 40)),
    "no backups yet\n\nn makes one; with BACKUP_EVERY the hub makes them by itself",
    has_levels=True,
)  # fmt: skip
STORE: Final = _sheet(
    "store", "Store",
    (
        SheetColumn("name", "WHAT"), SheetColumn("size", "SIZE", Unit.BYTES),
        SheetColumn("share", "OF ALL", Unit.PERCENT, is_share=True), SheetColumn("note", "NOTE"),
    ),
    (("name", 16), ("size", 6), ("note", 18), ("share", 6), ("name", 24), ("note", 34), ("share", 20), ("note", 50)),
    "the hub does not tell",
    has_levels=True,
)  # fmt: skip
HUBS: Final = _sheet(
    "hubs", "Hubs",
    (SheetColumn("name", "NAME"), SheetColumn("address", "ADDRESS"), SheetColumn("note", "NOTE")),
    (("name", 14), ("address", 26), ("note", 12), ("note", 22), ("address", 50), ("name", 24), ("note", 40)),
    "one hub only\n\nothers stand in the config file, as [profiles.NAME] with hub = \"https://…\"",
    has_levels=True,
)  # fmt: skip
KEYS: Final = _sheet(
    "keys", "Keys",
    (SheetColumn("item", "BINDING"), SheetColumn("keys", "KEYS"), SheetColumn("what", "WHAT IT DOES")),
    (("item", 20), ("keys", 14), ("what", 20), ("keys", 28), ("what", 90)), "",
)  # fmt: skip
