"""Targets of channels as they are stored: sealed, with a hint that may be shown."""

from typing import Any

from beszel_hub.notifications.targets import Target
from beszel_hub.store.secrets import Secret


def purpose_of(channel_id: str) -> bytes:
    """A target that is copied to another channel's row cannot be opened there."""
    return b"notification channel " + channel_id.encode()


def seal_target(secret: Secret, channel_id: str, target: Target) -> dict[str, Any]:
    """The columns of a channel that hold its target."""
    return {"target": secret.seal(target.text.encode(), purpose_of(channel_id)), "hint": target.hint}
