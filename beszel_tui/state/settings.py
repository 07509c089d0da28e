"""The settings as tables: a section each, its rows, and what can be done to the one under the cursor."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_value
from beszel_tui.state.account import AccountFacts, ApiToken, Heartbeat, Job, Login, Part, Person
from beszel_tui.state.looks import PREFERENCES, LookChoices, Looks
from beszel_tui.state.selectors import Level, age
from beszel_tui.state.settingsheets import (
    ACCOUNT,
    BACKUPS,
    HUB,
    HUBS,
    KEYS,
    LOOKS,
    SESSIONS,
    STORE,
    TOKENS,
    USERS,
)
from beszel_tui.state.sheet import Sheet, SheetRow
from beszel_tui.state.storagerows import backup_rows, store_rows

Verb: TypeAlias = Literal["change", "new", "delete", "password"]
HEARTBEAT_KEY: Final = "heartbeat"
"""Of the hub's line that can be tried."""
_SOON_MS: Final = 14 * 86_400_000
"""A token that ends within this time is of concern."""


class HubLine(NamedTuple):
    """A hub that can be switched to."""

    name: str
    address: str
    is_current: bool
    note: str


class KeyLine(NamedTuple):
    """A binding, with the keys that it has now."""

    name: str
    keys: str
    tooltip: str
    is_own: bool
    """Of the config file."""


class SettingsFacts(NamedTuple):
    """All that the sections tell."""

    looks: Looks
    said: LookChoices
    theme: str
    theme_note: str
    account: AccountFacts | None
    account_problem: str
    """Why there is none."""
    hubs: Sequence[HubLine]
    keys: Sequence[KeyLine]
    now_ms: int


class Section(NamedTuple):
    sheet: Sheet
    verbs: Mapping[Verb, str]
    """What can be done, and how the line of keys calls it."""
    part: Part | None = None
    """The part of the account whose refusal empties it."""
    of_account: bool = True

    @property
    def key(self) -> str:
        return self.sheet.key


SECTIONS: Final[tuple[Section, ...]] = (
    Section(LOOKS, {"change": "change"}, of_account=False),
    Section(ACCOUNT, {"change": "change"}),
    Section(SESSIONS, {"delete": "end"}, "sessions"),
    Section(TOKENS, {"new": "new", "delete": "revoke"}, "tokens"),
    Section(USERS, {"new": "new", "change": "role", "password": "password", "delete": "delete"}, "users"),
    Section(HUB, {"change": "test"}, "hub"),
    Section(BACKUPS, {"new": "new", "change": "put back", "delete": "delete"}, "backups"),
    Section(STORE, {}, "store"),
    Section(HUBS, {"change": "switch"}, of_account=False),
    Section(KEYS, {}, of_account=False),
)

_OF_ADMINS: Final = frozenset({"users", "backups", "store"})


def sections_of(facts: SettingsFacts) -> tuple[Section, ...]:
    """Those that this person has: whom the hub tells nothing of others and of itself needs no tables of that."""
    is_admin = facts.account is not None and facts.account.is_admin
    return tuple(section for section in SECTIONS if section.key not in _OF_ADMINS or is_admin)


def rows_of(section: Section, facts: SettingsFacts) -> list[SheetRow]:
    if section.key == "looks":
        return _look_rows(facts)
    if section.key == "hubs":
        return [
            SheetRow(hub.name, hub.name, {"address": hub.address, "note": hub.note}, "good" if hub.is_current else None)
            for hub in facts.hubs
        ]
    if section.key == "keys":
        return [
            SheetRow(key.name, key.name, {"keys": key.keys + ("  *" if key.is_own else ""), "what": key.tooltip})
            for key in facts.keys
        ]
    return [] if facts.account is None else _account_rows(section, facts.account, facts.now_ms)


def why_empty(section: Section, facts: SettingsFacts) -> str:
    if section.of_account and facts.account is None:
        return facts.account_problem or "asking the hub…"
    if facts.account is not None and section.part is not None and section.part in facts.account.problems:
        return facts.account.problems[section.part]
    if section.key == "sessions" and facts.account is not None and not facts.account.is_login:
        return "sessions are told only to who has logged in; this is an API token"
    return section.sheet.empty


def _look_rows(facts: SettingsFacts) -> list[SheetRow]:
    rows = [SheetRow("theme", "Colours", {"value": facts.theme, "note": facts.theme_note})]
    for preference in PREFERENCES:
        is_said = getattr(facts.said, preference.key) is not None
        others = " or ".join(called for _, called in preference.values if called != preference.shown(facts.looks))
        note = "settled by flag, environment or config file" if is_said else f"or {others}"
        rows.append(SheetRow(preference.key, preference.label, {"value": preference.shown(facts.looks), "note": note}))
    return rows


def _account_rows(section: Section, account: AccountFacts, now_ms: int) -> list[SheetRow]:
    if section.key == "account":
        return _person_rows(account)
    if section.key == "sessions":
        emails = {person.id: person.email or person.username for person in account.users}
        return [_session_row(login, emails, now_ms) for login in account.sessions]
    if section.key == "tokens":
        return [_token_row(token, now_ms) for token in account.tokens]
    if section.key == "users":
        return [_user_row(person, account.person.id, now_ms) for person in account.users]
    return _rows_of_hub(section, account, now_ms)


def _rows_of_hub(section: Section, account: AccountFacts, now_ms: int) -> list[SheetRow]:
    if section.key == "backups":
        return backup_rows(account.backups, now_ms)
    if section.key == "store":
        return [] if account.store is None else store_rows(account.store)
    return _hub_rows(account, now_ms)


def _person_rows(account: AccountFacts) -> list[SheetRow]:
    person = account.person
    only_login = "" if account.is_login else "only after a login with a password, not with an API token"
    return [
        SheetRow("email", "E-mail", {"value": person.email, "note": "an administrator can change it"}),
        SheetRow("username", "Name", {"value": person.username, "note": only_login or "to log in beside the e-mail"}),
        SheetRow("role", "Role", {"value": person.role, "note": _ROLES.get(person.role, "")}),
        SheetRow("password", "Password", {"value": "change it", "note": only_login or "ends every session of yours"}),
        SheetRow("second", "Second proof", {"value": _second_proof(account), "note": "the hub decides: MFA_OTP"}),
        SheetRow("logout", "Log out", {"value": "here", "note": only_login}),
        SheetRow(
            "logout_everywhere", "Log out",
            {"value": "everywhere", "note": only_login or "ends all sessions and API tokens of yours"},
        ),
    ]  # fmt: skip


def _second_proof(account: AccountFacts) -> str:
    methods = account.methods
    if methods is None:
        return ""
    if methods.two:
        return "on: a code by e-mail too"
    return "off; codes by e-mail alone work" if methods.codes else "off"


def _session_row(login: Login, emails: Mapping[str, str], now_ms: int) -> SheetRow:
    name = f"{login.address or 'unknown'}{' (this one)' if login.is_current else ''}"
    values = {
        "user": emails.get(login.user, ""), "method": login.method, "agent": login.agent,
        "used": _ago(login.used_ms, now_ms), "expires": _ahead(login.expires_ms, now_ms),
    }  # fmt: skip
    return SheetRow(login.id, name, values, "good" if login.is_current else None)


def _token_row(token: ApiToken, now_ms: int) -> SheetRow:
    values = {
        "scope": "read and write" if token.scope == "write" else "read",
        "systems": f"{token.systems}" if token.systems else "all",
        "used": _ago(token.used_ms, now_ms) if token.used_ms else "never", "expires": _ahead(token.expires_ms, now_ms),
    }  # fmt: skip
    return SheetRow(token.id, token.name, values, _token_level(token, now_ms))


def _token_level(token: ApiToken, now_ms: int) -> Level | None:
    if token.expires_ms is None:
        return None
    if token.expires_ms <= now_ms:
        return "critical"
    return "warning" if token.expires_ms - now_ms < _SOON_MS else "good"


def _user_row(person: Person, own_id: str, now_ms: int) -> SheetRow:
    values = {
        "username": person.username, "role": person.role,
        "state": "you" if person.id == own_id else ("verified" if person.verified else "not verified"),
        "created": _ago(person.created_ms, now_ms),
    }  # fmt: skip
    level: Level = "good" if person.verified else "warning"
    return SheetRow(person.id, person.email or person.username, values, level)


def _hub_rows(account: AccountFacts, now_ms: int) -> list[SheetRow]:
    hub = account.hub
    rows = [] if hub is None else [
        SheetRow("version", "Version", {"value": hub.version}),
        SheetRow("key", "Public key", {"value": hub.key}, told={"text": hub.key}),
    ]  # fmt: skip
    if account.heartbeat is not None:
        rows.append(_heartbeat_row(account.heartbeat, now_ms))
    return rows + [_job_row(job) for job in account.jobs]


def _heartbeat_row(heartbeat: Heartbeat, now_ms: int) -> SheetRow:
    if not heartbeat.enabled:
        return SheetRow(HEARTBEAT_KEY, "Heartbeat", {"value": "off", "note": "HEARTBEAT_URL at the hub turns it on"})
    sent = "never taken" if heartbeat.last_sent is None else f"last {_ago(heartbeat.last_sent, now_ms)}"
    calls = f"{heartbeat.method} to {heartbeat.url} every {age(int(heartbeat.interval * 1000))}"
    if heartbeat.last_error:
        values = {"value": "not taken", "note": f"{heartbeat.last_error}; {calls}, {sent}"}
        return SheetRow(HEARTBEAT_KEY, "Heartbeat", values, "critical")
    is_new = heartbeat.last_sent is None
    note = calls if is_new else f"{calls}, {sent}"
    values = {"value": "not yet sent" if is_new else "well", "note": note}
    return SheetRow(HEARTBEAT_KEY, "Heartbeat", values, None if is_new else "good")


def _job_row(job: Job) -> SheetRow:
    took = "" if job.last_seconds is None else f", took {format_value(job.last_seconds * 1000, Unit.MILLISECONDS)}"
    if job.failures_in_row:
        level: Level | None = "critical"
        state = f"failed {job.failures_in_row}x"
        note = f"{job.last_error}; see the hub's log"
    else:
        level, state = ("good", "well") if job.runs else (None, "not yet run")
        note = f"every {age(int(job.interval_seconds * 1000))}{took}"
    return SheetRow(f"job:{job.name}", job.name, {"value": state, "note": note}, level)


def _ago(instant_ms: int | None, now_ms: int) -> str:
    return "" if instant_ms is None else f"{age(now_ms - instant_ms)} ago"


def _ahead(instant_ms: int | None, now_ms: int) -> str:
    if instant_ms is None:
        return "never"
    return "over" if instant_ms <= now_ms else f"in {age(instant_ms - now_ms)}"


_ROLES: Final = {
    "admin": "sees and changes everything",
    "user": "sees and changes the systems they are a member of",
    "readonly": "sees the systems they are a member of",
}
