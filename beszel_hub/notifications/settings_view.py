"""Beszel's settings of notifications as a view of channels: `emails` and `webhooks` of a user's settings.

What is stored of a webhook is not its URL but the mark of a channel, and that is what clients get: they send it back
as it is and the channel stays; they send another URL and there is another channel. Runs inside `Database.write`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, FieldError
from beszel_hub.notifications import queries
from beszel_hub.notifications.channel import MAX_CHANNELS
from beszel_hub.notifications.collections import DEFAULTS
from beszel_hub.notifications.sealing import seal_target
from beszel_hub.notifications.targets import Target, read_any, read_target
from beszel_hub.store.ids import ID_LENGTH, new_id
from beszel_hub.store.secrets import Secret
from beszel_protocol.hygiene import clean_text

_MARK: Final = re.compile(rf"[^#]*#channel-([a-z0-9]{{{ID_LENGTH}}})", re.ASCII)

Absorb = Callable[[str, Any], Any]


def make_absorb(secret: Secret, clock: Clock) -> Absorb:
    """Given a user's id and the new document, makes the channels and returns what is stored."""
    return lambda user_id, document: _absorb(secret, user_id, document, clock())


def marked_channel(text: str) -> str:
    """The id of the channel that a mark stands for; empty if the text is none."""
    match = _MARK.fullmatch(text)
    return match[1] if match is not None else ""


def _absorb(secret: Secret, user_id: str, document: Any, now_ms: int) -> Any:
    if not isinstance(document, dict):
        return document
    before = {row.id: row for row in queries.settings_channels(user_id)}
    kept: set[str] = set()
    marks = dict(document)
    for field, read in (("emails", lambda text: read_target("email", text)), ("webhooks", read_any)):
        if field not in document:
            continue
        marks[field] = []
        for text in _texts(document[field], field):
            channel_id = _find(before, field, text)
            if not channel_id:
                channel_id = _insert(secret, user_id, _read(read, text, field), now_ms)
            kept.add(channel_id)
            hint = queries.hint_of(channel_id)
            marks[field].append(hint if field == "emails" else f"{hint}#channel-{channel_id}")
    gone = {row.id for row in before.values() if row.id not in kept and _field_of(row.kind) in document}
    for channel_id in gone:
        queries.delete_channel(channel_id)
    if queries.count_channels(user_id) > MAX_CHANNELS:
        raise _wrong("webhooks", f"A user has at most {MAX_CHANNELS} channels.")
    return marks


def _field_of(kind: str) -> str:
    return "emails" if kind == "email" else "webhooks"


def _find(before: dict[str, Any], field: str, text: str) -> str:
    """The channel that an entry has already."""
    if field == "webhooks":
        marked = marked_channel(text)
        return marked if marked in before else ""
    return next((row.id for row in before.values() if row.kind == "email" and row.hint == text), "")


def _texts(entries: Any, field: str) -> Sequence[str]:
    if entries is None:
        return ()
    if not isinstance(entries, list) or len(entries) > MAX_CHANNELS or not all(isinstance(e, str) for e in entries):
        raise _wrong(field, f"This is a list of at most {MAX_CHANNELS} texts.")
    return [text for text in dict.fromkeys(clean_text(entry, 2048).strip() for entry in entries) if text]


def _read(read: Callable[[str], Target], text: str, field: str) -> Target:
    try:
        return read(text)
    except ValueError as error:
        raise _wrong(field, str(error)) from error


def _insert(secret: Secret, user_id: str, target: Target, now_ms: int) -> str:
    channel_id = new_id()
    queries.insert_channel({
        "id": channel_id, "user_id": user_id, "name": target.hint[:100], "kind": target.kind,
        "is_from_settings": True, "last_sent": None, "last_error": "", "created": now_ms, "updated": now_ms,
        **DEFAULTS, **seal_target(secret, channel_id, target),
    })  # fmt: skip
    return channel_id


def _wrong(field: str, message: str) -> BadRequest:
    return BadRequest(data={"settings": FieldError("validation_invalid_value", f"{field}: {message}")})
