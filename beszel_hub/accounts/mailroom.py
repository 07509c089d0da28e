"""Requests for mail: answered before anybody looks whether there is such a user, so no answer and no delay tells.

Requests wait in a bounded queue; one that finds it full is refused, whoever it is from. One task works on them.
"""

import asyncio
import logging
from typing import Final, Literal

import msgspec

from beszel_hub.accounts import codes, letters, queries, tokens
from beszel_hub.accounts.mailthrottle import MailThrottle
from beszel_hub.accounts.queries import Account
from beszel_hub.clock import Clock
from beszel_hub.errors import Forbidden, HubError, TooManyRequests, Unavailable
from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import Mailer, MailFailed
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import Secret

MAX_WAITING: Final = 100

_log = logging.getLogger(__name__)


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that somebody asked for."""

    kind: Literal["code", "reset", "verification", "change"]
    email: str
    """Of the recipient; for a change the new address."""
    code_id: str = ""
    user_id: str = ""
    """Who wants to change their address."""
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
        self.throttle = MailThrottle()

    def request_code(self, email: str, address: str, collection: str = "users") -> str:
        """The id under which a code may be redeemed, if the address is a user's.

        Raises `Forbidden` without a mail server, `TooManyRequests`, or `Unavailable` if too many wait.
        """
        code_id = new_id()
        self._put(Errand(kind="code", email=email, code_id=code_id, collection=collection), address)
        return code_id

    def request_reset(self, email: str, address: str, collection: str = "users") -> None:
        """Raises as `request_code`."""
        self._put(Errand(kind="reset", email=email, collection=collection), address)

    def request_verification(self, email: str, address: str) -> None:
        """Raises as `request_code`."""
        self._put(Errand(kind="verification", email=email), address)

    def request_change(self, user_id: str, new_email: str, address: str, collection: str = "users") -> None:
        """Raises as `request_code`, and `BadRequest` for what cannot be an address."""
        queries.check_email(new_email, "newEmail")
        self._put(Errand(kind="change", email=new_email, user_id=user_id, collection=collection), address)

    def welcome(self, address: str, email: str) -> None:
        """Somebody there has passed a method of that user's; strangers' requests do not count against them."""
        self.throttle.welcome(address, email[: queries.MAX_EMAIL_LENGTH])

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
        account = await self._database.read(lambda: _find_recipient(errand))
        if account is None or self._mailer is None:
            return
        if errand.collection != "users" and account.role != "admin":
            return
        await self._mailer.send(await self._write(errand, account))

    async def _write(self, errand: Errand, account: Account) -> Letter:
        now_ms, collection = self._clock(), errand.collection
        if errand.kind == "code":
            code = codes.new_code(self._code_digits)
            await self._database.write(
                lambda: codes.keep_code(self._code_key, errand.code_id, account.id, code, now_ms)
            )
            return letters.code_letter(account.email, code)
        if errand.kind == "verification":
            claims = tokens.verification_claims(account.id, account.email, now_ms, collection)
            return letters.verification_letter(account.email, self._sign(claims, account), self._app_url)
        if errand.kind == "change":
            claims = tokens.email_change_claims(account.id, account.email, errand.email, now_ms, collection)
            return letters.change_letter(errand.email, self._sign(claims, account), self._app_url)
        claims = tokens.reset_claims(account.id, now_ms, collection)
        return letters.reset_letter(account.email, self._sign(claims, account), self._app_url)

    def _sign(self, claims: tokens.Claims, account: Account) -> str:
        return tokens.sign(claims, self._secret.token_key, account.token_key)


def _find_recipient(errand: Errand) -> Account | None:
    """Whose letter it is; None if there must be none."""
    present = queries.find_email(errand.email)
    if errand.kind == "verification":
        return present if present is not None and present.is_invited else None
    if errand.kind == "change":
        # Who asks hears nothing of whether somebody has that address.
        present = queries.find_account(errand.user_id) if present is None else None
    return present if present is not None and present.verified else None
