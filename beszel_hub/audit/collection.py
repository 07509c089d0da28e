"""How the audit log appears in the records API: to look at, for administrators."""

from typing import Final

from beszel_hub.audit import queries
from beszel_hub.audit.tables import AuditEntry
from beszel_hub.records.registry import CREATED, ID, Collection, Field, Kind, TableSource

_FIELDS: Final = (
    ID,
    # No relation: the user may be gone.
    Field(name="user", attribute="user_id"),
    Field(name="userName", attribute="user_name"),
    Field(name="session", attribute="session_id"),
    Field(name="token", attribute="token_id"),
    Field(name="address"),
    Field(name="action"),
    Field(name="collection"),
    Field(name="record", attribute="record_id"),
    Field(name="changes", kind=Kind.JSON),
    CREATED,
)


def audit_collection() -> Collection:
    return Collection(
        name="audit_log", id="audit_log", fields=_FIELDS,
        source=TableSource(table=AuditEntry, scope=queries.visible_entries),
    )  # fmt: skip
