"""Hosts that mean harm: what they name is markup, escape sequences, and letters that hide, stack or run backwards."""

import asyncio
import contextlib
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from beszel_protocol.containers import LogBatch
from beszel_protocol.messages import Containers, Request, Response
from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import (
    ContainerMetrics,
    CpuMetrics,
    MemoryMetrics,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from beszel_protocol.storage import DiskMetrics
from tests.support.bareagent import Connection, LinkAgent
from tests.support.beside import going_on_beside
from tests.support.containers import make_facts, make_log_line

ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[6n\x1b[?1049l\x1bP0;0|owned\x1b\\\x9b5n"
NAMES: Final = {
    "markup": "[red]x[/red][@click=app.quit]y[/]\\[b]",
    "escapes": f"a{ESCAPES}z",
    "bidi": "a\u202eevil\u2066\u200f\u061cz",
    "invisible": "zero\u200b\u200b\ufeff\u00ad\u2060width",
    "stacked": "z" + "\u0301\u0336\u0317\u20dd" * 30 + "algo",
    "long": "long-" + "x" * 10_000,
    "wide": "漢字" * 100,
    "emoji": "👩\u200d🚀🏳\ufe0f\u200d🌈\U0001f1e9\U0001f1ea👍\U0001f3fd1\ufe0f\u20e3",
    "lines": "two\nlines\r\tand\x0bmore\x85",
    "plain": "plain",
}
FORBIDDEN: Final = (
    "\x1b]0;owned", "\x1b[6n", "\x1b[?1049l\x1bP", "\x1bP0;0", "\x9b", "\x85", "\u202e", "\u2066", "\u200f", "\u061c",
    "\u200b", "\ufeff", "\u2060", "\u200d", "\ufe0f", "\U0001f1e9", "\U0001f3fd", "\x0b",
)  # fmt: skip
"""What no terminal is ever given, in whatever place."""
_MAX_SYSTEM_NAME: Final = 255
"""The hub does not let in who has a longer one."""


@contextmanager
def hostile_hosts(hub_url: str, universal_token: str) -> Iterator[None]:
    """A system of each name; each has containers, services, processes and disks of all of them."""
    address = urllib.parse.urljoin(hub_url.replace("http", "ws", 1), "/api/beszel/agent-connect")
    agents = [LinkAgent(address, universal_token, name=name[:_MAX_SYSTEM_NAME]) for name in NAMES.values()]
    with going_on_beside(_run(agents), "hostile hosts"):
        yield


async def _run(agents: list[LinkAgent]) -> None:
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for agent in agents:  # one after the other: the hub takes few strangers from one address at once
            connection = await stack.enter_async_context(agent.enrolled())
            tasks.create_task(_tell(connection))
            tasks.create_task(_answer(connection))


async def _tell(connection: Connection) -> None:
    facts = [
        make_facts(f"{number:012x}", name, image=name, status=name, project=name, ports=[name])
        for number, name in enumerate(NAMES.values())
    ]
    await connection.send(Containers(containers=facts))
    sequence = 0
    while True:
        sequence += 1
        sample = connection.agent.sample(sequence)
        await connection.send(msgspec.structs.replace(sample, metrics=_metrics(20.0 + sequence % 60)))
        await asyncio.sleep(1)


async def _answer(connection: Connection) -> None:
    while True:
        message = await connection.receive_forever()
        if isinstance(message, Request):
            told = _ANSWERS.get(message.action)
            if told is not None:
                await connection.send(Response(id=message.id, result=msgspec.to_builtins(told)))


def _metrics(percent: float) -> Metrics:
    return Metrics(
        cpu=CpuMetrics(usage_percent=percent, load_average=[0.8, 0.6, 0.4]),
        memory=MemoryMetrics(total_bytes=8 << 30, used_bytes=2 << 30, usage_percent=percent),
        disk={
            name: DiskMetrics(total_bytes=100 << 30, used_bytes=30 << 30, usage_percent=percent)
            for name in ("/", *NAMES.values())
        },
        temperatures=dict.fromkeys(NAMES.values(), percent),
        services=ServiceMetrics(
            total=len(NAMES),
            failed=1,
            units={
                name: ServiceUnitMetrics(state="active", sub_state="running", cpu_percent=percent, memory_bytes=1 << 20)
                for name in NAMES.values()
            },
        ),
        containers=[
            ContainerMetrics(id=f"{number:012x}", name=name, cpu_percent=percent, memory_bytes=1 << 20)
            for number, name in enumerate(NAMES.values())
        ],
        uptime_seconds=86400.0,
    )


_ANSWERS: Final[dict[str, msgspec.Struct]] = {
    "processes": ProcessList(
        counts=ProcessCounts(total=len(NAMES), threads=len(NAMES)),
        processes=[
            ProcessMetrics(pid=number + 1, name=name, user=name, cpu_percent=33.3, memory_bytes=1 << 20)
            for number, name in enumerate(NAMES.values())
        ],
    ),
    "container_logs": LogBatch(
        lines=[
            make_log_line(name[:400], timestamp=f"2026-11-22T10:00:{number:02d}.000Z")
            for number, name in enumerate(NAMES.values())
        ]
    ),
}
