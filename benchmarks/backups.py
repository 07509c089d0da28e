"""What a backup costs: how long it takes, how large it is, and how long writers wait while one is made.

Fills a database as `series.py` does. Then one writer stores a sample of each of a hundred systems at a time, again and
again, first alone and then beside a backup; each write is on disk when it is over.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec
from series import prepare

from beszel_hub.agents.keys import load_hub_key
from beszel_hub.backups.making import make_backup
from beszel_hub.backups.restoring import check_backup, restore
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.metrics.tables import HotSample
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import load_secret

BATCH: Final = 100
ALONE_SECONDS: Final = 5.0
DOCUMENT: Final = b'{"cpu":{"usage_percent":12.5}}' * 40


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    database_mb: float
    backup_mb: float
    backup_seconds: float
    check_seconds: float
    restore_seconds: float
    write_alone_median_ms: float
    write_alone_longest_ms: float
    write_beside_median_ms: float
    write_beside_longest_ms: float


class Writer:
    """Writes until it is told to stop."""

    def __init__(self, database: Database) -> None:
        self.waits: list[float] = []
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        instant = 0
        while not self._stop.is_set():
            instant += 1
            rows = [
                {"system_id": f"bench{number:010d}", "instant": instant, "mark": 0, "document": DOCUMENT}
                for number in range(BATCH)
            ]
            begin = time.perf_counter()
            self._database.write_now(lambda rows=rows: HotSample.insert_many(rows).execute())  # type: ignore[misc]
            self.waits.append((time.perf_counter() - begin) * 1000)
            self._stop.wait(0.02)


def measure(directory: Path, systems: int, days: int) -> Figures:
    prepare(directory, systems, days)
    config = HubConfig(data_dir=directory)
    load_secret(config.secret_path)
    load_hub_key(config.key_path)
    size = config.database_path.stat().st_size
    database = Database(config.database_path)
    database.open()
    with Writer(database) as alone:
        time.sleep(ALONE_SECONDS)
    with Writer(database) as beside:
        begin = time.perf_counter()
        make_backup(config, "bench.zip", system_clock)
        backup_seconds = time.perf_counter() - begin
    database.close()
    path = config.backups_path / "bench.zip"
    begin = time.perf_counter()
    check_backup(path)
    check_seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    restore(config, path, system_clock)
    restore_seconds = time.perf_counter() - begin
    return Figures(
        database_mb=round(size / 1e6, 1),
        backup_mb=round(path.stat().st_size / 1e6, 1),
        backup_seconds=round(backup_seconds, 2),
        check_seconds=round(check_seconds, 2),
        restore_seconds=round(restore_seconds, 2),
        write_alone_median_ms=round(statistics.median(alone.waits), 2),
        write_alone_longest_ms=round(max(alone.waits), 2),
        write_beside_median_ms=round(statistics.median(beside.waits), 2),
        write_beside_longest_ms=round(max(beside.waits), 2),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=20)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--quick", action="store_true", help="3 systems")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name) / "hub", 3 if given.quick else given.systems, given.days)
    if given.json:
        print(json.dumps(msgspec.to_builtins(figures)))
        return
    for key, value in msgspec.to_builtins(figures).items():
        print(f"{key:28} {value}")


if __name__ == "__main__":
    main()
