"""One SMTP server, spoken to by the standard library on a thread of its own."""

import asyncio
import secrets
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
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
    """Sends letters one after the other."""

    def __init__(self, server: SmtpServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "hub-mail")

    async def send(self, letter: Letter) -> None:
        """Return once the server has taken the letter; raise `MailFailed` if it has not."""
        try:
            domain = read_address(self._server.sender).domain
            message = compose(
                letter, sender=self._server.sender, message_id=f"<{secrets.token_hex(16)}@{domain}>",
                now_ms=self._clock(),
            )  # fmt: skip
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await asyncio.get_running_loop().run_in_executor(self._thread, deliver, self._server, message)
        except TimeoutError as error:
            raise MailFailed(f"{self._server.host} takes too long") from error
        except ValueError as error:
            raise MailFailed(str(error)) from error

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


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
