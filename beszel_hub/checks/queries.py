"""Reading and writing checks. Every function runs inside `Database.read` or `Database.write`.

Whatever writes a check raises its system's revision in the same transaction, so an agent that has been told a revision
has been told all of it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from beszel_hub.checks.tables import CheckRow, ConfigurationRow
from beszel_hub.permissions import Actor
from beszel_hub.store.ids import new_id
from beszel_hub.systems.queries import visible_to
from beszel_hub.systems.tables import SystemRow
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.messages import Configuration


def visible_checks(actor: Actor) -> Any:
    """The condition for checks of systems that the actor sees; None for no condition."""
    return visible_to(actor, CheckRow.system_id)


def is_visible_system(actor: Actor, system_id: str) -> bool:
    query = SystemRow.select(SystemRow.id).where(SystemRow.id == system_id)
    condition = visible_to(actor, SystemRow.id)
    return bool((query if condition is None else query.where(condition)).exists())


def find_check(check_id: str) -> CheckRow | None:
    return CheckRow.get_or_none(CheckRow.id == check_id)


def count_checks(system_id: str) -> int:
    return int(CheckRow.select().where(CheckRow.system_id == system_id).count())


def is_name_taken(system_id: str, name: str, *, but_by: str = "") -> bool:
    taken = (CheckRow.system_id == system_id) & (CheckRow.name == name) & (CheckRow.id != but_by)
    return bool(CheckRow.select(CheckRow.id).where(taken).exists())


def insert_check(
    system_id: str, definition: CheckDefinition, *, is_enabled: bool, now_ms: int, check_id: str | None = None
) -> str:
    """Returns the id."""
    check_id = check_id or new_id()
    CheckRow.insert(
        {
            "id": check_id, "system_id": system_id, "is_enabled": is_enabled, "created": now_ms, "updated": now_ms,
            **msgspec.structs.asdict(definition),
        }
    ).execute()  # fmt: skip
    _raise_revision(system_id)
    return check_id


def update_check(row: CheckRow, columns: Mapping[str, Any], now_ms: int) -> None:
    CheckRow.update({"updated": now_ms, **columns}).where(CheckRow.id == row.id).execute()
    _raise_revision(row.system_id)


def delete_check(check_id: str) -> None:
    row = find_check(check_id)
    if row is not None:
        CheckRow.delete().where(CheckRow.id == check_id).execute()
        _raise_revision(row.system_id)


def load_revisions() -> dict[str, int]:
    """Of every system that ever had a check."""
    return {row.system_id: row.revision for row in ConfigurationRow.select()}


def load_configuration(system_id: str) -> Configuration:
    """What the system's agent is to do now."""
    row = ConfigurationRow.get_or_none(ConfigurationRow.system_id == system_id)
    enabled = CheckRow.select().where((CheckRow.system_id == system_id) & CheckRow.is_enabled).order_by(CheckRow.id)
    return Configuration(
        revision=0 if row is None else row.revision, checks=[to_definition(check) for check in enabled]
    )


def to_definition(row: CheckRow) -> CheckDefinition:
    return CheckDefinition(**{name: getattr(row, name) for name in CheckDefinition.__struct_fields__})


def _raise_revision(system_id: str) -> None:
    (
        ConfigurationRow.insert(system_id=system_id, revision=1)
        .on_conflict(
            conflict_target=[ConfigurationRow.system_id],
            update={ConfigurationRow.revision: ConfigurationRow.revision + 1},
        )
        .execute()
    )
