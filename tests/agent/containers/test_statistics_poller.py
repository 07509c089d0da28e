"""What an engine is asked for numbers: few requests at once, and no container more often than the pace allows.

The engine is a server of this test, which counts. Its bounds hold on any machine: a request that is late on its way
only makes the time between two longer.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from beszel_agent.containers.client import EngineClient
from beszel_agent.containers.model import Container
from beszel_agent.containers.statistics import StatisticsPoller
from beszel_agent.settings import EngineHost
from tests.support.containers import make_facts
from tests.support.programs import wait_until

THREADS = 4
PACE_SECONDS = 5.0
REST_SECONDS = 1.0
LINGER_SECONDS = 0.2
"""How long a fifth request has time to come while four wait."""


class CountingEngine:
    """Answers as an engine does. Requests for statistics wait for each other until `crowd` of them are here."""

    def __init__(self, *, crowd: int, status: int = 200) -> None:
        self.crowd, self.status = crowd, status
        self.most = self._here = 0
        """How many were here at once."""
        self.asked_at: dict[str, list[float]] = defaultdict(list)
        """When each container was asked for."""
        self.answered_at: list[float] = []
        self._changed = threading.Condition()

    def answer(self, path: str) -> tuple[int, object]:
        if not path.partition("?")[0].endswith("/stats"):
            return 200, {"ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}
        with self._changed:
            self.asked_at[path.split("/")[-2]].append(time.monotonic())
            self._here += 1
            self.most = max(self.most, self._here)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self.crowd, 10)
            self._changed.wait_for(lambda: self.most > self.crowd, LINGER_SECONDS)
            self._here -= 1
            self.answered_at.append(time.monotonic())
        return self.status, {"pids_stats": {"current": 1}}

    @contextmanager
    def listening(self) -> Iterator[EngineHost]:
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, document = engine.answer(self.path)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield EngineHost("tcp", f"127.0.0.1:{server.server_port}")
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def polling(
    engine: CountingEngine, containers: int, *, pace_seconds: float | None = None
) -> Iterator[tuple[StatisticsPoller, list[str]]]:
    """A poller at work, and the ids of its containers."""
    ids = [f"{number:064x}" for number in range(containers)]
    with engine.listening() as host:
        client = EngineClient(host, timeout_seconds=30, certificates=None)
        subjects = [Container(make_facts(full_id[-12:], full_id[-4:]), full_id, pid=1) for full_id in ids]
        settings = {} if pace_seconds is None else {"pace_seconds": pace_seconds}
        poller = StatisticsPoller(lambda: [(client, subject) for subject in subjects], frozenset, **settings)
        poller.wake()
        try:
            yield poller, ids
        finally:
            poller.stop()
            assert poller._thread is not None
            poller._thread.join(30)
            client.close()


def test_four_at_once_and_each_every_five_seconds() -> None:
    engine = CountingEngine(crowd=THREADS)
    started = time.monotonic()
    with polling(engine, 3 * THREADS) as (poller, ids):
        wait_until("a second round", lambda: all(len(engine.asked_at[full_id]) >= 2 for full_id in ids), 60)
        assert all(poller.find(full_id, time.monotonic()) for full_id in ids)
    assert engine.most == THREADS
    for times in engine.asked_at.values():
        assert all(at - started >= rounds * PACE_SECONDS for rounds, at in enumerate(times))


@pytest.mark.parametrize("status", [200, 500])
def test_an_engine_slower_than_the_pace_gets_a_rest(status: int) -> None:
    """Whether it answers or fails, the next round waits."""
    engine = CountingEngine(crowd=1, status=status)
    with polling(engine, 1, pace_seconds=0.1) as (_, (full_id,)):
        wait_until("a second round", lambda: len(engine.asked_at[full_id]) >= 2, 60)
    times = engine.asked_at[full_id]
    assert all(later - answered >= REST_SECONDS for answered, later in zip(engine.answered_at, times[1:], strict=False))


def test_nobody_to_ask_for_is_no_thread() -> None:
    poller = StatisticsPoller(lambda: (), frozenset)
    poller.wake()
    assert poller._thread is None
