"""What is put into the clipboard of a terminal: text alone, and no more than terminals take."""

from typing import Final

from beszel_protocol.hygiene import clean_lines

MAX_BYTES: Final = 74_000
"""With its 4 bytes for 3 below 100,000; beyond that several terminals drop the whole sequence, or show it."""


def for_clipboard(text: str) -> str:
    """Its lines without control codes and what cannot be seen; the beginning of what is too long."""
    return clean_lines(text, MAX_BYTES).encode(errors="replace")[:MAX_BYTES].decode(errors="ignore")


def is_too_long(text: str) -> bool:
    """Whether some of it would be left out for its length."""
    return len(clean_lines(text, len(text) + 3 * text.count("\t")).encode(errors="replace")) > MAX_BYTES
