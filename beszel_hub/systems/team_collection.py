"""Teams as records: administrators say who belongs to one, and which tags its systems have."""

from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource, Through
from beszel_hub.store.ids import new_id
from beszel_hub.systems import queries
from beszel_hub.systems.service import Systems
from beszel_hub.systems.tables import Team, TeamMember

MAX_TAGS: Final = 32
MAX_MEMBERS: Final = 1000


def make_teams_collection(clock: Clock, systems: Systems) -> Collection:
    """Users see the teams they are in; the members of those only as far as they see users."""

    async def on_change(_: Change) -> None:
        await systems.refresh()

    source = TeamsSource(clock)
    return Collection(
        name="teams", id="teams", on_change=on_change,
        fields=(
            ID,
            Field(name="name", in_create=True, in_update=True, is_required=True, max_length=100),
            Field(name="tags", kind=Kind.LIST, in_create=True, in_update=True, max_length=MAX_TAGS),
            Field(
                name="users", kind=Kind.RELATIONS, target="users", max_length=MAX_MEMBERS, in_create=True,
                in_update=True, through=Through(TeamMember, "team_id", "user_id"),
            ),
            CREATED,
            UPDATED,
        ),
        source=TableSource(
            table=Team, scope=queries.visible_teams, create=source.create, update=source.update, delete=source.delete
        ),
    )  # fmt: skip


class TeamsSource:
    """Every method runs inside `Database.write`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, _: Actor, values: Row) -> str:
        now_ms = self._clock()
        team_id = values.get("id") or new_id()
        Team.insert(
            id=team_id, name=values["name"], tags=values.get("tags") or [], created=now_ms, updated=now_ms
        ).execute()
        _set_members(team_id, values.get("users") or [])
        queries.regrant()
        return str(team_id)

    def update(self, _: Actor, team_id: str, values: Row) -> None:
        columns: dict[str, Any] = {name: values[name] for name in ("name", "tags") if name in values}
        if not Team.update(**columns, updated=self._clock()).where(Team.id == team_id).execute():
            raise NotFound
        if "users" in values:
            _set_members(team_id, values["users"] or [])
        queries.regrant()

    def delete(self, _: Actor, team_id: str) -> None:
        Team.delete().where(Team.id == team_id).execute()


def _set_members(team_id: str, user_ids: list[str]) -> None:
    TeamMember.delete().where(TeamMember.team_id == team_id).execute()
    rows = [{"team_id": team_id, "user_id": user_id} for user_id in dict.fromkeys(user_ids)]
    if rows:
        TeamMember.insert_many(rows).execute()
