"""What holds for minutes: codes sent by e-mail, and logins that wait for their second half.

Every function runs inside `Database.write`. A code is kept as a keyed digest; whoever has the database alone cannot try
out the million there are.
"""

import hashlib
import hmac
import secrets
from typing import Final

from beszel_hub.accounts.tables import LoginCode
from beszel_hub.store.ids import new_id

SECOND_DIGITS: Final = 6
"""Of a code that needs another method beside it; as many as Beszel's own client has fields for."""
ONLY_DIGITS: Final = 8
"""Of a code that is enough by itself."""
CODE_LIFETIME_SECONDS: Final = 300
CODE_ATTEMPTS: Final = 5
MAX_CODES: Final = 24
"""Of one user at a time; the oldest goes. More than can be asked for while one of them holds, so that no stranger's
requests push out the code that somebody is about to type in."""
MFA_LIFETIME_SECONDS: Final = 600


def new_code(digits: int) -> str:
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def keep_code(key: bytes, code_id: str, user_id: str, code: str, now_ms: int) -> None:
    """Note a code under the id that the client was told before anybody looked whether there is such a user."""
    LoginCode.insert(
        id=code_id, user_id=user_id, kind="otp", method="", digest=_digest(key, code_id, code),
        attempts=CODE_ATTEMPTS, expires=now_ms + CODE_LIFETIME_SECONDS * 1000,
    ).execute()  # fmt: skip
    mine = (LoginCode.user_id == user_id) & (LoginCode.kind == "otp")
    kept = LoginCode.select(LoginCode.id).where(mine).order_by(LoginCode.expires.desc()).limit(MAX_CODES)
    LoginCode.delete().where(mine & LoginCode.id.not_in(kept)).execute()


def redeem_code(key: bytes, code_id: str, code: str, now_ms: int) -> str | None:
    """The user whose code it is; it cannot be used again, and a wrong one only so often."""
    row = LoginCode.get_or_none((LoginCode.id == code_id) & (LoginCode.kind == "otp"))
    digest = _digest(key, code_id, code)
    expected = bytes(row.digest) if row is not None else _digest(key, code_id, "")
    is_right = hmac.compare_digest(digest, expected)
    if row is None or row.expires <= now_ms or row.attempts <= 0:
        return None
    if not is_right:
        LoginCode.update(attempts=LoginCode.attempts - 1).where(LoginCode.id == code_id).execute()
        return None
    LoginCode.delete().where(LoginCode.id == code_id).execute()
    return str(row.user_id)


def keep_first_half(user_id: str, method: str, now_ms: int) -> str:
    """Note that a user has passed one method, and return the id under which the second may follow."""
    half_id = new_id()
    LoginCode.insert(
        id=half_id, user_id=user_id, kind="mfa", method=method, digest=b"", attempts=1,
        expires=now_ms + MFA_LIFETIME_SECONDS * 1000,
    ).execute()  # fmt: skip
    return half_id


def take_first_half(half_id: str, user_id: str, method: str, now_ms: int) -> bool:
    """Whether that user has passed *another* method lately; holds once."""
    row = LoginCode.get_or_none((LoginCode.id == half_id) & (LoginCode.kind == "mfa"))
    if row is None or row.user_id != user_id or row.method == method or row.expires <= now_ms:
        return False
    LoginCode.delete().where(LoginCode.id == half_id).execute()
    return True


def purge_codes(now_ms: int) -> None:
    LoginCode.delete().where(LoginCode.expires <= now_ms).execute()


def _digest(key: bytes, code_id: str, code: str) -> bytes:
    return hmac.digest(key, f"{code_id}:{code}".encode(), hashlib.sha256)
