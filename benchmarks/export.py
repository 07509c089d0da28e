"""What an export costs: rows a second and memory by format, and a scrape of a large fleet.

    python benchmarks/export.py [--quick] [--json]

Keys: `systems`, `hours`, `series_per_system`; for each format `<format>_rows_per_second`, `<format>_peak_mb` (of the
whole process) and `<format>_bytes_per_row`; `scrape_systems`, `scrape_ms`, `scrape_mb`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from beszel_hub.clock import system_clock
from beszel_hub.export.exposition import Scraped, TextFormat, render
from beszel_hub.export.plan import Source
from beszel_hub.metrics import series_upkeep
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import insert_system
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, MemoryMetrics, Metrics
from beszel_protocol.storage import DiskMetrics

FORMATS: Final = ("csv", "jsonl", "parquet", "openmetrics")
END_MS: Final = 1_795_348_800_000
CORES: Final = 16
CONTAINERS: Final = 10
SCRAPE_SYSTEMS: Final = 1000

_EXPORT: Final = """
import resource, sys
from beszel_hub.cli.commands import run_command_line
status = run_command_line(sys.argv[1:])
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
raise SystemExit(status)
"""


def make_metrics(index: int) -> Metrics:
    """A host with some containers, whose numbers move."""
    load = (index * 7919 % 1000) / 10
    return Metrics(
        cpu=CpuMetrics(
            usage_percent=load, user_percent=load / 2, system_percent=load / 4, load_average=[0.5, 0.4, 0.3],
            cores_percent=[(load + core) % 100 for core in range(CORES)],
        ),
        memory=MemoryMetrics(total_bytes=16 << 30, used_bytes=(8 << 30) + index * 4096, usage_percent=50.0),
        disk={"/": DiskMetrics(total_bytes=1 << 40, used_bytes=(1 << 39) + index, read_bytes_per_second=load * 1000)},
        containers=[
            ContainerMetrics(id=f"{number:012x}", name=f"service-{number}", cpu_percent=load / 10, memory_bytes=1 << 28)
            for number in range(CONTAINERS)
        ],
    )  # fmt: skip


def fill(data_dir: Path, systems: int, samples: int) -> None:
    """One sample a second up to `END_MS`, sealed as the hub does."""
    database = Database(data_dir / "data.db")
    database.open()
    for number in range(systems):
        name = f"host-{number}"
        system_id = database.write_now(lambda name=name: insert_system(name=name, now_ms=END_MS, members=[]))  # type: ignore[misc]
        for start in range(0, samples, 600):
            rows = [
                NewSample(system_id, END_MS - 1000 * (samples - index), 0, msgspec.json.encode(make_metrics(index)))
                for index in range(start, min(start + 600, samples))
            ]
            database.write_now(lambda rows=rows: insert_samples(rows))  # type: ignore[misc]
    for window in database.read_now(lambda: series_upkeep.find_due(END_MS)):
        sealed = database.read_now(lambda window=window: series_upkeep.seal_window(window))  # type: ignore[misc]
        if sealed is not None:
            database.write_now(lambda sealed=sealed: series_upkeep.replace_by_chunk(sealed))  # type: ignore[misc]
    database.close()


def export(data_dir: Path, chosen: str, samples: int, rows: int) -> dict[str, float]:
    path = data_dir / f"export.{chosen}"
    arguments = [
        "export", "--dir", str(data_dir), "--format", chosen, "--output", str(path),
        "--from", str(END_MS - 1000 * samples), "--to", str(END_MS),
    ]  # fmt: skip
    start = time.perf_counter()
    finished = subprocess.run([sys.executable, "-c", _EXPORT, *arguments], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    return {
        f"{chosen}_rows_per_second": round(rows / seconds),
        f"{chosen}_peak_mb": round(int(finished.stderr) / 1024, 1),
        f"{chosen}_bytes_per_row": round(path.stat().st_size / rows, 2),
    }


def scrape() -> dict[str, float]:
    metrics = make_metrics(1)
    fleet = [
        Scraped(source=Source(f"id{number:013d}", f"host-{number}"), is_up=True, age_seconds=0.5, metrics=metrics)
        for number in range(SCRAPE_SYSTEMS)
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    text = render(fleet, TextFormat.OPENMETRICS)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "scrape_systems": SCRAPE_SYSTEMS, "scrape_ms": round(seconds * 1000), "scrape_mb": round(len(text) / 1e6, 1),
        "scrape_peak_mb": round((after - before) / 1024, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything, under 45 s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    systems, hours = (2, 1) if options.quick else (4, 3)
    samples = hours * 3600
    per_system = len(list(flatten(make_metrics(0))))
    figures: dict[str, Any] = {"systems": systems, "hours": hours, "series_per_system": per_system}
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory)
        started = system_clock()
        fill(data_dir, systems, samples)
        figures["fill_seconds"] = round((system_clock() - started) / 1000, 1)
        for chosen in FORMATS:
            figures |= export(data_dir, chosen, samples, systems * samples * per_system)
    figures |= scrape()
    print(json.dumps(figures) if options.json else "\n".join(f"{name:32}{value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
