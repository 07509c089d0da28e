"""Reading and writing systems. Every function runs inside `Database.read` or `Database.write`."""

import functools
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import peewee

from beszel_hub.permissions import Actor
from beszel_hub.store.ids import new_id
from beszel_hub.systems.directory import Entry
from beszel_hub.systems.tables import (
    AgentBinding,
    AgentToken,
    DetailsRow,
    Fingerprint,
    Membership,
    SystemRow,
    Team,
    TeamMember,
    TeamSystem,
)
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import SystemStatus
from beszel_protocol.messages import MIN_INTERVAL_SECONDS

NOTHING_ELSE: Final[Mapping[str, Any]] = {}
_OS_NUMBERS: Final = {"linux": 0, "darwin": 1, "windows": 2, "freebsd": 3}


def visible_to(actor: Actor, system_column: Any) -> Any:
    """The condition that `system_column` names a system which the actor sees; None for no condition."""
    conditions: list[Any] = []
    if not actor.is_authenticated:
        return peewee.SQL("1 = 0")
    if not actor.is_admin and not actor.sees_all:
        mine = Membership.select(Membership.system_id).where(Membership.user_id == actor.user_id)
        conditions.append(system_column.in_(mine) | system_column.in_(_of_teams(actor.user_id)))
    if actor.system_ids is not None:
        conditions.append(system_column.in_(sorted(actor.system_ids)))
    return functools.reduce(operator.and_, conditions) if conditions else None


def is_visible(actor: Actor, system_id: str) -> bool:
    """Whether there is such a system and the actor sees it."""
    condition = visible_to(actor, SystemRow.id)
    query = SystemRow.select().where(SystemRow.id == system_id)
    return bool((query if condition is None else query.where(condition)).exists())


def _of_teams(user_id: str | None) -> Any:
    """The systems that a user sees by their teams."""
    joined = TeamSystem.select(TeamSystem.system_id).join(TeamMember, on=(TeamMember.team_id == TeamSystem.team_id))
    return joined.where(TeamMember.user_id == user_id)


def visible_teams(actor: Actor) -> Any:
    """The condition for teams that the actor may see: their own; administrators see all."""
    if actor.sees_everybody:
        return None
    return Team.id.in_(TeamMember.select(TeamMember.team_id).where(TeamMember.user_id == actor.user_id))


def load_entries() -> list[Entry]:
    """Every system, for the hub's own directory; actors are sorted out there."""
    members: defaultdict[str, set[str]] = defaultdict(set)
    for system_id, user_id in Membership.select(Membership.system_id, Membership.user_id).tuples().iterator():
        members[system_id].add(user_id)
    by_team = TeamSystem.select(TeamSystem.system_id, TeamMember.user_id).join(
        TeamMember, on=(TeamMember.team_id == TeamSystem.team_id)
    )
    for system_id, user_id in by_team.tuples().iterator():
        members[system_id].add(user_id)
    enrolments = Fingerprint.select(Fingerprint.id, Fingerprint.token_id, Fingerprint.fingerprint)
    enrolled = {row.id: row for row in enrolments}
    details = {row.id: row for row in DetailsRow.select()}
    columns = (
        SystemRow.id, SystemRow.name, SystemRow.host, SystemRow.status, SystemRow.status_since,
        SystemRow.interval_seconds, SystemRow.tags,
    )  # fmt: skip
    return [
        Entry(
            id=row.id,
            name=row.name,
            host=row.host,
            status=cast("SystemStatus", row.status),
            status_since_ms=row.status_since,
            interval_seconds=row.interval_seconds,
            tags=tuple(row.tags),
            members=frozenset(members[row.id]),
            token_id=(enrolled[row.id].token_id or "") if row.id in enrolled else "",
            fingerprint=enrolled[row.id].fingerprint if row.id in enrolled else "",
            cores=(details[row.id].cores or None) if row.id in details else None,
            threads=(details[row.id].threads or None) if row.id in details else None,
            agent_version=details[row.id].agent_version if row.id in details else "",
        )
        for row in SystemRow.select(*columns)
    ]


def read_retentions() -> dict[str, dict[str, int | None]]:
    """How long which tier is kept, of the systems that say so themselves."""
    rows = SystemRow.select(SystemRow.id, SystemRow.retention).where(SystemRow.retention != {})
    return {row.id: row.retention for row in rows}


def insert_system(
    *, name: str, now_ms: int, members: Iterable[str], host: str = "", system_id: str | None = None,
    others: Mapping[str, Any] = NOTHING_ELSE,
) -> str:  # fmt: skip
    """Create a system and return its id; `others` are further columns of it."""
    system_id = system_id or new_id()
    columns: dict[str, Any] = {
        "id": system_id, "name": name, "host": host, "port": "", "status": "pending", "status_since": now_ms,
        "info": {}, "tags": [], "interval_seconds": MIN_INTERVAL_SECONDS, "created": now_ms, "updated": now_ms,
    }  # fmt: skip
    SystemRow.insert(columns | dict(others)).execute()
    set_members(system_id, members)
    regrant()
    return system_id


def set_members(system_id: str, user_ids: Iterable[str]) -> None:
    Membership.delete().where(Membership.system_id == system_id).execute()
    rows = [{"system_id": system_id, "user_id": user_id} for user_id in dict.fromkeys(user_ids)]
    if rows:
        Membership.insert_many(rows).execute()


def regrant() -> None:
    """Work out anew which systems the tags of teams come to; after every change of a team or a system's tags."""
    teams = list(Team.select())
    systems = list(SystemRow.select(SystemRow.id, SystemRow.tags)) if teams else []
    wanted = {
        (team.id, system.id) for team in teams for system in systems if not set(team.tags).isdisjoint(system.tags)
    }
    present = {(row.team_id, row.system_id) for row in TeamSystem.select()}
    for team_id, system_id in present - wanted:
        TeamSystem.delete().where((TeamSystem.team_id == team_id) & (TeamSystem.system_id == system_id)).execute()
    rows = [{"team_id": team_id, "system_id": system_id} for team_id, system_id in sorted(wanted - present)]
    if rows:
        TeamSystem.insert_many(rows).execute()


def set_status(system_id: str, status: SystemStatus, now_ms: int) -> bool:
    """Note a new status unless somebody paused the system meanwhile; whether it was noted."""
    changed = (
        SystemRow.update(status=status, status_since=now_ms, updated=now_ms)
        .where((SystemRow.id == system_id) & (SystemRow.status.not_in((status, "paused"))))
        .execute()
    )
    return bool(changed)


def update_system(system_id: str, columns: Mapping[str, Any], now_ms: int) -> None:
    SystemRow.update({"updated": now_ms, **columns}).where(SystemRow.id == system_id).execute()


def set_paused(system_id: str, now_ms: int, *, is_paused: bool) -> None:
    """Pause a system, or let a paused one wait for its next sample; a system that is not paused stays what it is."""
    status, condition = (
        ("paused", SystemRow.status != "paused") if is_paused else ("pending", SystemRow.status == "paused")
    )
    SystemRow.update(status=status, status_since=now_ms).where((SystemRow.id == system_id) & condition).execute()


def save_info(infos: Iterable[tuple[str, dict[str, Any]]], now_ms: int) -> None:
    for system_id, info in infos:
        SystemRow.update(info=info, updated=now_ms).where(SystemRow.id == system_id).execute()


def has_details(system_id: str, details: HostDetails, agent_version: str) -> bool:
    """Whether exactly this is noted already."""
    row = DetailsRow.get_or_none(DetailsRow.id == system_id)
    facts = _facts(details, agent_version)
    return row is not None and all(getattr(row, name) == value for name, value in facts.items())


def save_details(system_id: str, details: HostDetails, agent_version: str, now_ms: int) -> bool:
    """Note what an agent says about its host, and tell whether that is the first time; `created` stays that of it."""
    is_first = not DetailsRow.select(DetailsRow.id).where(DetailsRow.id == system_id).exists()
    facts = {**_facts(details, agent_version), "updated": now_ms}
    (
        DetailsRow.insert(id=system_id, created=now_ms, **facts)
        .on_conflict(conflict_target=[DetailsRow.id], update=facts)
        .execute()
    )
    return is_first


def _facts(details: HostDetails, agent_version: str) -> dict[str, Any]:
    return {
        "hostname": details.hostname,
        "os": _OS_NUMBERS.get(details.os or "", 0),
        "os_name": details.os_name or "",
        "kernel": details.kernel or "",
        "cpu": details.cpu_model or "",
        "arch": details.architecture or "",
        "cores": details.cores or 0,
        "threads": details.threads or 0,
        "memory": details.memory_total_bytes or 0,
        "podman": bool(details.podman),
        "agent_version": agent_version,
    }


def delete_system(system_id: str) -> None:
    """Delete the record with members, details, token and binding; its history is the business of `metrics`."""
    SystemRow.delete().where(SystemRow.id == system_id).execute()


def open_universal_tokens(owner_id: str, now_ms: int) -> list[AgentToken]:
    """The tokens by which a user's new agents enrol now; permanent ones first, then the newest."""
    rows = AgentToken.select().where(_is_open(owner_id, now_ms)).order_by(AgentToken.created.desc(), AgentToken.id)
    return sorted(rows, key=lambda row: row.expires is not None)


def count_open_tokens(owner_id: str, now_ms: int) -> int:
    return int(AgentToken.select().where(_is_open(owner_id, now_ms)).count())


def close_universal_tokens(owner_id: str, now_ms: int) -> None:
    AgentToken.update(expires=now_ms).where(_is_open(owner_id, now_ms)).execute()


def reopen_universal_token(owner_id: str, token_id: str, expires_ms: int | None) -> bool:
    """Whether the user had that token before."""
    mine = (AgentToken.owner_id == owner_id) & (AgentToken.token_id == token_id)
    return bool(AgentToken.update(expires=expires_ms).where(mine).execute())


def purge_tokens(now_ms: int) -> None:
    """Remove ended universal tokens of users none of whose systems came by one."""
    owners = AgentBinding.select(AgentBinding.owner_id).where(AgentBinding.owner_id.is_null(False))
    AgentToken.delete().where((AgentToken.expires <= now_ms) & AgentToken.owner_id.not_in(owners)).execute()


def visible_universal_tokens(actor: Actor, now_ms: int) -> Any:
    """The condition for open universal tokens that the actor may see: their own."""
    return peewee.SQL("1 = 0") if actor.system_ids is not None else _is_open(actor.user_id or "", now_ms)


def _is_open(owner_id: str, now_ms: int) -> Any:
    return (AgentToken.owner_id == owner_id) & (AgentToken.expires.is_null() | (AgentToken.expires > now_ms))


def read_names() -> dict[str, str]:
    """Of every system, by id."""
    return {row.id: row.name for row in SystemRow.select(SystemRow.id, SystemRow.name)}
