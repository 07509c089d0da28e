"""One SMTP server, spoken to by the standard library, off the event loop."""

import asyncio
import secrets
import smtplib
import ssl
import threading
from concurrent.futures import Future
from email.message import EmailMessage
from typing import Final, Literal, TypeAlias

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.mail.letter import Letter, compose, read_address

STEP_TIMEOUT_SECONDS: Final = 15.0
"""Of one answer of the server."""
SEND_TIMEOUT_SECONDS: Final = 60.0

Security: TypeAlias = Literal["starttls", "tls", "none"]


class MailFailed(Exception):
    code = "mail_failed"


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where letters go. Certificates are verified by the machine's own authorities (or `SSL_CERT_FILE`)."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    security: Security = "starttls"


class Mailer:
    """Each letter goes on a thread of its own, which does not keep a process that wants to end."""

    def __init__(self, server: SmtpServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send(self, letter: Letter, key: str = "") -> None:
        """Return once the server has taken the letter; raise `MailFailed` if it has not.

        A letter that may be sent twice has a `key`, of which its Message-ID is made: mail programs show it once.
        """
        try:
            domain = read_address(self._server.sender).domain
            message = compose(
                letter, sender=self._server.sender, message_id=f"<{key or secrets.token_hex(16)}@{domain}>",
                now_ms=self._clock(),
            )  # fmt: skip
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await asyncio.wrap_future(self._start(message))
        except TimeoutError as error:
            raise MailFailed(f"{self._server.host} takes too long") from error
        except ValueError as error:
            raise MailFailed(str(error)) from error

    def _start(self, message: EmailMessage) -> Future[None]:
        future: Future[None] = Future()

        def run() -> None:
            try:
                deliver(self._server, message)
            except Exception as error:  # noqa: BLE001  # comes out where the letter was given in
                outcome: Exception | None = error
            else:
                outcome = None
            if future.set_running_or_notify_cancel():
                future.set_exception(outcome) if outcome is not None else future.set_result(None)

        threading.Thread(target=run, name="hub-mail", daemon=True).start()
        return future


def deliver(server: SmtpServer, message: EmailMessage) -> None:
    """Hand one message over; raise `MailFailed` with what the server said. Blocks."""
    try:
        with _connect(server) as connection:
            if server.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(server.username, server.password)
            connection.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(f"{server.host} port {server.port}: {_describe(error)}") from error


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(
            server.host, server.port, timeout=STEP_TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(server.host, server.port, timeout=STEP_TIMEOUT_SECONDS)


def _describe(error: Exception) -> str:
    """Without what the server wrote: that may repeat the recipient or parts of the letter."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__ if isinstance(error, smtplib.SMTPException) else str(error)
