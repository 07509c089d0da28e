"""The collection `user_settings`: units, colours and the like, as Beszel's clients keep them; everybody's own only."""

from collections.abc import Callable
from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.preferences.queries import has_settings, insert_settings
from beszel_hub.preferences.tables import UserSettings
from beszel_hub.records.registry import CREATED, ID, UPDATED, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.ids import new_id

COLLECTION_ID: Final = "4afacsdnlu8q8r2"
"""As Beszel's clients know it."""
MAX_SETTINGS_BYTES: Final = 512 << 10

Absorb = Callable[[str, Any], Any]


def make_user_settings_collection(clock: Clock, absorb: Absorb = lambda _, document: document) -> Collection:
    """At most one record a user; what is in it is their clients' business.

    `absorb` is given the user's id and each new document inside the transaction, and returns what is stored of it.
    """
    return Collection(
        name="user_settings",
        id=COLLECTION_ID,
        fields=(
            ID,
            Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users", in_create=True),
            Field(
                name="settings", kind=Kind.JSON, in_create=True, in_update=True, max_length=MAX_SETTINGS_BYTES
            ),
            CREATED,
            UPDATED,
        ),
        source=TableSource(
            table=UserSettings,
            scope=lambda actor: UserSettings.user_id == actor.user_id,
            create=lambda actor, values: _create(actor, values, clock(), absorb),
            update=lambda actor, record_id, values: _update(actor, record_id, values, clock(), absorb),
        ),
    )  # fmt: skip


def _create(actor: Actor, values: Row, now_ms: int, absorb: Absorb) -> str:
    _require_whole(actor)
    if values.get("user") not in {None, "", actor.user_id}:
        raise invalid_field("user", "validation_not_allowed", "Settings can only be one's own.")
    if has_settings(actor.user_id or ""):
        raise invalid_field("user", "validation_not_unique", "There are settings of this user already.")
    record_id: str = values.get("id") or new_id()
    insert_settings(record_id, actor.user_id or "", absorb(actor.user_id or "", _document(values)), now_ms)
    return record_id


def _update(actor: Actor, record_id: str, values: Row, now_ms: int, absorb: Absorb) -> None:
    _require_whole(actor)
    columns: dict[str, Any] = {"updated": now_ms}
    if "settings" in values:
        columns["settings"] = absorb(actor.user_id or "", _document(values))
    UserSettings.update(columns).where(UserSettings.id == record_id).execute()


def _require_whole(actor: Actor) -> None:
    """Settings name channels, which hear of everything that their owner sees."""
    if actor.system_ids is not None:
        raise invalid_field("user", "validation_not_allowed", "This token is for some systems only.")


def _document(values: Row) -> Any:
    settings = values.get("settings")
    return {} if settings is None else settings
