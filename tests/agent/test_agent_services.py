"""Services through a whole agent: one that fails or recovers is an event, before the sample that counts it."""

from pathlib import Path

import pytest

from beszel_agent.agent import Agent
from beszel_agent.config import load_config
from beszel_protocol.messages import Event, Sample, decode_record
from beszel_protocol.ranges import SequenceRanges
from tests.support.fakesystemd import DAEMON, host_below, systemd_on_a_bus, unit_row
from tests.support.linkhub import LinkHub, openssh_key
from tests.support.programs import wait_until
from tests.support.runningagent import environment


@pytest.mark.skipif(DAEMON is None, reason="needs dbus-daemon")
def test_a_service_that_fails_and_recovers_is_an_event_of_that_second(tmp_path: Path) -> None:
    hub = LinkHub()
    (tmp_path / "data").mkdir()
    flags = {"KEY": openssh_key(hub.public_key), "TOKEN": hub.token, "HUB_URL": "http://127.0.0.1:1",
             "DATA_DIR": str(tmp_path / "data")}  # fmt: skip
    with systemd_on_a_bus(tmp_path / "host") as systemd:
        systemd.units = [unit_row("nginx.service"), unit_row("old.service", "failed", "failed")]
        agent = Agent(
            load_config(flags, {}, Path("/dev/null")).config, host_below(tmp_path / "host"), environment(hub, tmp_path)
        )

        def records() -> list[Event | Sample]:
            agent._publish(agent._sampler.read())
            told = [decode_record(record.data) for record in agent._spool.oldest(1 << 20, SequenceRanges())]
            return [record for record in told if isinstance(record, Event | Sample)]

        def events(count: int) -> list[Event | Sample] | None:
            told = records()
            return told if sum(isinstance(record, Event) for record in told) >= count else None

        def failed() -> int | None:
            (*_, last) = records()
            services = last.metrics.services if isinstance(last, Sample) else None
            return None if services is None else services.failed

        assert wait_until("services are counted", failed) == 1
        systemd.turn("nginx.service", "failed", "failed")
        told = wait_until("an event", lambda: events(1))
        event, sample = told[-2:]
        assert isinstance(event, Event)
        assert (event.kind, event.subject, event.text) == ("unit_failed", "nginx", "active → failed")
        assert event.attributes == {"unit": "nginx.service", "before": "active", "after": "failed"}
        assert isinstance(sample, Sample)
        assert sample.metrics.services is not None
        assert sample.metrics.services.failed == 2
        systemd.turn("nginx.service", "active", "running")
        event, _ = wait_until("another", lambda: events(2))[-2:]
        assert isinstance(event, Event)
        assert (event.kind, event.text) == ("unit_recovered", "failed → active")
