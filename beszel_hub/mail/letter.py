"""A letter, and its form on the wire (RFC 5322). Pure: the instant and the message id are arguments."""

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

import msgspec

from beszel_protocol.hygiene import clean_text

MAX_SUBJECT_LENGTH: Final = 200

_BARE: Final = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[\w.-]{1,190}"
_ADDRESS: Final = re.compile(rf"(?:([^<>@]{{0,100}})<({_BARE})>)|({_BARE})")


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
    match = _ADDRESS.fullmatch(text) if text.isprintable() else None
    if match is None:
        raise ValueError(f"{text!r} is no e-mail address")
    name, in_brackets, bare = match.groups()
    local, _, domain = (in_brackets or bare).rpartition("@")
    try:
        return Address((name or "").strip().strip('"'), local, domain.encode("idna").decode())
    except UnicodeError as error:
        raise ValueError(f"{text!r} is no e-mail address") from error
