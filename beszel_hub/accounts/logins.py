"""The ways to log in, and the second one that some users need: each ends in a session, or says what is missing.

Nobody learns whether there is a user of some name: an unknown one costs the same hash and the same commit, and gets the
same answer.
"""

import logging
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias

import msgspec

from beszel_hub.accounts import codes, queries, sessions
from beszel_hub.accounts.queries import Account
from beszel_hub.accounts.service import Accounts, Login
from beszel_hub.accounts.sessions import Visitor
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Forbidden, Unauthorized
from beszel_hub.permissions import ANONYMOUS, Actor
from beszel_hub.store.database import Database

Method: TypeAlias = Literal["password", "otp", "oauth2"]

FAILED: Final = "Failed to authenticate."

_log = logging.getLogger(__name__)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which ways are open, by the settings."""

    password: bool = True
    email_code: bool = False
    """Whether a code sent by e-mail is enough, or may be one of two."""
    mfa: Literal["", "true", "superusers"] = ""
    """Who needs two."""

    @property
    def has_codes(self) -> bool:
        return self.email_code or bool(self.mfa)

    @property
    def code_digits(self) -> int:
        """More where a guess is enough for some."""
        is_enough = self.email_code and self.mfa != "true"
        return codes.ONLY_DIGITS if is_enough else codes.SECOND_DIGITS


class SecondMethodNeeded(Unauthorized):
    """The first half of a login is done; `mfa_id` goes with the second."""

    code = "second_method_needed"

    def __init__(self, mfa_id: str) -> None:
        super().__init__("Another method is needed as well.")
        self.mfa_id = mfa_id


class Attempt(NamedTuple):
    """What comes with every way to log in."""

    visitor: Visitor
    collection: str = "users"
    mfa_id: str = ""
    """Of the half that is done."""


class Logins:
    """`code_key` is for the digests of codes; `welcome` hears of the address where a user has passed a method."""

    def __init__(
        self, database: Database, accounts: Accounts, journal: Journal, clock: Clock, policy: Policy, code_key: bytes,
        welcome: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self.policy = policy
        self._database = database
        self._accounts = accounts
        self._journal = journal
        self._clock = clock
        self._code_key = code_key
        self._welcome = welcome

    async def with_password(self, identity: str, password: str, attempt: Attempt) -> Login:
        """`identity` is an e-mail address or a user name, in any case.

        Raises `BadRequest` if the two do not fit, `Forbidden` for an unverified user or if passwords are switched off,
        `TooManyRequests` after too many guesses, `SecondMethodNeeded`.
        """
        if not self.policy.password:
            raise Forbidden("This hub does not take passwords.")
        identity = identity[: queries.MAX_EMAIL_LENGTH]
        address = attempt.visitor.address
        self._accounts.take_attempt(address, identity)
        account = await self._database.read(lambda: queries.find_identity(identity))
        is_right = await self._accounts.verify(account, password)
        if account is None or not is_right or not _is_of(account, attempt.collection):
            await self._fail(account, "password", attempt)
        self._accounts.throttle.give_back(address, identity, self._clock())
        return await self.finish(account, "password", attempt)

    async def with_code(self, code_id: str, code: str, attempt: Attempt) -> Login:
        """Raises as `with_password`; a code that is wrong, used, too old or nobody's is the same `BadRequest`."""
        if not self.policy.has_codes:
            raise Forbidden("This hub sends no codes.")
        address, now_ms = attempt.visitor.address, self._clock()
        self._accounts.take_attempt(address, code_id[: queries.MAX_EMAIL_LENGTH])

        def redeem() -> Account | None:
            user_id = codes.redeem_code(self._code_key, code_id, code, now_ms)
            account = None if user_id is None else queries.find_account(user_id)
            if account is None:
                self._note_failure(None, "otp", attempt)
            return account

        account = await self._database.write(redeem)
        if account is None or not _is_of(account, attempt.collection):
            raise BadRequest(FAILED)
        self._accounts.throttle.give_back(address, code_id, now_ms)
        if not self.policy.email_code and not self._needs_two(account):
            raise Forbidden("A code is only the second half of a login here.")
        return await self.finish(account, "otp", attempt)

    async def finish(self, account: Account, method: Method, attempt: Attempt) -> Login:
        """Somebody has proved by one method to be this user; raise `SecondMethodNeeded` if one is not enough."""
        if not account.verified:
            raise Forbidden("This user is not verified.")
        self._welcome(attempt.visitor.address, account.email)
        now_ms = self._clock()

        def write() -> tuple[str, str]:
            if self._needs_two(account) and not codes.take_first_half(attempt.mfa_id, account.id, method, now_ms):
                return "", "" if attempt.mfa_id else codes.keep_first_half(account.id, method, now_ms)
            session_id = sessions.open_session(account.id, method, attempt.visitor, now_ms)
            opened = Actor(user_id=account.id, role=account.role, session_id=session_id)
            self._journal.note(
                opened, "auth.login", address=attempt.visitor.address, changes={"method": [None, method]}
            )
            return session_id, ""

        session_id, mfa_id = await self._database.write(write)
        if session_id:
            return self._accounts.issue(account, session_id, attempt.collection)
        if mfa_id:
            raise SecondMethodNeeded(mfa_id)
        raise BadRequest(FAILED)

    def _needs_two(self, account: Account) -> bool:
        """Administrators are superusers, whichever collection they log in at."""
        return self.policy.mfa == "true" or (self.policy.mfa == "superusers" and account.role == "admin")

    async def _fail(self, account: Account | None, method: Method, attempt: Attempt) -> NoReturn:
        _log.warning("failed login from %s", attempt.visitor.address)
        await self._database.write(lambda: self._note_failure(account, method, attempt))
        raise BadRequest(FAILED)

    def _note_failure(self, account: Account | None, method: Method, attempt: Attempt) -> None:
        """For unknown users too, so that they cost a commit as well; what was typed in is not kept."""
        self._journal.note(
            ANONYMOUS, "auth.failed", collection="users", record_id="" if account is None else account.id,
            address=attempt.visitor.address, changes={"method": [None, method]},
        )  # fmt: skip


def _is_of(account: Account, collection: str) -> bool:
    """Whether the user is found in a collection: in that of superusers only administrators are."""
    return collection == "users" or account.role == "admin"
