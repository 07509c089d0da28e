"""Disks through a whole agent: in its samples, on request, and as events."""

import os
from pathlib import Path

from beszel_agent.agent import Agent
from beszel_agent.config import load_config
from beszel_agent.paths import HostPaths
from beszel_agent.sampler import Reading
from beszel_protocol.messages import Event, Request, Response, Sample, decode_record
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import ArrayMetrics
from tests.agent.test_agent import run
from tests.support.linkhub import LinkHub, openssh_key
from tests.support.runningagent import environment, started
from tests.support.smartctl import StandIn


def test_smart_comes_in_a_sample_and_in_full_on_request(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path / "bin")
    stand_in.answer("/dev/sda", "ata_hdd")

    async def main() -> None:
        hub = LinkHub()
        settings = {"PATH": f"{stand_in.path}:{os.environ['PATH']}", "SMART_DEVICES": "/dev/sda:sat"}
        async with hub.running(), started(hub, tmp_path, **settings):
            told = await hub.until("SMART", lambda: [s for s in hub.samples if s.metrics.smart is not None])
            assert (told[0].metrics.smart or {})["WD-WCC7K0000001"].power_on_hours == 33121
            await hub.send(Request(id=1, action="disk_detail", params={"disk": "sda", "refresh": True}))
            (response,) = await hub.until("an answer", lambda: [m for m in hub.messages if isinstance(m, Response)])
            (disk,) = response.result["disks"]
            assert disk["key"] == "WD-WCC7K0000001"
            assert len(disk["reading"]["attributes"]) == 7
            later = await hub.until("a later sample", lambda: hub.samples[-1:] if len(hub.samples) > 2 else None)
            assert later[0].metrics.smart is None

    run(main())


def test_a_verdict_that_changed_is_an_event_before_its_sample(tmp_path: Path) -> None:
    hub = LinkHub()
    flags = {"KEY": openssh_key(hub.public_key), "TOKEN": hub.token, "HUB_URL": "http://127.0.0.1:1",
             "DATA_DIR": str(tmp_path)}  # fmt: skip
    agent = Agent(load_config(flags, {}, Path("/dev/null")).config, HostPaths(), environment(hub, tmp_path))
    for severity, state in ((0, "clean"), (2, "degraded, 1 of 2 missing")):
        metrics = Metrics(arrays={"md0": ArrayMetrics(severity=severity, state=state)})
        agent._publish(Reading(instant_ms=1_700_000_000_000, boot_ms=1, metrics=metrics))
    records = [decode_record(record.data) for record in agent._spool.oldest(1 << 20, SequenceRanges())]
    assert [type(record) for record in records] == [Sample, Event, Sample]
    event = records[1]
    assert isinstance(event, Event)
    assert (event.kind, event.subject) == ("array_verdict", "md0")
    assert event.text == "sound → failed: degraded, 1 of 2 missing"
