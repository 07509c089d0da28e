"""What happens to samples while a target is away, slow, or does not want them; and what the log says of it."""

import asyncio
import gzip
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beszel_hub.config import HubConfig, load_config
from beszel_hub.errors import InvalidSetting, StartError
from beszel_hub.export.plan import Source
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.push import influx, sender, target
from beszel_hub.push.outbox import BATCH_BYTES, Outbox
from beszel_hub.push.service import Push
from beszel_hub.push.target import make_targets
from beszel_hub.systems.directory import Directory, Entry
from beszel_protocol.sample import CpuMetrics, Metrics
from tests.support.receiver import Receiver, Reply, receiving
from tests.support.samples import NOON_MS, make_metrics

SECRET = "Token s3cr3t-of-influx"


def run_while(push: Push, *waits: Callable[[], Any]) -> None:
    """Run the push until each of `waits`, on a thread of its own, has seen what it wants; a sample arrives between."""

    async def run() -> None:
        task = asyncio.create_task(push.run())
        try:
            for index, wait in enumerate(waits):
                if index:
                    arrive(push, 100 + index)
                await asyncio.wait_for(asyncio.to_thread(wait), 20)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def make_push(url: str, interval_seconds: int = 1) -> Push:
    directory = Directory()
    directory.put(
        Entry(id="webwebwebwebweb", name="web", host="", status="up", status_since_ms=0, interval_seconds=1.0)
    )
    config = HubConfig(influx_url=f"{url}?db=x&p=in-the-query", influx_authorization=SECRET)
    push = Push(make_targets(config), directory, interval_seconds=interval_seconds)
    push.senders[0].first_pause_seconds = 0.01
    return push


def arrive(push: Push, index: int) -> None:
    instant_ms = NOON_MS + 1000 * index
    push.sample_arrived(LiveSample("webwebwebwebweb", instant_ms, instant_ms, make_metrics(float(index))))


def lines_of(receiver: Receiver) -> list[str]:
    return [line for request in receiver.requests for line in gzip.decompress(request.body).decode().splitlines()]


def test_a_request_carries_what_opens_the_target() -> None:
    with receiving() as receiver:
        push = make_push(receiver.url)
        arrive(push, 1)
        run_while(push, lambda: receiver.await_requests(1))
        (request,) = receiver.requests
    assert request.path == "/write?db=x&p=in-the-query"
    assert request.headers["Authorization"] == SECRET
    assert request.headers["User-Agent"].startswith("beszel-hub/")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_not_taken_now_is_sent_again(status: int) -> None:
    with receiving(Reply(status), Reply(status, (("Retry-After", "0"),)), Reply(204)) as receiver:
        push = make_push(receiver.url)
        arrive(push, 1)
        run_while(push, lambda: receiver.await_requests(3))
        assert len({request.body for request in receiver.requests}) == 1
    assert push.outboxes[0].dropped == 0


@pytest.mark.parametrize(
    "reply", [Reply(400, body=b"out of\norder \x1b[2J"), Reply(401), Reply(302, (("Location", "http://127.0.0.1:1/"),))]
)
def test_what_is_refused_for_good_is_dropped_counted_and_said(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    with receiving(reply, Reply(204)) as receiver:
        push = make_push(receiver.url)
        arrive(push, 1)
        with caplog.at_level(logging.INFO):
            run_while(push, lambda: receiver.await_requests(1), lambda: receiver.await_requests(2))
    assert push.outboxes[0].dropped == 1
    said = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("samples dropped for InfluxDB at http://127.0.0.1:")
    assert f"/write: 1; {reply.status}" in said[0]
    assert "\x1b" not in said[0]
    assert "\n" not in said[0]


def test_no_log_line_has_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), receiving(Reply(503), Reply(403), Reply(204)) as receiver:
        push = make_push(receiver.url)
        arrive(push, 1)
        run_while(push, lambda: receiver.await_requests(2), lambda: receiver.await_requests(3))
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "InfluxDB at http://127.0.0.1:" in text
    assert "s3cr3t" not in text
    assert "in-the-query" not in text


def test_a_target_that_is_away_gets_everything_in_order_when_it_comes() -> None:
    with receiving() as receiver:
        url = receiver.url
    push = make_push(url)
    for index in range(5):
        arrive(push, index)
    came = threading.Event()

    async def run() -> None:
        task = asyncio.create_task(push.run())
        with receiving() as late:
            push_to(push, late.url)
            await asyncio.wait_for(asyncio.to_thread(late.await_requests, 1), 20)
            usages = [line for line in lines_of(late) if line.startswith("beszel_cpu,system=")]
            assert [line.rsplit(" ", 1)[1] for line in usages] == [f"{NOON_MS + 1000 * i}000000" for i in range(5)]
            came.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert came.is_set()


def push_to(push: Push, url: str) -> None:
    push.senders[0]._target = msgspec.structs.replace(push.senders[0]._target, url=url)


def test_a_full_outbox_loses_its_oldest_and_counts_them() -> None:
    outbox = Outbox(capacity_bytes=3000)
    bodies = [bytes(range(256)) * 3 + bytes([index]) * 200 for index in range(40)]
    for body in bodies:
        outbox.put(body)
    assert outbox.dropped == 40 - len(outbox) > 0

    async def take() -> tuple[bytes, int]:
        return await outbox.take()

    taken, count = asyncio.run(take())
    assert taken == b"".join(bodies[-count:])


def test_a_request_has_about_a_megabyte() -> None:
    outbox = Outbox()
    for _ in range(30):
        outbox.put(bytes(100_000))

    async def take_all() -> list[int]:
        return [(await outbox.take())[1] for _ in range(3)]

    assert asyncio.run(take_all()) == [BATCH_BYTES // 100_000] * 3
    outbox.put(bytes(5 * BATCH_BYTES))
    assert asyncio.run(take_all_of(outbox)) == 5 * BATCH_BYTES


async def take_all_of(outbox: Outbox) -> int:
    return len((await outbox.take())[0])


def test_one_sample_an_interval() -> None:
    push = make_push("http://127.0.0.1:9/write", interval_seconds=15)
    for index in range(60):
        arrive(push, index)
    assert len(push.outboxes[0]) == 4
    stranger = LiveSample("nobody", NOON_MS, NOON_MS, make_metrics())
    push.sample_arrived(stranger)
    assert len(push.outboxes[0]) == 4


def test_no_tag_can_end_a_line() -> None:
    metrics = Metrics(temperatures={"a\nb c,d=e\\": 1.0, "": 2.0})
    lines = influx.encode(Source("id", "x\r\ny"), 1, metrics).decode().splitlines()
    assert lines == [
        "beszel_temperature,system=x\\r\\ny,system_id=id,sensor=a\\nb\\ c\\,d\\=e value=1.0 1000000",
        "beszel_temperature,system=x\\r\\ny,system_id=id value=2.0 1000000",
    ]


@pytest.mark.parametrize(
    ("url", "authorization", "warns"),
    [
        ("http://db.example.net/write", SECRET, True),
        ("https://db.example.net/write", SECRET, False),
        ("http://127.0.0.1:8086/write", SECRET, False),
        ("http://db.example.net/write", None, False),
    ],
)
def test_a_secret_in_the_clear_is_warned_of(url: str, authorization: str | None, warns: bool) -> None:
    (made,) = make_targets(HubConfig(influx_url=url, influx_authorization=authorization))
    assert made.tells_secrets is warns


def test_what_is_not_installed_is_said_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "find_spec", lambda _: None)
    with pytest.raises(StartError, match=r"pip install 'beszel-suite\[push\]'"):
        make_targets(HubConfig(remote_write_url="http://127.0.0.1:9/"))
    assert make_targets(HubConfig()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REMOTE_WRITE_URL", "ftp://x/"),
        ("REMOTE_WRITE_URL", "http://user:pass@x/"),
        ("INFLUX_URL", "http:///write"),
        ("INFLUX_AUTHORIZATION", "s3cr3t"),
        ("INFLUX_AUTHORIZATION", "Token s3cr3t\r\nX: y"),
        ("PUSH_INTERVAL", "often"),
    ],
)
def test_a_malformed_setting_stops_the_start_without_telling_secrets(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting) as raised:
        load_config({}, {name: value})
    assert name in raised.value.message
    assert "s3cr3t" not in raised.value.message


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("7", 7), ("9999", 300), ("Wed, 21 Oct 2026", 0), ("-1", 0)])
def test_retry_after_is_bounded(text: str, seconds: float) -> None:
    assert sender._retry_after(text) == seconds


def test_hub_without_targets_runs_nothing(tmp_path: Path) -> None:
    push = Push([], Directory(), interval_seconds=1)
    push.sample_arrived(LiveSample("x", 1, 1, Metrics(cpu=CpuMetrics(usage_percent=1.0))))
    asyncio.run(push.run())
