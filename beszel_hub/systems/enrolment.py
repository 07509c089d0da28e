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
    is_first_enrolment: bool = False
    has_first_details: bool = False
    """Nothing was known of the host before."""


def recognise_agent(enrolment: Enrolment, known: KnownToken, *, agent_version: str) -> Enrolled | None:
    """The system of an agent that was here before and has nothing new to tell; runs inside `Database.read`.

    Raises `AgentRefused` if the system is bound to another fingerprint or key.
    """
    binding = _find_binding(enrolment.body, known)
    if binding is None:
        return None
    _check(enrolment, binding)
    if not queries.has_details(binding.system_id, enrolment.body.details, agent_version):
        return None
    return Enrolled(system_id=binding.system_id)


def bind_agent(enrolment: Enrolment, known: KnownToken, *, address: str, agent_version: str, now_ms: int) -> Enrolled:
    """Find, bind or create the agent's system; runs inside `Database.write`.

    Raises `AgentRefused` if the token is gone by now, or the system is bound to another fingerprint or key.
    """
    if known.row_id is not None and AgentToken.get_or_none(AgentToken.id == known.row_id) is None:
        raise AgentRefused("unknown_token", UNKNOWN_TOKEN)
    binding = _find_binding(enrolment.body, known)
    if binding is not None:
        _check(enrolment, binding)
        enrolled = Enrolled(system_id=binding.system_id)
    elif not known.may_enrol:
        raise AgentRefused("unknown_token", UNKNOWN_TOKEN)
    else:
        enrolled = _bind(enrolment.body, known, address, now_ms)
        SystemRow.update(host=address).where((SystemRow.id == enrolled.system_id) & (SystemRow.host == "")).execute()
    is_first = queries.save_details(enrolled.system_id, enrolment.body.details, agent_version, now_ms)
    return msgspec.structs.replace(enrolled, has_first_details=is_first)


def _find_binding(body: EnrolBody, known: KnownToken) -> AgentBinding | None:
    """By system if the token is one's own, else by fingerprint among the systems of the token's owner."""
    if known.system_id is not None:
        return AgentBinding.get_or_none(AgentBinding.system_id == known.system_id)
    return AgentBinding.get_or_none(
        (AgentBinding.owner_id == known.owner_id) & (AgentBinding.fingerprint == body.fingerprint)
    )


def _bind(body: EnrolBody, known: KnownToken, address: str, now_ms: int) -> Enrolled:
    system_id = known.system_id or _make_system(body, known.owner_id or "", address, now_ms)
    AgentBinding.insert(
        system_id=system_id,
        fingerprint=body.fingerprint,
        agent_key=body.agent_key,
        owner_id=known.owner_id,
        enrolled=now_ms,
    ).execute()
    return Enrolled(system_id=system_id, is_first_enrolment=True)


def _make_system(body: EnrolBody, owner_id: str, address: str, now_ms: int) -> str:
    if AgentBinding.select().where(AgentBinding.owner_id == owner_id).count() >= MAX_SYSTEMS_BY_UNIVERSAL_TOKENS:
        raise AgentRefused("unknown_token", "this token has made as many systems as it may")
    name = body.name or body.details.hostname or address
    return queries.insert_system(name=name, host=address, members=[owner_id], now_ms=now_ms)


def _check(enrolment: Enrolment, binding: AgentBinding) -> None:
    check_binding(enrolment, fingerprint=binding.fingerprint, agent_key=binding.agent_key, compare=hmac.compare_digest)
