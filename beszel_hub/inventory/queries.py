"""Reading and writing inventories as wholes. Every function runs inside `Database.read` or `Database.write`.

Who may see which system is decided where records are listed: the rows here are the hub's own memory.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from beszel_hub.inventory.tables import ContainerRow
from beszel_hub.systems.tables import SystemRow
from beszel_protocol.containers import ContainerFacts

_INSERT_ROWS = 200


class StoredInventory(msgspec.Struct, frozen=True):
    """All containers of one system."""

    seen_ms: int
    facts: tuple[ContainerFacts, ...]


def load_inventories() -> dict[str, StoredInventory]:
    """By system. A row that this version cannot read is left out; the agent tells of it again."""
    facts: defaultdict[str, list[ContainerFacts]] = defaultdict(list)
    seen: dict[str, int] = {}
    for row in ContainerRow.select().order_by(ContainerRow.system_id, ContainerRow.id):
        try:
            facts[row.system_id].append(msgspec.convert(row.facts, ContainerFacts))
        except msgspec.ValidationError:
            continue
        seen[row.system_id] = max(seen.get(row.system_id, 0), row.seen)
    return {system_id: StoredInventory(seen[system_id], tuple(found)) for system_id, found in facts.items() if found}


def replace_inventories(inventories: Mapping[str, Sequence[ContainerFacts]], seen_ms: int) -> None:
    """Make these all that the systems have; those of systems that are gone are not kept."""
    known = {system_id for (system_id,) in SystemRow.select(SystemRow.id).tuples().iterator()}
    for system_id, facts in inventories.items():
        ContainerRow.delete().where(ContainerRow.system_id == system_id).execute()
        if system_id not in known:
            continue
        rows = [
            {"system_id": system_id, "id": item.id, "facts": msgspec.to_builtins(item), "seen": seen_ms}
            for item in facts
        ]
        for start in range(0, len(rows), _INSERT_ROWS):
            ContainerRow.insert_many(rows[start : start + _INSERT_ROWS]).execute()


def touch_inventories(system_ids: Iterable[str], seen_ms: int) -> None:
    """Their agents are still there."""
    ContainerRow.update(seen=seen_ms).where(ContainerRow.system_id.in_(sorted(system_ids))).execute()
