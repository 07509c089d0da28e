"""Systems, who sees them, what they are made of, and the tokens of their agents. Runs in a write."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from beszel_hub.store.ids import is_id
from beszel_hub.store.secrets import Secret
from beszel_hub.systems import queries
from beszel_hub.systems.collection import MAX_INFO_BYTES, MAX_MEMBERS
from beszel_hub.systems.tokens import find_token, issue_system_token, issue_universal_token, read_system_token
from beszel_hub.takeover.people import UserIds
from beszel_hub.takeover.report import Report
from beszel_hub.takeover.source import Row
from beszel_hub.takeover.values import flag_of, ids_of, instant_of, json_of, number_of, text_of
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import token_id
from beszel_protocol.hygiene import clean

SHORTEST_TOKEN: Final = 16
LONGEST_TOKEN: Final = 255
_OS_NAMES: Final = {0: "linux", 1: "darwin", 2: "windows", 3: "freebsd"}


def take_systems(rows: Iterable[Row], users: UserIds, report: Report, now_ms: int) -> list[str]:
    """Returns the ids of all systems that are here now and were there."""
    table = report.table("systems")
    here = {entry.id for entry in queries.load_entries()}
    ids: list[str] = []
    unseen = 0
    for row in rows:
        system_id, name = text_of(row, "id"), text_of(row, "name")
        if system_id in here:
            table.skip_present()
            ids.append(system_id)
        elif not is_id(system_id) or not name:
            table.leave_out("it has no id or no name")
        else:
            members = [users[user_id] for user_id in ids_of(row, "users") if user_id in users][:MAX_MEMBERS]
            _insert(row, system_id, name, members, now_ms)
            unseen += not members
            here.add(system_id)
            ids.append(system_id)
            table.take()
    if unseen:
        report.notes.append(f"Systems without a user who was taken over, which only administrators see: {unseen}.")
    return ids


def _insert(row: Row, system_id: str, name: str, members: list[str], now_ms: int) -> None:
    others: dict[str, Any] = {"port": text_of(row, "port", 32), "info": _info(row)}
    created_ms = instant_of(row, "created")
    if created_ms is not None:
        others["created"] = created_ms
    if text_of(row, "status") == "paused":
        others["status"] = "paused"
    queries.insert_system(
        name=name, now_ms=now_ms, members=members, host=text_of(row, "host"), system_id=system_id, others=others
    )


def _info(row: Row) -> dict[str, Any]:
    info = json_of(row, "info")
    return info if isinstance(info, dict) and len(msgspec.json.encode(info)) <= MAX_INFO_BYTES else {}


def take_details(rows: Iterable[Row], system_ids: list[str], report: Report, now_ms: int) -> None:
    """What an agent has told here since counts more."""
    table = report.table("system_details")
    known, here = set(system_ids), {entry.id for entry in queries.load_entries() if entry.cores is not None}
    for row in rows:
        system_id = text_of(row, "system") or text_of(row, "id")
        if system_id not in known:
            table.leave_out("its system was not taken over")
        elif system_id in here:
            table.skip_present()
        else:
            queries.save_details(system_id, _details(row), "", now_ms)
            table.take()


def _details(row: Row) -> HostDetails:
    return clean(
        HostDetails(
            hostname=text_of(row, "hostname"),
            os=_OS_NAMES.get(int(number_of(row, "os") or 0)),
            os_name=text_of(row, "os_name"),
            kernel=text_of(row, "kernel"),
            architecture=text_of(row, "arch"),
            cpu_model=text_of(row, "cpu"),
            cores=_count(row, "cores"),
            threads=_count(row, "threads"),
            memory_total_bytes=_count(row, "memory"),
            podman=flag_of(row, "podman"),
        )
    )


def _count(row: Row, name: str) -> int | None:
    value = number_of(row, name)
    return int(value) if value is not None and 0 < value < 2**63 else None


def take_tokens(rows: Iterable[Row], system_ids: list[str], secret: Secret, report: Report, now_ms: int) -> None:
    """The tokens of systems; one who has one here keeps that."""
    table = report.table("fingerprints")
    known = set(system_ids)
    for row in rows:
        system_id, token = text_of(row, "system"), text_of(row, "token", LONGEST_TOKEN + 1)
        reason = _unfit(token)
        if system_id not in known:
            table.leave_out("its system was not taken over")
        elif read_system_token(secret, system_id) is not None:
            table.skip_present()
        elif reason is not None:
            table.leave_out(reason)
        elif find_token(secret, token_id(token), now_ms) is not None:
            table.leave_out("another system has this token")
        else:
            issue_system_token(secret, system_id, now_ms, token)
            table.take()
    if table.taken:
        report.notes.append(
            "Fingerprints are not taken over: agents of this suite prove themselves by a key of their own, and the"
            " first one that enrols with a system's token is bound to it. Put our agents in place of Beszel's."
        )


def take_universal_tokens(rows: Iterable[Row], users: UserIds, secret: Secret, report: Report, now_ms: int) -> None:
    table = report.table("universal_tokens")
    for row in rows:
        owner_id, token = users.get(text_of(row, "user")), text_of(row, "token", LONGEST_TOKEN + 1)
        reason = _unfit(token)
        if owner_id is None:
            table.leave_out("its user was not taken over")
        elif reason is not None:
            table.leave_out(reason)
        elif find_token(secret, token_id(token), now_ms) is not None:
            table.skip_present()
        else:
            issue_universal_token(secret, owner_id, now_ms, token=token)
            table.take()


def _unfit(token: str) -> str | None:
    if not token:
        return "it has no token"
    if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN:
        return f"a token must have {SHORTEST_TOKEN} to {LONGEST_TOKEN} characters here"
    return None
