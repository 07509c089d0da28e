"""The tables of the settings without a screen: account, sessions, tokens, users, what the hub keeps."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TextIO

import msgspec

from beszel_tui.client.session import load_session
from beszel_tui.client.source import Source
from beszel_tui.config import Settings
from beszel_tui.context import hub_lines
from beszel_tui.errors import RequestError, TuiError
from beszel_tui.plain.tables import format_plain
from beszel_tui.state.account import AccountFacts
from beszel_tui.state.filterline import NO_FILTER
from beszel_tui.state.looks import LookChoices, Looks
from beszel_tui.state.settings import SECTIONS, HubLine, KeyLine, Section, SettingsFacts, rows_of, why_empty
from beszel_tui.state.sheet import SheetRow, sheet_rows

PRINTED: Final = 0
NOT_POSSIBLE: Final = 2
INTERRUPTED: Final = 130
PRINTABLE: Final = {section.key: section for section in SECTIONS if section.key != "looks"}
"""All but how the screen looks."""


class SettingsOrder(NamedTuple):
    """Which table is to be printed, and how."""

    section: str
    """A key of `PRINTABLE`."""
    as_json: bool = False
    hubs: Sequence[HubLine] = ()
    keys: Sequence[KeyLine] = ()


def complete_section(beginning: str) -> list[str]:
    return [key for key in PRINTABLE if key.startswith(beginning)]


def of_this_machine(order: SettingsOrder, settings: Settings) -> SettingsOrder:
    """With what it takes no hub to know."""
    from beszel_tui.bindings.keymap import key_lines  # noqa: PLC0415 (brings Textual)

    session = load_session(settings.paths.sessions_file, settings.hub) if settings.token is None else None
    hubs = hub_lines(settings, None if session is None else session.hub)
    return order._replace(hubs=hubs, keys=key_lines(settings.keys))


def print_settings(source: Source | None, order: SettingsOrder, out: TextIO | None = None) -> int:
    """Print a table once; returns the exit status. Without a source only what this machine knows."""
    out = out or sys.stdout
    try:
        section = PRINTABLE[order.section]
        account = None if source is None else asyncio.run(_ask(source))
        facts = _facts(order, account)
        rows = _rows(section, facts)
        if section.part is not None and account is not None and section.part in account.problems:
            raise RequestError(account.problems[section.part])
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_POSSIBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    if order.as_json:
        out.write(format_json(section, rows))
    else:
        why = why_empty(section, facts).partition("\n")[0] or "nothing"
        out.write(format_plain(rows, section.sheet) if rows else f"{why}\n")
    return PRINTED


def format_json(section: Section, rows: Sequence[SheetRow]) -> str:
    """`{"sessions": [...]}`: rows with their ids, and cells by the keys of columns; what is not known is absent."""
    document = {section.key: [_json(row) for row in rows]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _json(row: SheetRow) -> Mapping[str, Any]:
    values = {key: value for key, value in row.values.items() if value not in {None, ""}}
    level = {} if row.level is None else {"level": row.level}
    return {"id": row.key, "name": row.name, **values, **level}


def _rows(section: Section, facts: SettingsFacts) -> list[SheetRow]:
    source = section.sheet
    return sheet_rows(rows_of(section, facts), NO_FILTER, source.sort, source)


def _facts(order: SettingsOrder, account: AccountFacts | None) -> SettingsFacts:
    return SettingsFacts(
        looks=Looks(), said=LookChoices(), theme="", theme_note="", account=account, account_problem="",
        hubs=order.hubs, keys=order.keys, now_ms=time.time_ns() // 1_000_000,
    )  # fmt: skip


async def _ask(source: Source) -> AccountFacts:
    try:
        if source.account is None:
            raise RequestError("there is no account at this hub")
        return await source.account.read()
    finally:
        await source.close()
