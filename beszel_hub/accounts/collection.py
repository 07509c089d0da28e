"""How users appear in the records API."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from beszel_hub.accounts import queries
from beszel_hub.accounts.passwords import WeakPassword
from beszel_hub.accounts.service import Accounts
from beszel_hub.accounts.tables import User
from beszel_hub.accounts.tokens import COLLECTION_IDS
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.permissions import ROLES, Actor, Role
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource

_COLUMNS: Final[Mapping[str, str]] = {
    "email": "email",
    "username": "username",
    "role": "role",
    "verified": "verified",
    "emailVisibility": "email_visibility",
    "password_hash": "password_hash",
}
_OWN: Final = frozenset({"username", "emailVisibility", "password_hash"})
"""What users may change of themselves; the rest is for administrators."""

_USER_FIELDS: Final = (
    ID,
    Field(name="email", is_private=True, in_create=True, in_update=True, is_required=True, max_length=254),
    Field(name="username", is_private=True, in_create=True, in_update=True, min_length=3, max_length=150),
    Field(name="role", is_private=True, in_create=True, in_update=True, choices=ROLES),
    Field(name="verified", kind=Kind.BOOL, is_private=True, in_create=True, in_update=True),
    Field(
        name="emailVisibility", attribute="email_visibility", kind=Kind.BOOL, is_private=True, in_create=True,
        in_update=True,
    ),
    Field(name="password", kind=Kind.PASSWORD, in_create=True, in_update=True, is_required=True),
    Field(name="passwordConfirm", kind=Kind.PASSWORD, in_create=True, in_update=True),
    Field(name="oldPassword", kind=Kind.PASSWORD, in_update=True),
    CREATED,
    UPDATED,
)  # fmt: skip


def users_collection(accounts: Accounts, journal: Journal, clock: Clock) -> Collection:
    """Users see and change themselves; administrators everybody."""
    return _make("users", accounts, journal, clock, scope=queries.visible_users, default_role="user")


def superusers_collection(accounts: Accounts, journal: Journal, clock: Clock) -> Collection:
    """Administrators by the name that PocketBase's clients have for them; whoever is made here is one."""
    return _make("_superusers", accounts, journal, clock, scope=queries.visible_superusers, default_role="admin")


def _make(
    name: str, accounts: Accounts, journal: Journal, clock: Clock, *, scope: Callable[[Actor], Any], default_role: Role
) -> Collection:
    async def prepare(actor: Actor, user_id: str | None, values: Row) -> Row:
        return await _hash_password(accounts, actor, user_id, values)

    async def on_change(_: Change) -> None:
        await accounts.revalidate()

    def update(actor: Actor, user_id: str, values: Row) -> None:
        _update_user(actor, user_id, values, clock())
        if "password_hash" in values:
            journal.note(actor, f"{name}.password", collection=name, record_id=user_id)

    return Collection(
        name=name, id=COLLECTION_IDS[name], fields=_USER_FIELDS, show=_show_user, prepare=prepare, on_change=on_change,
        source=TableSource(
            table=User, scope=scope, create=lambda _, values: _create_user(values, default_role, clock()),
            update=update, delete=lambda _, user_id: queries.delete_user(user_id),
        ),
    )  # fmt: skip


async def _hash_password(accounts: Accounts, actor: Actor, user_id: str | None, values: Row) -> Row:
    """Replace a new password by its hash, off the database thread; one's own needs the old one too."""
    rest = {name: value for name, value in values.items() if name not in {"password", "passwordConfirm", "oldPassword"}}
    if "password" not in values:
        return rest
    password = values["password"]
    if values.get("passwordConfirm", password) != password:
        raise invalid_field("passwordConfirm", "validation_values_mismatch", "This is not the same password.")
    is_own = user_id is not None and user_id == actor.user_id
    if is_own and not await accounts.is_password(str(user_id), values.get("oldPassword", "")):
        raise invalid_field("oldPassword", "validation_invalid_old_password", "This is not the present password.")
    try:
        return {**rest, "password_hash": await accounts.hash(password)}
    except WeakPassword as error:
        raise invalid_field("password", "validation_length_out_of_range", str(error)) from error


def _create_user(values: Row, default_role: Role, now_ms: int) -> str:
    return queries.create_user(
        id=values.get("id", ""), email=values["email"], username=values.get("username", ""),
        role="admin" if default_role == "admin" else values.get("role") or default_role,
        verified=values.get("verified", True),
        email_visibility=values.get("emailVisibility", False), password_hash=values["password_hash"], now_ms=now_ms,
    )  # fmt: skip


def _update_user(actor: Actor, user_id: str, values: Row, now_ms: int) -> None:
    """Clients send whole records back, so what stays as it is may be there whoever asks."""
    present = User.get_or_none(User.id == user_id)
    if present is None:
        raise NotFound
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if value == getattr(present, _COLUMNS[name]) or (value == "" and name in {"role", "username"}):
            continue
        if not actor.is_admin and name not in _OWN:
            raise invalid_field(name, "validation_not_allowed", "Only an administrator can change this.")
        changes[_COLUMNS[name]] = value
    queries.update_user(user_id, changes, now_ms)


def _show_user(actor: Actor, row: Row) -> Row:
    if actor.sees_everybody or row["id"] == actor.user_id or row["emailVisibility"]:
        return row
    return {name: value for name, value in row.items() if name != "email"}
