"""What has happened: one record an alert, from firing to its end."""

from typing import Final

from beszel_hub.alerts import queries
from beszel_hub.alerts.tables import HistoryRow
from beszel_hub.errors import NotFound
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, Collection, Field, Kind, TableSource

COLLECTION_ID: Final = "pbc_1697146157"
"""As Beszel's clients know it."""


def make_history_collection() -> Collection:
    return Collection(
        name="alerts_history",
        id=COLLECTION_ID,
        fields=(
            Field(name="id", max_length=15),
            Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users"),
            Field(name="system", attribute="system_id", kind=Kind.RELATION, target="systems"),
            Field(name="alert_id", attribute="rule_id"),
            Field(name="name"),
            Field(name="target"),
            Field(name="severity"),
            Field(name="value", kind=Kind.NUMBER),
            Field(name="peak", kind=Kind.NUMBER),
            Field(name="threshold", kind=Kind.NUMBER),
            Field(name="outcome"),
            Field(name="reason"),
            Field(name="acknowledged", kind=Kind.DATE),
            Field(name="acknowledged_by", kind=Kind.RELATION, target="users"),
            CREATED,
            Field(name="resolved", kind=Kind.DATE),
        ),
        source=TableSource(table=HistoryRow, scope=queries.visible_history, delete=_delete),
    )


def _delete(actor: Actor, alert_id: str) -> None:
    """What happened to everybody is not for one to strike out."""
    row = queries.find_alert(actor, alert_id)
    if row is None or (row.user_id != actor.user_id and not actor.is_admin):
        raise NotFound
    queries.delete_history(alert_id)
