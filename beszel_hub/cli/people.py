"""Commands on users and their tokens."""

import sys
from pathlib import Path
from typing import Final

import msgspec

from beszel_hub.accounts import queries, tokens
from beszel_hub.accounts.passwords import WeakPassword, check_password, hash_password
from beszel_hub.cli.opening import note, open_database, require_account
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting
from beszel_hub.permissions import Role, Scope
from beszel_hub.store.secrets import load_secret
from beszel_protocol.timestamps import format_timestamp

_MAX_PASSWORD_BYTES: Final = 4096


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as commands print it."""

    id: str
    email: str
    username: str
    role: str


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """An API token with its text."""

    token: str
    id: str
    user: str
    scope: str


class ListedToken(msgspec.Struct, frozen=True, kw_only=True):
    """An API token without its text."""

    id: str
    name: str
    scope: str
    expires: str
    last_used: str | None


def read_password(source: str | None) -> str:
    """From a file, standard input (`-`) or the keyboard, without the line end; raise `InvalidSetting` if it is none."""
    if source is None:
        password = _ask_password()
    else:
        try:
            content = sys.stdin.buffer.read(_MAX_PASSWORD_BYTES) if source == "-" else _read_file(Path(source))
            password = content.decode().removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(f"the password file cannot be read: {error}") from error
    try:
        check_password(password)
    except WeakPassword as error:
        raise InvalidSetting(str(error)) from error
    return password


def create_user(config: HubConfig, email: str, role: Role, password: str) -> User:
    """Raise `BadRequest` if somebody has the address."""
    password_hash = hash_password(password)

    def write() -> str:
        user_id = queries.create_user(email=email, role=role, password_hash=password_hash, now_ms=system_clock())
        note("user.create", "users", user_id, role=role)
        return user_id

    with open_database(config) as database:
        user_id = database.write_now(write)
        account = database.read_now(lambda: queries.find_account(user_id))
    if account is None:
        raise CommandFailed("the user was removed at once by somebody else")
    return _user(account)


def list_users(config: HubConfig) -> list[User]:
    with open_database(config) as database:
        return [_user(account) for account in database.read_now(queries.list_accounts)]


def set_password(config: HubConfig, email: str, password: str) -> None:
    password_hash = hash_password(password)

    def write() -> None:
        user_id = require_account(email).id
        queries.update_user(user_id, {"password_hash": password_hash}, system_clock())
        note("user.password", "users", user_id)

    with open_database(config) as database:
        database.write_now(write)


def set_role(config: HubConfig, email: str, role: Role) -> None:
    """Raise `BadRequest` for the last administrator."""

    def write() -> None:
        account = require_account(email)
        queries.update_user(account.id, {"role": role}, system_clock())
        note("user.role", "users", account.id, role=[account.role, role])

    with open_database(config) as database:
        database.write_now(write)


def delete_user(config: HubConfig, email: str) -> None:
    """Raise `BadRequest` for the last administrator."""

    def write() -> None:
        user_id = require_account(email).id
        queries.delete_user(user_id)
        note("user.delete", "users", user_id, email=email)

    with open_database(config) as database:
        database.write_now(write)


def log_out(config: HubConfig, email: str) -> None:
    """End every login and API token of a user."""

    def write() -> None:
        user_id = require_account(email).id
        queries.end_tokens(user_id)
        note("user.logout", "users", user_id)

    with open_database(config) as database:
        database.write_now(write)


def create_token(config: HubConfig, email: str, scope: Scope, name: str) -> NewToken:
    now_ms = system_clock()
    expires_ms = now_ms + tokens.API_TOKEN_LIFETIME_SECONDS * 1000

    def write() -> tuple[queries.Account, str]:
        account = require_account(email)
        token_id = queries.create_api_token(
            user_id=account.id, name=name, scope=scope, expires=expires_ms, now_ms=now_ms
        )
        note("token.create", "api_tokens", token_id, user=email, scope=scope)
        return account, token_id

    with open_database(config) as database:
        secret = load_secret(config.secret_path)
        account, token_id = database.write_now(write)
    claims = tokens.api_token_claims(account.id, token_id, expires_ms)
    text = tokens.sign(claims, secret.token_key, account.token_key)
    return NewToken(token=text, id=token_id, user=account.email, scope=scope)


def list_tokens(config: HubConfig, email: str) -> list[ListedToken]:
    with open_database(config) as database:
        rows = database.read_now(lambda: queries.list_api_tokens(require_account(email).id))
    return [
        ListedToken(
            id=row.id, name=row.name, scope=row.scope, expires=format_timestamp(row.expires),
            last_used=None if row.last_used is None else format_timestamp(row.last_used),
        )
        for row in rows
    ]  # fmt: skip


def revoke_token(config: HubConfig, token_id: str) -> None:
    def write() -> None:
        if not queries.delete_api_token(token_id):
            raise CommandFailed(f"there is no API token {token_id!r}")
        note("token.revoke", "api_tokens", token_id)

    with open_database(config) as database:
        database.write_now(write)


def _user(account: queries.Account) -> User:
    return User(id=account.id, email=account.email, username=account.username, role=account.role)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_PASSWORD_BYTES)


def _ask_password() -> str:
    if not sys.stdin.isatty():
        raise InvalidSetting("give the password with --password-file, or - to read it from standard input")
    import typer  # noqa: PLC0415  # only somebody at a keyboard is asked

    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
