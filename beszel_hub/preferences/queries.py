"""Users' settings in the database; every function runs on a database thread."""

from typing import Any

from beszel_hub.preferences.tables import UserSettings


def has_settings(user_id: str) -> bool:
    return UserSettings.select().where(UserSettings.user_id == user_id).exists()


def insert_settings(record_id: str, user_id: str, settings: Any, now_ms: int) -> None:
    """A user's first; they have at most one record."""
    UserSettings.insert(id=record_id, user_id=user_id, settings=settings, created=now_ms, updated=now_ms).execute()
