"""Requests for mail: answered before anybody looks whether there is such a user, so no answer and no delay tells.

Requests wait in a bounded queue; one that finds it full is refused, whoever it is from. One task works on them.
"""

import asyncio
import logging
from typing import Final

import msgspec

from beszel_hub.accounts import codes, letters, queries, tokens
from beszel_hub.accounts.queries import Account
from beszel_hub.accounts.throttle import Limit, LoginThrottle
from beszel_hub.clock import Clock
from beszel_hub.errors import Forbidden, HubError, TooManyRequests, Unavailable
from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import Mailer, MailFailed
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import Secret

MAX_WAITING: Final = 100
ADDRESS_LIMIT: Final = Limit(burst=10, refill_seconds=60)
RECIPIENT_LIMIT: Final = Limit(burst=4, refill_seconds=300)
"""A stranger can neither fill somebody's mailbox, nor keep mail from them for long, nor guess at many codes."""

_log = logging.getLogger(__name__)


def new_throttle() -> LoginThrottle:
    """Of requests for mail, which nobody has made yet."""
    return LoginThrottle(ADDRESS_LIMIT, RECIPIENT_LIMIT)


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that somebody asked for."""

    email: str
    code_id: str = ""
    """Of a code; empty for a reset of the password."""
    collection: str = "users"


class Mailroom:
    """Without a mailer every request is refused, as it would be for everybody."""

    def __init__(
        self,
        database: Database,
        secret: Secret,
        clock: Clock,
        mailer: Mailer | None,
        *,
        code_key: bytes,
        code_digits: int,
        app_url: str,
    ) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._mailer = mailer
        self._code_key = code_key
        self._code_digits = code_digits
        self._app_url = app_url
        self._waiting: asyncio.Queue[Errand] = asyncio.Queue(MAX_WAITING)
        self.throttle = new_throttle()

    def request_code(self, email: str, address: str, collection: str = "users") -> str:
        """The id under which a code may be redeemed, if the address is a user's.

        Raises `Forbidden` without a mail server, `TooManyRequests`, or `Unavailable` if too many wait.
        """
        code_id = new_id()
        self._put(Errand(email=email, code_id=code_id, collection=collection), address)
        return code_id

    def request_reset(self, email: str, address: str, collection: str = "users") -> None:
        """Raises as `request_code`."""
        self._put(Errand(email=email, collection=collection), address)

    async def run(self) -> None:
        """Work on requests until cancelled."""
        while True:
            errand = await self._waiting.get()
            try:
                await self._do(errand)
            except (HubError, MailFailed) as error:
                _log.warning("a letter was not sent: %s", error)
            except Exception:  # noqa: BLE001  # the next letter is sent all the same
                _log.exception("a letter was not sent")
            finally:
                self._waiting.task_done()

    async def wait_idle(self) -> None:
        """Until nothing waits."""
        await self._waiting.join()

    def _put(self, errand: Errand, address: str) -> None:
        if self._mailer is None:
            raise Forbidden("This hub sends no mail.")
        wait_seconds = self.throttle.take(address, errand.email[: queries.MAX_EMAIL_LENGTH], self._clock())
        if wait_seconds > 0:
            raise TooManyRequests(retry_after_seconds=int(wait_seconds) + 1)
        try:
            self._waiting.put_nowait(errand)
        except asyncio.QueueFull as error:
            raise Unavailable from error

    async def _do(self, errand: Errand) -> None:
        account = await self._database.read(lambda: queries.find_email(errand.email))
        if account is None or not account.verified or self._mailer is None:
            return
        if errand.collection != "users" and account.role != "admin":
            return
        await self._mailer.send(await self._write(errand, account))

    async def _write(self, errand: Errand, account: Account) -> Letter:
        now_ms = self._clock()
        if errand.code_id:
            code = codes.new_code(self._code_digits)
            await self._database.write(
                lambda: codes.keep_code(self._code_key, errand.code_id, account.id, code, now_ms)
            )
            return letters.code_letter(account.email, code)
        claims = tokens.reset_claims(account.id, now_ms, errand.collection)
        token = tokens.sign(claims, self._secret.token_key, account.token_key)
        return letters.reset_letter(account.email, token, self._app_url)
