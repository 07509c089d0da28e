"""A real hub on a loopback port, in a thread of the test process, so that a test can look inside."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import uvicorn.server

from beszel_hub.accounts import queries as account_queries
from beszel_hub.accounts.passwords import Cost, hash_password
from beszel_hub.accounts.queries import find_account
from beszel_hub.cli.server import HubServer, listen
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.hub import Hub
from beszel_hub.permissions import Role, Scope
from beszel_hub.systems import queries, tokens
from tests.support.databases import provide

T = TypeVar("T")

FAST_COST = Cost(memory_kib=64, iterations=1)
PASSWORD = "correct horse battery"
START_SECONDS = 10.0
COMMIT_SECONDS = 0.02
"""Tests wait for many commits."""
TICK_SECONDS = 0.05
PULSE_SECONDS = 0.1
FOREVER_MS = 4_000_000_000_000
CLOSING_SECONDS = 0.005
"""Between two looks of a server that stops for connections which are still open; its own tenth adds up to a minute."""


async def _look_again(_: float) -> None:
    await asyncio.sleep(CLOSING_SECONDS)


vars(uvicorn.server)["asyncio"] = SimpleNamespace(**vars(asyncio) | {"sleep": _look_again})


class RunningHub:
    """Made by `running_hub`."""

    def __init__(self, hub: Hub, port: int) -> None:
        self.hub = hub
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.link_url = f"ws://127.0.0.1:{port}/api/beszel/agent-connect"
        self.feed_url = f"ws://127.0.0.1:{port}/api/beszel/feed"
        self.loop: asyncio.AbstractEventLoop | None = None

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the hub's own loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(START_SECONDS)

    def create_user(self, email: str, role: Role = "user") -> str:
        phc = hash_password(PASSWORD, FAST_COST)
        return self.hub.database.write_now(
            lambda: account_queries.create_user(email=email, role=role, password_hash=phc, now_ms=system_clock())
        )

    def create_token(self, user_id: str, scope: Scope = "read") -> str:
        """The text of an API token."""

        def write() -> str:
            token_id = account_queries.create_api_token(
                user_id=user_id, name="test", scope=scope, expires=FOREVER_MS, now_ms=system_clock()
            )
            account = find_account(user_id)
            assert account is not None
            return self.hub.accounts.issue_api_token(account, token_id, FOREVER_MS)

        return self.hub.database.write_now(write)

    def create_system(self, name: str, *members: str) -> tuple[str, str]:
        """A system's id and its agent's token."""

        def write() -> tuple[str, str]:
            system_id = queries.insert_system(name=name, now_ms=system_clock(), members=members)
            return system_id, tokens.issue_system_token(self.hub.secret, system_id, system_clock())

        created = self.hub.database.write_now(write)
        self.refresh()
        return created

    def refresh(self) -> None:
        """Let the hub see what a test has written past it."""
        self.call(self.hub.systems.refresh())
        self.call(self.hub.accounts.revalidate())
        self.call(self.hub.alerts.refresh())


class QuickServer(HubServer):
    """Hears at once that it shall stop; hubs are made and ended by the hundred here."""

    def __init__(self, config: HubConfig, hub: Hub) -> None:
        super().__init__(config, hub)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """On its own loop."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_SECONDS):
                    await self._stopped.wait()


@contextmanager
def running_hub(directory: Path, **settings: Any) -> Iterator[RunningHub]:
    """Serve a hub from `directory` until the block ends; `settings` are fields of `HubConfig`."""
    config = HubConfig(data_dir=provide(directory), http_port=0, **settings)
    directory.mkdir(parents=True, exist_ok=True)
    with listen(socket.AF_INET, "127.0.0.1", 0) as listener:
        hub = Hub(config)
        hub.ingest.commit_interval_seconds = COMMIT_SECONDS
        hub.tick_seconds = TICK_SECONDS
        running = RunningHub(hub, listener.getsockname()[1])
        server = QuickServer(config, hub)

        async def serve() -> None:
            running.loop = asyncio.get_running_loop()
            await server.serve([listener])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        _await_start(server, thread)
        try:
            yield running
        finally:
            assert running.loop is not None
            running.loop.call_soon_threadsafe(server.stop)
            thread.join(START_SECONDS)
            assert not thread.is_alive(), "the hub does not stop"


def _await_start(server: HubServer, thread: threading.Thread) -> None:
    pause = threading.Event()
    for _ in range(round(START_SECONDS / 0.01)):
        if server.started:
            return
        assert thread.is_alive(), "the hub did not start"
        pause.wait(0.01)
    raise AssertionError("the hub takes too long to start")
