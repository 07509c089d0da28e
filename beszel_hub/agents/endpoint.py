"""From a fresh connection to a served link: places for strangers, the proof, the refusals, and the cleaning up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from beszel_hub.agents.connections import Connections
from beszel_hub.agents.keys import HubKey
from beszel_hub.agents.link import ACK_PAUSE_SECONDS, Link
from beszel_hub.agents.reception import Proved, prove_each_other, refusal_frame
from beszel_hub.agents.refusals import RefusalLog
from beszel_hub.agents.wire import Wire, WireClosed
from beszel_hub.clock import Clock
from beszel_hub.gate import Gate, GateFull
from beszel_hub.metrics.ingest import Ingest
from beszel_hub.metrics.intake import Intake
from beszel_hub.systems.enrolment import Enrolled
from beszel_hub.systems.service import Systems
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import AgentRefused
from beszel_protocol.messages import (
    CLOSE_FORBIDDEN,
    CLOSE_INVALID_PAYLOAD,
    HANDSHAKE_TIMEOUT_SECONDS,
    REFUSAL_CLOSE_CODES,
    Configuration,
    MalformedFrame,
)

log = logging.getLogger(__name__)

_MAX_REASON_BYTES: Final = 120


class Endpoint:
    """What every connection to the agents' endpoint goes through."""

    def __init__(
        self, hub_key: HubKey, systems: Systems, connections: Connections, ingest: Ingest, clock: Clock, *,
        configuration_of: Callable[[str], Awaitable[Configuration]],
        require_tls: bool = False, handshake_timeout_seconds: float = HANDSHAKE_TIMEOUT_SECONDS,
    ) -> None:  # fmt: skip
        """`configuration_of` a system is what its agent is told to do."""
        self.on_containers: list[Callable[[str, Sequence[ContainerFacts]], None]] = []
        """Told a system and all its containers whenever its agent tells them."""
        self.ack_pause_seconds: float = ACK_PAUSE_SECONDS
        """Of connections to come."""
        self._hub_key = hub_key
        self._systems = systems
        self._connections = connections
        self._ingest = ingest
        self._clock = clock
        self._configuration_of = configuration_of
        self._require_tls = require_tls
        self._handshake_timeout_seconds = handshake_timeout_seconds
        self._gate = Gate()
        self._refusals = RefusalLog()

    async def serve(self, wire: Wire, *, shown_token_id: str, agent_version: str) -> None:
        """Serve one connection until it ends."""
        try:
            proved, enrolled = await self._receive(wire, shown_token_id, agent_version)
            await self._run_link(wire, proved, enrolled, agent_version)
        except AgentRefused as refusal:
            self._refusals.note(wire.address, refusal, asyncio.get_running_loop().time())
            await _refuse(wire, refusal)
        except MalformedFrame:
            await wire.close(CLOSE_INVALID_PAYLOAD, "not a message of the link")
        except WireClosed:
            pass

    async def _receive(self, wire: Wire, shown_token_id: str, agent_version: str) -> tuple[Proved, Enrolled]:
        """Raise `AgentRefused`, `MalformedFrame` or `WireClosed` if the peer is not let in."""
        if self._require_tls and not wire.is_encrypted:
            raise AgentRefused("tls_required", "this hub takes agents over TLS only")
        try:
            with self._gate.admit(wire.address):
                async with asyncio.timeout(self._handshake_timeout_seconds):
                    proved = await prove_each_other(wire, self._hub_key, shown_token_id, self._systems.find_token)
                    version = proved.enrolment.body.details.agent_version or agent_version
                    enrolled = await self._systems.enrol(
                        proved.enrolment, proved.known, address=wire.address, agent_version=version
                    )
        except GateFull as error:
            raise AgentRefused(
                "too_many_connections", "too many connections are waiting to prove themselves"
            ) from error
        except TimeoutError as error:
            raise AgentRefused("timeout", "the handshake took too long") from error
        return proved, enrolled

    async def _run_link(self, wire: Wire, proved: Proved, enrolled: Enrolled, agent_version: str) -> None:
        body = proved.enrolment.body
        system_id = enrolled.system_id

        async def save_details(details: HostDetails) -> None:
            await self._systems.save_details(system_id, details, details.agent_version or agent_version)

        link = Link(
            wire,
            system_id=system_id,
            start_id=body.start_id or body.spool_id,
            interval_seconds=self._connections.interval_of(system_id),
            save_details=save_details,
            note_containers=partial(self._note_containers, system_id),
            ack_pause_seconds=self.ack_pause_seconds,
        )
        self._connections.adopt(link)
        try:
            # Only now, as from now on the link hears of changes.
            link.configure(await self._configuration_of(system_id))
            inbox = await self._ingest.open(
                system_id, body.spool_id, on_stored=link.note_stored, on_lost=link.note_lost
            )
            try:
                intake = Intake(
                    self._ingest,
                    inbox,
                    self._clock,
                    boot_id=body.boot_id,
                    boot_ms=body.boot_ms,
                    is_paused=lambda: self._is_paused(system_id),
                )
                log.info("agent of system %s connected from %s", system_id, wire.address)
                await link.run(intake, inbox.ledger.stored)
                log.info("agent of system %s disconnected%s", system_id, _remarks(link, intake))
            finally:
                await self._ingest.close(inbox)
        finally:
            self._connections.release(link)

    def _note_containers(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        for tell in self.on_containers:
            tell(system_id, facts)

    def _is_paused(self, system_id: str) -> bool:
        entry = self._systems.directory.get(system_id)
        return entry is None or entry.status == "paused"


def _remarks(link: Link, intake: Intake) -> str:
    """What was odd about a connection, for the log."""
    remarks = []
    if link.ignored_frames:
        remarks.append(f"{link.ignored_frames} of its frames meant nothing here")
    if intake.invalid_records:
        remarks.append(f"{intake.invalid_records} of its records could not be read")
    if intake.skew_ms is not None:
        remarks.append(f"its clock is off by {intake.skew_ms / 1000:.0f} s")
    return "".join(f"; {remark}" for remark in remarks)


async def _refuse(wire: Wire, refusal: AgentRefused) -> None:
    try:
        await wire.send(refusal_frame(refusal))
    except WireClosed:
        return
    reason = str(refusal).encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
    await wire.close(REFUSAL_CLOSE_CODES.get(refusal.code, CLOSE_FORBIDDEN), reason)
