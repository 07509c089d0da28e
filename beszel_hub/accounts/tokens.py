"""Tokens of the HTTP API: JWTs signed with a key of their user, so that changing that key ends them all."""

import hashlib
import hmac
import secrets
from typing import Any, Final

import msgspec

USERS_COLLECTION_ID: Final = "_pb_users_auth_"
SUPERUSERS_COLLECTION_ID: Final = "pbc_3142635823"
COLLECTION_IDS: Final = {"users": USERS_COLLECTION_ID, "_superusers": SUPERUSERS_COLLECTION_ID}
"""Both as PocketBase's clients know them; a superuser is an administrator by another name."""
LOGIN_LIFETIME_SECONDS: Final = 7 * 86400
RESET_LIFETIME_SECONDS: Final = 1800
VERIFICATION_LIFETIME_SECONDS: Final = 3 * 86400
FILE_LIFETIME_SECONDS: Final = 180
LOGIN: Final = "auth"
RESET: Final = "passwordReset"
VERIFICATION: Final = "verification"
EMAIL_CHANGE: Final = "emailChange"
FILE: Final = "file"
"""Types of tokens: one of them never passes for another."""
API_TOKEN_LIFETIME_SECONDS: Final = 10 * 365 * 86400
MAX_TOKEN_LENGTH: Final = 2048

_ALGORITHM: Final = "HS256"


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says; the names are PocketBase's, which its clients read."""

    id: str
    exp: int
    """Seconds since the epoch."""
    type: str
    collectionId: str  # noqa: N815  # on the wire
    refreshable: bool
    tokenId: str | None = None  # noqa: N815  # on the wire
    """Of an API token; a login has none."""
    sessionId: str | None = None  # noqa: N815  # on the wire
    """Of a login; an API token has none."""
    email: str | None = None
    """The address that the user had when a letter was written."""
    newEmail: str | None = None  # noqa: N815  # on the wire


def login_claims(user_id: str, session_id: str, now_ms: int, collection: str = "users") -> Claims:
    return Claims(
        id=user_id, exp=now_ms // 1000 + LOGIN_LIFETIME_SECONDS, type=LOGIN, collectionId=COLLECTION_IDS[collection],
        refreshable=True, sessionId=session_id,
    )  # fmt: skip


def reset_claims(user_id: str, now_ms: int, collection: str) -> Claims:
    """Of the token in a mail: signed with the user's key, it ends with the password that it replaces."""
    return Claims(
        id=user_id, exp=now_ms // 1000 + RESET_LIFETIME_SECONDS, type=RESET, collectionId=COLLECTION_IDS[collection],
        refreshable=False,
    )  # fmt: skip


def verification_claims(user_id: str, email: str, now_ms: int, collection: str) -> Claims:
    """Of the token in a mail that only whoever owns the address reads."""
    return Claims(
        id=user_id, exp=now_ms // 1000 + VERIFICATION_LIFETIME_SECONDS, type=VERIFICATION,
        collectionId=COLLECTION_IDS[collection], refreshable=False, email=email,
    )  # fmt: skip


def email_change_claims(user_id: str, email: str, new_email: str, now_ms: int, collection: str) -> Claims:
    """Of the token in a mail to the new address."""
    return Claims(
        id=user_id, exp=now_ms // 1000 + RESET_LIFETIME_SECONDS, type=EMAIL_CHANGE,
        collectionId=COLLECTION_IDS[collection], refreshable=False, email=email, newEmail=new_email,
    )  # fmt: skip


def file_claims(user_id: str, now_ms: int) -> Claims:
    """Of a token that stands in the URL of a download."""
    return Claims(
        id=user_id, exp=now_ms // 1000 + FILE_LIFETIME_SECONDS, type=FILE, collectionId=USERS_COLLECTION_ID,
        refreshable=False,
    )  # fmt: skip


def api_token_claims(user_id: str, token_id: str, expires_ms: int) -> Claims:
    return Claims(
        id=user_id, exp=expires_ms // 1000, type=LOGIN, collectionId=USERS_COLLECTION_ID, refreshable=False,
        tokenId=token_id,
    )  # fmt: skip


def new_token_key() -> str:
    return secrets.token_urlsafe(32)


def sign(claims: Claims, secret_key: bytes, token_key: str) -> str:
    """`secret_key` is the hub's, `token_key` the user's; a copy of the database alone signs nothing."""
    import jwt  # noqa: PLC0415  # the command line starts fast

    payload = {name: value for name, value in msgspec.structs.asdict(claims).items() if value is not None}
    return jwt.encode(payload, _signing_key(secret_key, token_key), algorithm=_ALGORITHM)


def peek(token: str) -> Claims | None:
    """What a token claims, proved by nothing; None if it is no token of ours."""
    import jwt  # noqa: PLC0415

    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        return _read(jwt.decode(token, options={"verify_signature": False}))
    except (jwt.PyJWTError, ValueError):
        return None


def is_genuine(token: str, secret_key: bytes, token_key: str, now_ms: int) -> bool:
    """Whether the signature is good and the token has not expired."""
    import jwt  # noqa: PLC0415

    # The hub's own clock decides on `exp`, below.
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp"]}
    try:
        payload = jwt.decode(token, _signing_key(secret_key, token_key), algorithms=[_ALGORITHM], options=options)
        return _read(payload).exp * 1000 > now_ms
    except (jwt.PyJWTError, ValueError):
        return False


def _read(payload: Any) -> Claims:
    return msgspec.convert(payload, Claims)


def _signing_key(secret_key: bytes, token_key: str) -> bytes:
    return hmac.digest(secret_key, token_key.encode(), hashlib.sha256)
