"""The agent's side of the link in this process, for tests that need no sampler: they append records themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from beszel_agent.backoff import Backoff
from beszel_agent.config import Config
from beszel_agent.endpoint import make_endpoint
from beszel_agent.handlers import Action
from beszel_agent.identity import Identity
from beszel_agent.link import Credentials, Link
from beszel_agent.linkstate import LinkState
from beszel_agent.paths import HostPaths
from beszel_agent.proofs import Answer, Question, answer
from beszel_agent.session import Duties
from beszel_agent.settings import parse_hub_url
from beszel_agent.spool.interface import Spool
from beszel_agent.spool.memory import MemorySpool
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.messages import Configuration, Sample, encode
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp
from tests.support.linkhub import TOKEN, LinkHub

FINGERPRINT = "f" * 48
SPOOL_ID = "c3Bvb2wtb2YtMTYtYi4"


@dataclass
class LinkedAgent:
    """Made by `linked`."""

    spool: Spool
    details: HostDetails
    intervals: list[float] = field(default_factory=list)
    configurations: list[Configuration] = field(default_factory=list)
    states: list[LinkState] = field(default_factory=list)
    containers: list[ContainerFacts] | None = None
    link: Link | None = None
    interval_seconds: float = 1.0

    def ask_interval(self, seconds: float) -> None:
        self.interval_seconds = seconds
        self.intervals.append(seconds)

    def append(self, metrics: Metrics | None = None) -> int:
        """One more sample; its sequence."""
        record = self.spool.append(
            lambda sequence: encode(
                Sample(
                    sequence=sequence,
                    timestamp=format_timestamp(1000 * sequence),
                    boot_ms=1000 * sequence,
                    metrics=metrics or Metrics(uptime_seconds=float(sequence)),
                )
            ),
            instant_ms=1000,
            boot_ms=1000,
        )
        if self.link is not None:
            self.link.wake()
        return record.sequence

    @property
    def problem(self) -> str | None:
        return self.states[-1].problem if self.states else None

    async def until(self, what: str, probe: Callable[[], bool], timeout_seconds: float = 20) -> None:
        async with asyncio.timeout(timeout_seconds):
            while not probe():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    async def until_problem(self, part: str) -> str:
        """Wait until the link tells of a problem whose words contain `part`; all its words."""
        await self.until(part, lambda: self.problem is not None and part in self.problem)
        assert self.problem is not None
        return self.problem

    async def until_confirmed(self) -> None:
        """Wait until the hub has stored everything."""
        await self.until("confirmed", lambda: len(self.spool) == 0)


async def answer_here(question: Question) -> Answer:
    """Without a process of its own; tests of the proofs and of the whole agent have it."""
    return answer(question)


@asynccontextmanager
async def linked(
    hub: LinkHub,
    *,
    config: Config | None = None,
    token: str = TOKEN,
    trusted_keys: tuple[bytes, ...] | None = None,
    seed: bytes = b"s" * 32,
    fingerprint: str = FINGERPRINT,
    name: str = "web-1",
    actions: Mapping[str, Action] | None = None,
    spool: Spool | None = None,
    records: int = 0,
    metrics: Metrics | None = None,
) -> AsyncIterator[LinkedAgent]:
    """An agent that dials `hub` until the block ends; `records` wait in its spool from before."""
    agent = LinkedAgent(spool if spool is not None else MemorySpool(SPOOL_ID), HostDetails(hostname="web-1"))
    for _ in range(records):
        agent.append(metrics)
    config = msgspec.structs.replace(config or Config(), hub_url=parse_hub_url(hub.url))
    assert config.hub_url is not None
    agent.link = Link(
        make_endpoint(config.hub_url, token, config),
        Credentials(token, trusted_keys or (hub.public_key,), Identity(fingerprint, seed), name),
        Duties(
            spool=agent.spool,
            details=lambda: agent.details,
            containers=lambda: agent.containers,
            interval_seconds=lambda: agent.interval_seconds,
            ask_interval=agent.ask_interval,
            configure=agent.configurations.append,
            actions=actions or {},
            actions_enabled=config.actions,
        ),
        HostPaths(),
        backoff=Backoff(lambda: 0.05),
        on_change=agent.states.append,
        answer=answer_here,
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(agent.link.run())
        try:
            yield agent
        finally:
            task.cancel()
