"""Reads and writes of users and API tokens; all run on a database thread."""

import re
from typing import Any, Final

import msgspec
import peewee

from beszel_hub.accounts.tables import ApiToken, Identity, Session, User
from beszel_hub.accounts.tokens import new_token_key
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import Actor, Role, Scope
from beszel_hub.records.like import lower_ascii
from beszel_hub.store.ids import new_id

MAX_EMAIL_LENGTH: Final = 254
MAX_API_TOKENS: Final = 100
"""Of one user."""

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_USERNAME = re.compile(r"\w[\w.-]{2,149}")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user with what is needed to check their password and tokens."""

    id: str
    email: str
    username: str
    role: Role
    verified: bool
    password_hash: str
    token_key: str
    created: int
    updated: int

    @property
    def is_invited(self) -> bool:
        """Whether it waits for its first proof of the address: made unverified, and not touched since.

        Whom an administrator blocks was touched.
        """
        return not self.verified and self.created == self.updated


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An API token as the hub keeps it; its text is not kept."""

    id: str
    scope: Scope
    system_ids: frozenset[str] | None
    expires: int
    last_used: int | None


def find_account(user_id: str) -> Account | None:
    return _account(User.get_or_none(User.id == user_id))


def find_identity(identity: str) -> Account | None:
    """By e-mail address or user name, whatever the case."""
    lowered = lower_ascii(identity)
    by_email = User.get_or_none(peewee.fn.lower(User.email) == lowered)
    return _account(by_email or User.get_or_none(peewee.fn.lower(User.username) == lowered))


def find_email(email: str) -> Account | None:
    """By e-mail address alone, whatever the case."""
    return _account(User.get_or_none(peewee.fn.lower(User.email) == lower_ascii(email)))


def has_users() -> bool:
    return bool(User.select().exists())


def list_accounts() -> list[Account]:
    """Everybody, oldest first; for the command line."""
    return [_to_account(user) for user in User.select().order_by(User.created, User.id)]


def create_user(
    *, email: str, role: Role, password_hash: str, now_ms: int, id: str = "", username: str = "",  # noqa: A002
    verified: bool = True, email_visibility: bool = False,
) -> str:  # fmt: skip
    """Insert a user and return the id; raise `BadRequest` for a taken or impossible address or name."""
    check_email(email)
    _require_free(User.email, "email", email)
    if username:
        check_username(username)
        _require_free(User.username, "username", username)
    user_id = id or new_id()
    User.insert(
        id=user_id, email=email, username=username or _free_username(email), role=role, verified=verified,
        email_visibility=email_visibility, password_hash=password_hash, token_key=new_token_key(), created=now_ms,
        updated=now_ms,
    ).execute()  # fmt: skip
    return user_id


def update_user(user_id: str, values: dict[str, Any], now_ms: int) -> None:
    """Write columns; a new password or address ends every token of the user. Raises `BadRequest` as `create_user`."""
    account = find_account(user_id)
    if account is None:
        raise NotFound
    if lower_ascii(values.get("email", account.email)) != lower_ascii(account.email):
        check_email(values["email"])
        _require_free(User.email, "email", values["email"])
    if lower_ascii(values.get("username", account.username)) != lower_ascii(account.username):
        check_username(values["username"])
        _require_free(User.username, "username", values["username"])
    if values.get("role", account.role) != account.role:
        _require_other_admin(account, "role")
    if account.verified and not values.get("verified", True):
        _require_other_admin(account, "verified")
    User.update(**values, updated=now_ms).where(User.id == user_id).execute()
    if "password_hash" in values or values.get("email", account.email) != account.email:
        end_tokens(user_id)


def replace_hash(user_id: str, old: str, new: str) -> None:
    """Another hash of the same password, which ends no token; nothing if the password has changed meanwhile."""
    User.update(password_hash=new).where((User.id == user_id) & (User.password_hash == old)).execute()


def delete_user(user_id: str) -> None:
    """Remove a user with everything that is theirs alone; the last administrator stays."""
    account = find_account(user_id)
    if account is None:
        raise NotFound
    _require_other_admin(account, "id")
    User.delete().where(User.id == user_id).execute()


def end_tokens(user_id: str) -> None:
    """Make a new token key: no token of the user holds any longer, API tokens included."""
    User.update(token_key=new_token_key()).where(User.id == user_id).execute()
    ApiToken.delete().where(ApiToken.user_id == user_id).execute()
    Session.delete().where(Session.user_id == user_id).execute()


def create_api_token(
    *, user_id: str, name: str, scope: Scope, expires: int, now_ms: int, system_ids: frozenset[str] | None = None
) -> str:
    """Insert a token and return its id; raise `BadRequest` if the user has too many."""
    if ApiToken.select().where(ApiToken.user_id == user_id).count() >= MAX_API_TOKENS:
        raise BadRequest(f"A user has at most {MAX_API_TOKENS} API tokens; delete one first.")
    token_id = new_id()
    ApiToken.insert(
        id=token_id, user_id=user_id, name=name, scope=scope, expires=expires, created=now_ms, updated=now_ms,
        system_ids=None if system_ids is None else sorted(system_ids),
    ).execute()  # fmt: skip
    return token_id


def find_api_token(token_id: str, user_id: str) -> TokenRow | None:
    token = ApiToken.get_or_none((ApiToken.id == token_id) & (ApiToken.user_id == user_id))
    return None if token is None else msgspec.convert(token.__data__, TokenRow)


def touch_api_token(token_id: str, now_ms: int) -> None:
    ApiToken.update(last_used=now_ms).where(ApiToken.id == token_id).execute()


def list_api_tokens(user_id: str) -> list[ApiToken]:
    """Oldest first."""
    return list(ApiToken.select().where(ApiToken.user_id == user_id).order_by(ApiToken.created, ApiToken.id))


def delete_api_token(token_id: str) -> bool:
    """Whether there was such a token."""
    return bool(ApiToken.delete().where(ApiToken.id == token_id).execute())


def list_credentials() -> dict[str, tuple[str, str, frozenset[str]]]:
    """By user id: token key, role and ids of API tokens and sessions; a change means that something ended or narrowed.

    Who is not verified is not here: nobody blocked keeps a live connection.
    """
    ids: dict[str, set[str]] = {}
    for table in (ApiToken, Session):
        for row in table.select(table.id, table.user_id):
            ids.setdefault(row.user_id, set()).add(row.id)
    users = User.select(User.id, User.token_key, User.role).where(User.verified)
    return {user.id: (user.token_key, user.role, frozenset(ids.get(user.id, ()))) for user in users}


def visible_users(actor: Actor) -> Any:
    """The condition for users whom the actor may see: themselves; administrators see everybody."""
    return None if actor.sees_everybody else User.id == actor.user_id


def visible_api_tokens(actor: Actor) -> Any:
    """The condition for API tokens that the actor may see: their own; a limited token sees itself."""
    own = ApiToken.user_id == actor.user_id
    return own if actor.system_ids is None else own & (ApiToken.id == actor.token_id)


def visible_superusers(actor: Actor) -> Any:
    """The condition for administrators, whom only administrators may see by that name."""
    if not actor.is_admin:
        return peewee.SQL("1 = 0")
    administrators = User.role == "admin"
    return administrators if actor.sees_everybody else administrators & (User.id == actor.user_id)


def visible_sessions(actor: Actor) -> Any:
    """The condition for logins that the actor may see: their own; administrators see all."""
    return None if actor.sees_everybody else Session.user_id == actor.user_id


def visible_identities(actor: Actor) -> Any:
    """Likewise for who they are elsewhere."""
    return None if actor.sees_everybody else Identity.user_id == actor.user_id


def check_email(email: str, field: str = "email") -> None:
    """Raise `BadRequest` if it cannot be an address."""
    if len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise invalid_field(field, "validation_is_email", "This is no e-mail address.")


def check_username(username: str) -> None:
    """Raise `BadRequest` unless it is letters, digits, `_`, `.` and `-`, so that it can be nobody's address."""
    if not _USERNAME.fullmatch(username):
        raise invalid_field("username", "validation_invalid_username", "A name has letters, digits, _, . and - only.")


def _require_free(column: Any, field: str, value: str) -> None:
    if User.select().where(peewee.fn.lower(column) == lower_ascii(value)).exists():
        raise invalid_field(field, "validation_not_unique", "Somebody has this already.")


def _require_other_admin(account: Account, field: str) -> None:
    others = User.select().where((User.role == "admin") & User.verified & (User.id != account.id))
    if account.role == "admin" and not others.exists():
        raise invalid_field(field, "validation_last_admin", "Nobody else is an administrator.")


def _free_username(email: str) -> str:
    """The part of the address before the @, with a number behind it if somebody has that."""
    stem = re.sub(r"[^\w.-]", "_", email.partition("@")[0].lower())[:100].lstrip(".-").ljust(3, "_")
    name, number = stem, 1
    while User.select().where(peewee.fn.lower(User.username) == name).exists():
        number += 1
        name = f"{stem}{number}"
    return name


def _account(user: User | None) -> Account | None:
    return None if user is None else _to_account(user)


def _to_account(user: User) -> Account:
    return msgspec.convert(user.__data__, Account)
