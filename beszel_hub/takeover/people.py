"""Users: their roles, names, and bcrypt hashes, which become Argon2id at the first login here. Runs in a write."""

from collections.abc import Iterable
from typing import Final, cast, get_args

from beszel_hub.accounts.passwords import UNUSABLE_HASH, is_bcrypt
from beszel_hub.accounts.queries import check_username, create_user, find_account, find_identity
from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Role
from beszel_hub.store.ids import is_id
from beszel_hub.takeover.report import Report, TableReport
from beszel_hub.takeover.source import Row
from beszel_hub.takeover.values import flag_of, instant_of, text_of

UserIds = dict[str, str]
"""The ids here of users there."""

_PASSWORD_COLUMNS: Final = ("password", "passwordHash")
"""Before and after PocketBase 0.23."""


def take_users(rows: Iterable[Row], report: Report, now_ms: int) -> UserIds:
    """A user whose address somebody has here already is that somebody, and stays as they are."""
    table = report.table("users")
    ids: UserIds = {}
    without_password = 0
    for row in rows:
        user_id, email = text_of(row, "id"), text_of(row, "email", 1024)
        present = find_account(user_id) or find_identity(email)
        if present is not None:
            ids[user_id] = present.id
            table.skip_present()
        elif not is_id(user_id):
            table.leave_out("its id is none")
        elif _take(row, table, now_ms):
            ids[user_id] = user_id
            without_password += _password_hash(row) == UNUSABLE_HASH
    if without_password:
        report.notes.append(
            f"Users without a password that can be checked: {without_password}; `beszel-hub user password` sets one."
        )
    return ids


def _take(row: Row, table: TableReport, now_ms: int) -> bool:
    role = text_of(row, "role") or "user"
    if role not in get_args(Role):
        table.leave_out(f"the role {role!r} is none")
        return False
    try:
        create_user(
            id=text_of(row, "id"), email=text_of(row, "email", 1024), username=_username(row), role=cast("Role", role),
            password_hash=_password_hash(row), now_ms=instant_of(row, "created") or now_ms,
            verified=flag_of(row, "verified"), email_visibility=flag_of(row, "emailVisibility"),
        )  # fmt: skip
    except BadRequest as error:
        reasons = [f"{field}: {complaint.message}" for field, complaint in error.data.items()]
        table.leave_out("; ".join(reasons) or error.message)
        return False
    table.take()
    return True


def _username(row: Row) -> str:
    """Empty, for one that is made of the address, if the name is impossible or taken."""
    username = text_of(row, "username", 150)
    try:
        check_username(username)
    except BadRequest:
        return ""
    return "" if find_identity(username) is not None else username


def _password_hash(row: Row) -> str:
    hashes = [text_of(row, column) for column in _PASSWORD_COLUMNS]
    return next((found for found in hashes if is_bcrypt(found)), UNUSABLE_HASH)
