"""What history takes on disk, and how fast it is read, in a database of many systems over a long time.

Fills a database with model hosts (see `modelhosts.py`; one in ten is a busy one) as the hub's own sealing and roll-ups
leave it after so many days: single samples of three days, minutes of ninety, ten minutes of two years, eight hours of
all. Then a real hub serves it, and one client asks over HTTP, with its file in the system's page cache as far as that
goes. A full database is kept in the user's cache directory.

The hub is a process of its own. `chart_…_ms` are of one that has answered the like before, each request for the next
system, so that no answer can come from what was read for the one before (`--quick` has too few systems for that, but a
hub keeps nothing either). `first_chart_…_ms` are the very first question to a hub that has just been started.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from modelhistory import ModelHistory, fill
from modelhosts import BUSY, QUIET

from beszel_hub.cli.people import create_token, create_user
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series_space import Usage, measure_usage
from beszel_hub.metrics.tiers import DAY_MS
from beszel_hub.store.database import Database

ADMIN: Final = "ada@example.org"
BUSY_SHARE: Final = 10
"""Every how manieth system is a busy one."""
CHART: Final = (
    "cpu.usage_percent", "cpu.user_percent", "cpu.load_average[0]", "memory.used_bytes", "memory.usage_percent",
    "disk[/].usage_percent", "disk[/].read_bytes_per_second", "disk[/].write_bytes_per_second",
    "network.sent_bytes_per_second", "network.recv_bytes_per_second",
)  # fmt: skip
POINTS: Final = 500
SETTLE_SECONDS: Final = 2.0
"""A hub that starts first looks through what it has; that is not measured here."""
STARTS: Final = 3
"""Processes of which each is asked a first question."""
START_SECONDS: Final = 30.0
VERSION: Final = 2
"""Of the databases that are kept; one of another version is made anew."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds are medians, from the request to the parsed answer."""

    systems: int
    history_days: int
    values: int
    """Numbers in the database: readings, and for each bucket the mean, least, greatest, last and number of readings."""
    database_mb: float
    bytes_per_value_quiet: float
    bytes_per_value_busy: float
    """Of the systems' chunks in all tiers; the rest of the file is indexes and room in pages."""
    raw_bytes_per_value_quiet: float
    raw_bytes_per_value_busy: float
    file_bytes_per_value: float
    mb_per_quiet_system: float
    mb_per_busy_system: float
    chart_1h_ms: float
    chart_24h_ms: float
    chart_30d_ms: float
    chart_1y_ms: float
    chart_24h_busy_ms: float
    chart_1y_busy_ms: float
    first_chart_24h_ms: float
    first_chart_1y_ms: float
    fleet_ms: float
    fill_seconds: float


def measure(directory: Path, systems: int, days: int, rounds: int) -> Figures:
    fill_seconds = prepare(directory, systems, days)
    config = HubConfig(data_dir=directory)
    usage = read_usage(config)
    quiet, busy = (usage_of(usage, is_busy=is_busy) for is_busy in (False, True))
    values = sum(part.numbers for part in usage.values())
    size = config.database_path.stat().st_size
    token = create_token(config, ADMIN, "read", "benchmark").token
    with asking(directory, token) as client:
        charts = {name: time_charts(client, span, systems, rounds) for name, span in SPANS.items()}
        busy_charts = {
            name: time_charts(client, SPANS[name], systems, rounds, wants_busy=True) for name in ("24h", "1y")
        }
        fleet_ms = time_requests(client, "/api/collections/systems/records", [{"perPage": 500}] * rounds)
    firsts = {name: time_first_chart(directory, token, systems, SPANS[name]) for name in ("24h", "1y")}
    return Figures(
        systems=systems,
        history_days=days,
        values=values,
        database_mb=round(size / 2**20, 1),
        bytes_per_value_quiet=per_value(quiet.values()),
        bytes_per_value_busy=per_value(busy.values()),
        raw_bytes_per_value_quiet=per_value([quiet["raw"]]),
        raw_bytes_per_value_busy=per_value([busy["raw"]]),
        file_bytes_per_value=round(size / values, 3),
        mb_per_quiet_system=round(sum(part.bytes for part in quiet.values()) / 2**20, 1),
        mb_per_busy_system=round(sum(part.bytes for part in busy.values()) / 2**20, 1),
        chart_1h_ms=charts["1h"],
        chart_24h_ms=charts["24h"],
        chart_30d_ms=charts["30d"],
        chart_1y_ms=charts["1y"],
        chart_24h_busy_ms=busy_charts["24h"],
        chart_1y_busy_ms=busy_charts["1y"],
        first_chart_24h_ms=firsts["24h"],
        first_chart_1y_ms=firsts["1y"],
        fleet_ms=fleet_ms,
        fill_seconds=round(fill_seconds, 1),
    )


SERIES: Final = "/api/beszel/series"
SPANS: Final = {"1h": DAY_MS // 24, "24h": DAY_MS, "30d": 30 * DAY_MS, "1y": 365 * DAY_MS}


def prepare(directory: Path, systems: int, days: int) -> float:
    """Fill the directory unless it is filled already; how many seconds that took.

    History ends now: what was filled longer ago than its newest hour is made anew.
    """
    note = directory / "benchmark.json"
    wanted = {"version": VERSION, "systems": systems, "days": days, "hour": time.time_ns() // 10**9 // 3600}
    if note.exists() and json.loads(note.read_text(encoding="utf-8")) == wanted:
        return 0.0
    shutil.rmtree(directory, ignore_errors=True)
    begin = time.monotonic()
    config = HubConfig(data_dir=directory)
    create_user(config, ADMIN, "admin", "correct horse battery")
    histories = [ModelHistory(traits, seed, days) for seed, traits in enumerate((QUIET, BUSY))]
    database = Database(config.database_path)
    database.open()
    try:
        fill(database, [histories[is_busy(number)] for number in range(systems)])
    finally:
        database.close()
    note.write_text(json.dumps(wanted), encoding="utf-8")
    return time.monotonic() - begin


def is_busy(number: int) -> bool:
    return number % BUSY_SHARE == BUSY_SHARE - 1 or number == 1  # so that few systems have a busy one too


def read_usage(config: HubConfig) -> dict[tuple[str, str], Usage]:
    database = Database(config.database_path)
    database.open()
    try:
        return database.read_now(measure_usage)
    finally:
        database.close()


def usage_of(usage: dict[tuple[str, str], Usage], *, is_busy: bool) -> dict[str, Usage]:
    """Of one system of that kind, by tier."""
    system_id = system_name(1 if is_busy else 0)
    return {tier: part for (owner, tier), part in usage.items() if owner == system_id}


def system_name(number: int) -> str:
    return f"model{number:010d}"


def per_value(parts: Any) -> float:
    whole = sum(parts, Usage())
    return round(whole.bytes_per_value or 0.0, 3)


def time_charts(client: httpx2.Client, span_ms: int, systems: int, rounds: int, *, wants_busy: bool = False) -> float:
    """Ten series at five hundred points, each time of the next system of that kind."""
    numbers = islice(cycle(alike(systems, wants_busy=wants_busy)), rounds + 1)
    return time_requests(client, SERIES, [chart_of(number, span_ms) for number in numbers])


def alike(systems: int, *, wants_busy: bool = False) -> list[int]:
    return [number for number in range(systems) if is_busy(number) == wants_busy]


def chart_of(number: int, span_ms: int) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    return {
        "system": system_name(number), "metric": ",".join(CHART), "from": now_ms - span_ms, "to": now_ms,
        "points": POINTS,
    }  # fmt: skip


def time_requests(client: httpx2.Client, path: str, questions: Sequence[dict[str, Any]]) -> float:
    """The median of all but the first."""
    return round(statistics.median([time_request(client, path, question) for question in questions][1:]), 1)


def time_request(client: httpx2.Client, path: str, question: dict[str, Any]) -> float:
    begin = time.perf_counter()
    client.get(path, params=question).raise_for_status().json()
    return (time.perf_counter() - begin) * 1000


def time_first_chart(directory: Path, token: str, systems: int, span_ms: int) -> float:
    waits = []
    for number in islice(cycle(alike(systems)), STARTS):
        with asking(directory, token) as client:
            waits.append(time_request(client, SERIES, chart_of(number, span_ms)))
    return round(statistics.median(waits), 1)


@contextmanager
def asking(directory: Path, token: str) -> Iterator[httpx2.Client]:
    """A client of a hub that has just been started and has looked through what it has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [sys.executable, "-m", "beszel_hub", "serve", "--http", address, "--dir", str(directory)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx2.Client(base_url=f"http://{address}", headers={"Authorization": token}, timeout=60) as client:
            until_healthy(client)
            time.sleep(SETTLE_SECONDS)
            yield client
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def until_healthy(client: httpx2.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/api/health").raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def place(systems: int, *, is_kept: bool) -> Iterator[Path]:
    if is_kept:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        yield cache / "beszel-suite" / "benchmark-series" / str(systems)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "hub"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--quick", action="store_true", help="3 systems with all tiers full, kept nowhere")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    systems, days = (3, 730) if given.quick else (given.systems, given.days)
    with place(systems, is_kept=not given.quick) as directory:
        figures = measure(directory, systems, days, given.rounds)
    if given.json:
        print(json.dumps(msgspec.to_builtins(figures)))
        return
    for key, value in msgspec.to_builtins(figures).items():
        print(f"{key:28} {value}")
    print("\nmedians over HTTP, from the request to the parsed answer; charts have 10 series and up to 500 points,")
    print("each of another system; first_chart is what a hub is asked first after its start.")


if __name__ == "__main__":
    main()
