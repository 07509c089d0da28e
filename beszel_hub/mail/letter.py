"""A letter, and its form on the wire (RFC 5322). Pure: the instant and the message id are arguments."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

import msgspec

from beszel_protocol.hygiene import clean_text

MAX_SUBJECT_LENGTH: Final = 200


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Plain text to one address."""

    recipient: str
    subject: str
    text: str


def compose(letter: Letter, *, sender: str, message_id: str, now_ms: int) -> EmailMessage:
    """Raise ValueError for an address that is none.

    Nothing in a subject or an address makes another header: line ends are taken out or refused.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = read_address(sender)
    message["To"] = read_address(letter.recipient)
    message["Subject"] = " ".join(clean_text(letter.subject, MAX_SUBJECT_LENGTH).split())
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def read_address(text: str) -> Address:
    """`name@example.org` or `Name <name@example.org>`; a domain in other letters is written in Punycode."""
    name, bracket, rest = text.rpartition("<")
    local, at, domain = (rest.removesuffix(">") if bracket else text).strip().rpartition("@")
    if not at or not local or not domain or not text.isprintable():
        raise ValueError(f"{text!r} is no e-mail address")
    try:
        return Address(name.strip().strip('"'), local, domain.encode("idna").decode())
    except (UnicodeError, IndexError) as error:
        raise ValueError(f"{text!r} is no e-mail address") from error
