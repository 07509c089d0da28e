"""Steps of alerts for tests, and a database with a user, a system and channels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from beszel_hub.accounts.queries import create_user
from beszel_hub.alerts.transition import Transition
from beszel_hub.notifications.channel import ChannelKind
from beszel_hub.notifications.collections import DEFAULTS
from beszel_hub.notifications.queries import insert_channel
from beszel_hub.notifications.sealing import purpose_of
from beszel_hub.notifications.tables import DeliveryRow
from beszel_hub.permissions import Role
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret
from beszel_hub.systems.queries import insert_system
from tests.support.databases import place_at, provide

NOW_MS: Final = 1_800_000_000_000
SYSTEM_ID: Final = "systemsystem001"
CHANNEL_ID: Final = "channelchannel1"


def make_transition(transition_id: str = "t1", **changes: Any) -> Transition:
    transition = Transition(
        id=transition_id, alert_id="alert1", rule_id="rule1", name="CPU", system_id=SYSTEM_ID, system_name="web",
        target="cpu.usage_percent", severity="warning", kind="fired", value=93.5, peak=97.0, threshold=80.0,
        since_ms=NOW_MS, at_ms=NOW_MS, user_ids=("u",), text="CPU usage is above 80 % for 10 minutes: 93.5 %.",
    )  # fmt: skip
    return msgspec.structs.replace(transition, **changes)


class Office:
    """A database with one user who sees one system; made by `open_office`."""

    def __init__(self, database: Database, secret: Secret) -> None:
        self.database = database
        self.secret = secret
        self.now_ms = NOW_MS
        self.user_id = ""
        self.directory = Path()

    def clock(self) -> int:
        return self.now_ms

    def add_user(self, email: str, role: Role) -> str:
        return self.database.write_now(lambda: create_user(email=email, role=role, password_hash="x", now_ms=NOW_MS))

    def add_channel(
        self,
        target: str,
        kind: ChannelKind = "webhook",
        *,
        channel_id: str = CHANNEL_ID,
        user_id: str = "",
        **columns: Any,
    ) -> None:
        values = {
            "id": channel_id, "user_id": user_id or self.user_id, "name": "test", "kind": kind, "hint": "hint",
            "target": self.secret.seal(target.encode(), purpose_of(channel_id)), "is_from_settings": False,
            "last_sent": None, "last_error": "", "created": NOW_MS, "updated": NOW_MS,
            **DEFAULTS, "group_seconds": 0, **columns,
        }  # fmt: skip
        self.database.write_now(lambda: insert_channel(values))

    def rows(self) -> list[DeliveryRow]:
        return self.database.read_now(lambda: list(DeliveryRow.select().order_by(DeliveryRow.position)))


@contextmanager
def open_office(directory: Path, role: Role = "admin", *, is_new: bool = True) -> Iterator[Office]:
    """With `is_new` false, what an office there has left."""
    database = Database(place_at(provide(directory) / "data.db"))
    database.open()
    try:
        office = Office(database, Secret(b"s" * 32))
        office.directory = directory
        if is_new:
            office.user_id = office.add_user("owner@example.org", role)
            database.write_now(
                lambda: insert_system(name="web", now_ms=NOW_MS, members=[office.user_id], system_id=SYSTEM_ID)
            )
        yield office
    finally:
        database.close()
