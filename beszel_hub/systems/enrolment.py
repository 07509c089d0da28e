"""Binding a proved agent to its system, in one transaction.

A system with a token of its own belongs to the first agent that enrols with it. A universal token makes one system of
its owner for each new fingerprint. Afterwards fingerprint and agent key must both be those of the first time.
"""

import hmac
from typing import Final

import msgspec

from beszel_hub.systems import queries
from beszel_hub.systems.tables import AgentBinding, AgentToken, SystemRow
from beszel_hub.systems.tokens import KnownToken
from beszel_protocol.handshake import AgentRefused, Enrolment, check_binding
from beszel_protocol.messages import EnrolBody

MAX_SYSTEMS_BY_UNIVERSAL_TOKENS: Final = 10_000
"""Of one owner; a leaked token must not fill the disk with systems."""

UNKNOWN_TOKEN: Final = "this hub knows no such token"  # noqa: S105  # a sentence


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    system_id: str
    is_new_system: bool = False
    is_first_enrolment: bool = False


def bind_agent(enrolment: Enrolment, known: KnownToken, *, address: str, agent_version: str, now_ms: int) -> Enrolled:
    """Find, bind or create the agent's system; runs inside `Database.write`.

    Raises `AgentRefused` if the token is gone by now, or the system is bound to another fingerprint or key.
    """
    if known.row_id is not None and AgentToken.get_or_none(AgentToken.id == known.row_id) is None:
        raise AgentRefused("unknown_token", UNKNOWN_TOKEN)
    if known.system_id is not None:
        enrolled = _bind_to_system(enrolment, known.system_id, now_ms)
    else:
        enrolled = _bind_to_owner(enrolment, known.owner_id or "", address, now_ms)
    queries.save_details(enrolled.system_id, enrolment.body.details, agent_version, now_ms)
    if enrolled.is_first_enrolment:
        SystemRow.update(host=address).where((SystemRow.id == enrolled.system_id) & (SystemRow.host == "")).execute()
    return enrolled


def _bind_to_system(enrolment: Enrolment, system_id: str, now_ms: int) -> Enrolled:
    binding = AgentBinding.get_or_none(AgentBinding.system_id == system_id)
    if binding is not None:
        _check(enrolment, binding)
        return Enrolled(system_id=system_id)
    _insert_binding(enrolment.body, system_id, None, now_ms)
    return Enrolled(system_id=system_id, is_first_enrolment=True)


def _bind_to_owner(enrolment: Enrolment, owner_id: str, address: str, now_ms: int) -> Enrolled:
    body = enrolment.body
    binding = AgentBinding.get_or_none(
        (AgentBinding.owner_id == owner_id) & (AgentBinding.fingerprint == body.fingerprint)
    )
    if binding is not None:
        _check(enrolment, binding)
        return Enrolled(system_id=binding.system_id)
    if AgentBinding.select().where(AgentBinding.owner_id == owner_id).count() >= MAX_SYSTEMS_BY_UNIVERSAL_TOKENS:
        raise AgentRefused("unknown_token", "this token has made as many systems as it may")
    name = body.name or body.details.hostname or address
    system_id = queries.insert_system(name=name, host=address, members=[owner_id], now_ms=now_ms)
    _insert_binding(body, system_id, owner_id, now_ms)
    return Enrolled(system_id=system_id, is_new_system=True, is_first_enrolment=True)


def _check(enrolment: Enrolment, binding: AgentBinding) -> None:
    check_binding(enrolment, fingerprint=binding.fingerprint, agent_key=binding.agent_key, compare=hmac.compare_digest)


def _insert_binding(body: EnrolBody, system_id: str, owner_id: str | None, now_ms: int) -> None:
    AgentBinding.insert(
        system_id=system_id,
        fingerprint=body.fingerprint,
        agent_key=body.agent_key,
        owner_id=owner_id,
        enrolled=now_ms,
    ).execute()
