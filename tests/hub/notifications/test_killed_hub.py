"""A whole hub, killed between an alert and its message, and again while the receiver has it: each step is told once."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from beszel_hub.accounts.queries import list_accounts
from beszel_hub.alerts.queries import insert_rule
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.cli.machines import enrol
from beszel_hub.cli.people import create_user
from beszel_hub.config import HubConfig
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import load_secret
from tests.support.bareagent import LinkAgent
from tests.support.databases import provide
from tests.support.hookserver import Receiver, receiving
from tests.support.programs import Process, clean_environment, free_port, running, wait_until
from tests.support.runninghub import PASSWORD
from tests.support.transitions import Office

GROUP_SECONDS = 3600
"""So that a message waits until the test says that it is due."""


class Site:
    """A data directory with a user, a system, a rule and a channel, and hubs that come and go on it."""

    def __init__(self, directory: Path, receiver: Receiver) -> None:
        self.directory = directory
        self.config = HubConfig(data_dir=provide(directory / "hub"), http_port=free_port())
        create_user(self.config, "ada@example.org", "admin", PASSWORD)
        enrolled = enrol(self.config, "web1", "ada@example.org")
        self.agent = LinkAgent(f"ws://127.0.0.1:{self.config.http_port}/api/beszel/agent-connect", enrolled.token)
        self.database = Database(self.config.database)
        self.database.open()
        self.office = Office(self.database, load_secret(self.config.secret_path))
        (account,) = self.database.read_now(list_accounts)
        self.office.add_channel(receiver.url, user_id=account.id, group_seconds=GROUP_SECONDS)
        condition = Condition(target="cpu.usage_percent", value=80, window_seconds=0)
        rule = Rule(id=new_id(), name="busy", conditions=(condition,), user_id=account.id)
        self.database.write_now(partial(insert_rule, rule, 0))

    @contextmanager
    def hub(self) -> Iterator[Process]:
        argv = [
            sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{self.config.http_port}",
            "--dir", str(self.config.data_dir),
        ]  # fmt: skip
        with running(argv, clean_environment(self.directory), self.directory / "hub.log") as process:
            yield process

    def send(self, sequence: int, percent: float) -> None:
        """One sample to the hub that listens by then, until it is stored."""

        async def run() -> None:
            async with self.agent.enrolled() as connection:
                await connection.send(self.agent.sample(sequence, cpu_percent=percent))
                await connection.await_stored((sequence, sequence))

        wait_until("a hub listens", self._is_listening)
        asyncio.run(run())

    def make_due(self) -> None:
        """The time for others to join the message is over, for this one and those to come."""

        def write() -> None:
            DeliveryRow.update(due=0).execute()
            ChannelRow.update(group_seconds=0).execute()

        self.database.write_now(write)

    def are_sent(self, count: int) -> bool:
        rows = self.office.rows()
        return len(rows) == count and all(row.status == "sent" for row in rows)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.config.http_port)) == 0


@pytest.mark.system
def test_no_step_is_lost_and_none_is_told_under_two_keys(tmp_path: Path) -> None:
    with receiving() as receiver:
        site = Site(tmp_path, receiver)
        with site.hub() as hub:
            site.send(1, 95.0)
            wait_until("the alert is stored with its message", lambda: bool(site.office.rows()))
            hub.kill()
        assert receiver.requests == []
        with site.hub() as hub:
            receiver.before_answer = hub.kill
            site.make_due()
            wait_until("it was killed by the receiver", lambda: not hub.is_running)
        receiver.before_answer = lambda: None
        assert len(receiver.requests) == 1
        with site.hub() as hub:
            wait_until("it is sent", lambda: site.are_sent(1))
            site.send(2, 5.0)
            wait_until("its end is sent", lambda: site.are_sent(2))
            assert hub.terminate(10) == 0, hub.text()
        site.database.close()
    first, again, over = receiver.requests
    assert (first.key, first.body) == (again.key, again.body)
    assert over.key != first.key
    assert [alert["kind"] for request in (again, over) for alert in request.document["alerts"]] == [
        "fired",
        "recovered",
    ]
    assert len({alert["alert_id"] for request in (again, over) for alert in request.document["alerts"]}) == 1
