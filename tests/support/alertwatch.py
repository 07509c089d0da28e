"""A hub whose alerts are noted as they happen."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import httpx2

from beszel_hub.alerts.telling import Told
from beszel_hub.alerts.transition import Transition
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub


class Watch:
    """A hub whose transitions are noted: steps once they are committed, so that others can read of them."""

    def __init__(self, running: RunningHub) -> None:
        self.running = running
        self.told: list[Transition] = []
        self.has_heard = threading.Event()
        running.hub.alerts.on_transition = self.hear_summary
        running.hub.alerts.on_told.append(self.hear_steps)

    def hear_summary(self, transition: Transition) -> None:
        if transition.kind == "summary":
            self.hear(transition)

    def hear_steps(self, steps: Sequence[Told]) -> None:
        for step in steps:
            self.hear(step.transition)

    def hear(self, transition: Transition) -> None:
        self.told.append(transition)
        self.has_heard.set()

    def client(self, user_id: str) -> httpx2.Client:
        token = self.running.create_token(user_id, "write")
        self.running.refresh()
        return httpx2.Client(base_url=self.running.url, headers={"Authorization": token}, timeout=10)

    async def until(self, probe: Callable[[], bool]) -> None:
        while not probe():
            self.has_heard.clear()
            assert probe() or await asyncio.to_thread(self.has_heard.wait, 10), self.told
        # What was heard within a transaction is committed once a later one is.
        await asyncio.to_thread(lambda: self.running.call(self.running.hub.database.write(lambda: None)))

    def send(self, agent_token: str, *percents: float, until: Callable[[], bool]) -> None:
        async def run() -> None:
            async with LinkAgent(self.running.link_url, agent_token, fingerprint="f" * 48).enrolled() as agent:
                for sequence, percent in enumerate(percents, 1):
                    await agent.send(agent.agent.sample(sequence, cpu_percent=percent))
                await self.until(until)

        asyncio.run(run())
