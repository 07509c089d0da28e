"""How systems and their details are exposed: Beszel's fields, and what creating, changing and deleting one means."""

from collections.abc import Awaitable, Callable
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource, Through
from beszel_hub.systems import queries
from beszel_hub.systems.retention import check_retention
from beszel_hub.systems.tables import DetailsRow, Membership, SystemRow
from beszel_protocol.messages import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS

SYSTEMS_ID: Final = "2hz5ncl8tizk5nx"
DETAILS_ID: Final = "pbc_3116237454"
"""Both as Beszel's clients know them."""
MAX_TAGS: Final = 32
MAX_MEMBERS: Final = 1000
MAX_INFO_BYTES: Final = 2_000_000


def make_systems_collection(
    clock: Clock, *, on_delete: Callable[[str], None], on_change: Callable[[Change], Awaitable[None]]
) -> Collection:
    """`on_delete` runs in the transaction that deletes a system, `on_change` after every commit."""
    source = SystemsSource(clock, on_delete)
    return Collection(
        name="systems",
        id=SYSTEMS_ID,
        fields=(
            ID,
            Field(name="name", in_create=True, in_update=True, is_required=True),
            Field(name="host", in_create=True, in_update=True),
            Field(name="port", in_create=True, in_update=True, max_length=32),
            Field(name="status", in_create=True, in_update=True, choices=("up", "down", "paused", "pending")),
            Field(name="info", kind=Kind.JSON, max_length=MAX_INFO_BYTES),
            Field(
                name="users", kind=Kind.RELATIONS, target="users", max_length=MAX_MEMBERS, in_create=True,
                in_update=True, through=Through(Membership, "system_id", "user_id"),
            ),
            Field(name="tags", kind=Kind.LIST, in_create=True, in_update=True, max_length=MAX_TAGS),
            Field(
                name="interval", kind=Kind.NUMBER, attribute="interval_seconds", in_create=True, in_update=True,
                low=MIN_INTERVAL_SECONDS, high=MAX_INTERVAL_SECONDS,
            ),
            Field(name="retention", kind=Kind.JSON, in_create=True, in_update=True),
            CREATED,
            UPDATED,
        ),
        source=TableSource(
            table=SystemRow,
            scope=lambda actor: queries.visible_to(actor, SystemRow.id),
            create=source.create,
            update=source.update,
            delete=source.delete,
        ),
        on_change=on_change,
    )  # fmt: skip


def make_details_collection() -> Collection:
    numbers = ("os", "cores", "threads", "memory")
    texts = ("hostname", "os_name", "kernel", "cpu", "arch", "agent_version")
    return Collection(
        name="system_details",
        id=DETAILS_ID,
        fields=(
            ID,
            Field(name="system", kind=Kind.RELATION, target="systems", attribute="id"),
            *(Field(name=name) for name in texts),
            *(Field(name=name, kind=Kind.NUMBER) for name in numbers),
            Field(name="podman", kind=Kind.BOOL),
            CREATED,
            UPDATED,
        ),
        source=TableSource(table=DetailsRow, scope=lambda actor: queries.visible_to(actor, DetailsRow.id)),
    )


class SystemsSource:
    """Writes what a request asked for; every method runs inside `Database.write`."""

    def __init__(self, clock: Clock, on_delete: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_delete = on_delete

    def create(self, actor: Actor, values: Row) -> str:
        """Whoever creates a system sees it, whomever else they name; a token of listed systems makes no other."""
        if actor.system_ids is not None:
            raise BadRequest
        members: list[str] = list(values.get("users") or [])
        if actor.user_id is not None and (not members or not actor.is_admin):
            members.append(actor.user_id)
        others = _columns_of(values)
        if values.get("status") == "paused":
            others["status"] = "paused"
        return queries.insert_system(
            name=values["name"], now_ms=self._clock(), members=members, host=values.get("host") or "",
            system_id=values.get("id"), others=others,
        )  # fmt: skip

    def update(self, _: Actor, system_id: str, values: Row) -> None:
        """`status` pauses a system or ends the pause; whether it is up or down is not for a request to say."""
        columns = _columns_of(values)
        columns |= {name: values[name] for name in ("name", "host") if name in values}
        queries.update_system(system_id, columns, self._clock())
        if "tags" in columns:
            queries.regrant()
        if values.get("status"):
            queries.set_paused(system_id, self._clock(), is_paused=values["status"] == "paused")
        if "users" in values:
            queries.set_members(system_id, values["users"] or [])

    def delete(self, _: Actor, system_id: str) -> None:
        queries.delete_system(system_id)
        self._on_delete(system_id)


def _columns_of(values: Row) -> Row:
    columns = {column: values[name] for name, column in _COLUMNS.items() if values.get(name) is not None}
    if values.get("retention") is not None:
        columns["retention"] = check_retention(values["retention"])
    return columns


_COLUMNS: Final = {"port": "port", "tags": "tags", "interval": "interval_seconds"}
