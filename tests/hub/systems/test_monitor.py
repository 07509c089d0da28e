import asyncio
from collections.abc import Sequence

import msgspec

from beszel_hub.systems.directory import Directory, Entry
from beszel_hub.systems.monitor import Monitor, StatusChange
from beszel_protocol.feed import SystemStatus

WEB = Entry(id="web", name="web", host="", status="pending", status_since_ms=0, interval_seconds=1.0, fingerprint="f")


class Fleet:
    """One system under watch, in virtual time."""

    def __init__(self, entry: Entry = WEB) -> None:
        self.now_ms = 1_000_000
        self.changes: list[SystemStatus] = []
        self.directory = Directory()
        self.directory.put(entry)
        self.monitor = Monitor(self.directory, self._apply, lambda: self.now_ms)

    async def _apply(self, changes: Sequence[StatusChange]) -> None:
        for system_id, status in changes:
            self.changes.append(status)
            self.put(status)
            assert system_id == "web"

    def put(self, status: SystemStatus) -> None:
        entry = self.directory.get("web")
        assert entry is not None
        following = msgspec.structs.replace(entry, status=status)
        self.directory.put(following)
        self.monitor.changed(following)

    def run(self, seconds: int, *, every_seconds: int | None = None) -> None:
        """Let time pass; a sample arrives every so many seconds, or none."""
        for second in range(seconds):
            if every_seconds is not None and second % every_seconds == 0:
                self.monitor.sampled("web")
            asyncio.run(self.monitor.tick())
            self.now_ms += 1000


def test_a_system_comes_goes_and_comes_back() -> None:
    fleet = Fleet()
    fleet.monitor.connected("web")
    fleet.run(30, every_seconds=1)
    assert fleet.changes == ["up"]
    fleet.monitor.disconnected("web")
    fleet.run(20)
    assert fleet.changes == ["up", "down"]
    fleet.monitor.connected("web")
    fleet.run(5, every_seconds=1)
    assert fleet.changes == ["up", "down", "up"]


def test_a_restarted_hub_takes_nothing_down_that_comes_back_in_time() -> None:
    fleet = Fleet(msgspec.structs.replace(WEB, status="up"))
    fleet.run(12)
    fleet.monitor.connected("web")
    fleet.run(20, every_seconds=1)
    assert fleet.changes == []


def test_a_restarted_hub_takes_down_what_does_not_come_back() -> None:
    fleet = Fleet(msgspec.structs.replace(WEB, status="up"))
    fleet.run(20)
    assert fleet.changes == ["down"]


def test_a_pause_holds_and_its_end_starts_afresh() -> None:
    fleet = Fleet()
    fleet.monitor.connected("web")
    fleet.run(5, every_seconds=1)
    fleet.put("paused")
    fleet.run(100)
    assert fleet.changes == ["up"]
    fleet.put("pending")
    fleet.run(10)
    assert fleet.changes == ["up"]
    fleet.run(3, every_seconds=1)
    assert fleet.changes == ["up", "up"]


def test_an_agent_that_measures_more_slowly_than_asked_is_not_down_between_its_samples() -> None:
    """Its owner's own setting wins over the hub's interval, and the hub learns of it from what comes."""
    fleet = Fleet()
    fleet.monitor.connected("web")
    fleet.run(300, every_seconds=8)
    fleet.run(300, every_seconds=30)
    fleet.run(600, every_seconds=60)
    assert fleet.changes.count("down") <= 2
    before = len(fleet.changes)
    fleet.run(1200, every_seconds=60)
    assert len(fleet.changes) == before
    fleet.run(200)
    assert fleet.changes[before:] == ["down"]


def test_a_system_that_is_gone_is_forgotten() -> None:
    fleet = Fleet()
    fleet.monitor.connected("web")
    fleet.directory.remove("web")
    fleet.monitor.forget("web")
    fleet.run(3)
    assert fleet.changes == []
