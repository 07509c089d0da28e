"""Which user somebody is whom a provider vouches for. Every function runs inside `Database.read` or `Database.write`.

An account is never taken over by an address alone: the provider must have verified it, and so must this hub. Otherwise
whoever registers first at either place would own what the other one meant.
"""

from contextlib import suppress
from typing import Final, NamedTuple

from beszel_hub.accounts import queries
from beszel_hub.accounts.idtoken import Profile
from beszel_hub.accounts.queries import Account
from beszel_hub.accounts.tables import Identity
from beszel_hub.accounts.ways import Source
from beszel_hub.errors import BadRequest
from beszel_hub.store.ids import new_id

MAX_IDENTITIES: Final = 20
"""Of one user."""

NOT_VERIFIED: Final = "The provider has not verified this e-mail address."
UNKNOWN_HERE: Final = "Nobody here has this e-mail address."
BLOCKED: Final = "An administrator must verify the user of this e-mail address first."


class Linked(NamedTuple):
    account: Account
    is_new: bool
    is_newly_linked: bool


def find_linked(source: Source, profile: Profile) -> Account | None:
    """The user who is this somebody already."""
    row = Identity.get_or_none((Identity.issuer == source.issuer) & (Identity.subject == profile.subject))
    return None if row is None else queries.find_account(row.user_id)


def link(
    source: Source, profile: Profile, *, linking_id: str | None, new_password_hash: str | None, now_ms: int
) -> Linked:
    """Find, link or make the user.

    `linking_id` is the user who is logged in and asks for the link; `new_password_hash` is set if a user may be made.
    Raises `BadRequest` with a sentence for people if there is no user for this somebody.
    """
    known = find_linked(source, profile)
    if known is not None:
        return Linked(known, is_new=False, is_newly_linked=False)
    account, is_new = _find_owner(profile, linking_id), False
    if account is None:
        account, is_new = _make(profile, new_password_hash, now_ms), True
    if Identity.select().where(Identity.user_id == account.id).count() >= MAX_IDENTITIES:
        raise BadRequest(f"A user has at most {MAX_IDENTITIES} identities; unlink one first.")
    Identity.insert(
        id=new_id(), user_id=account.id, provider=source.provider, issuer=source.issuer, subject=profile.subject,
        created=now_ms, updated=now_ms,
    ).execute()  # fmt: skip
    return Linked(account, is_new=is_new, is_newly_linked=True)


def _find_owner(profile: Profile, linking_id: str | None) -> Account | None:
    if linking_id is not None:
        return queries.find_account(linking_id)
    account = queries.find_email(profile.email) if profile.email else None
    if account is None:
        return None
    if not profile.is_email_verified:
        raise BadRequest(NOT_VERIFIED)
    if not account.verified:
        raise BadRequest(BLOCKED)
    return account


def _make(profile: Profile, password_hash: str | None, now_ms: int) -> Account:
    if password_hash is None:
        raise BadRequest(UNKNOWN_HERE)
    if not profile.email or not profile.is_email_verified:
        raise BadRequest(NOT_VERIFIED)
    user_id = queries.create_user(
        email=profile.email, role="user", password_hash=password_hash, now_ms=now_ms,
        username=_free_username(profile),
    )  # fmt: skip
    account = queries.find_account(user_id)
    if account is None:
        raise BadRequest(UNKNOWN_HERE)
    return account


def _free_username(profile: Profile) -> str:
    """What they are called there, if that can be a name here and nobody has it."""
    with suppress(BadRequest):
        queries.check_username(profile.username)
        if queries.find_identity(profile.username) is None:
            return profile.username
    return ""
