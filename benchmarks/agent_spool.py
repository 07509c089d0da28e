"""What the agent's spool costs a sample, on disk and in memory.

Appends real samples of this host as fast as it can, once with a hub that confirms each at once and once without one,
then sends everything in batches and starts anew on what is left. Compare `disk_*` with `memory_*`: the difference is
what the disk costs. Run it on the disk that matters with `--directory`.
"""

import argparse
import json
import tempfile
import time
import tracemalloc
from pathlib import Path

import msgspec

from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.sampler import start_sampler
from beszel_agent.spool.disk import DiskSpool
from beszel_agent.spool.interface import Spool
from beszel_agent.spool.memory import MemorySpool
from beszel_protocol.messages import MAX_BATCH_BYTES, encode
from beszel_protocol.ranges import SequenceRanges

NOTHING = SequenceRanges()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    samples: int
    sample_bytes: float
    disk_bytes_per_sample: float
    memory_confirmed_us_per_sample: float
    memory_alone_us_per_sample: float
    disk_confirmed_us_per_sample: float
    disk_alone_us_per_sample: float
    disk_slowest_append_ms: float
    disk_send_us_per_sample: float
    disk_slowest_batch_ms: float
    disk_open_ms: float
    disk_python_kb: float
    """What Python has allocated for a spool full of these samples; zlib's 192 KiB come on top."""


def take_samples(count: int) -> list[bytes]:
    sampler = start_sampler(COLLECTORS, HostPaths(), Config())
    samples = []
    for sequence in range(1, count + 1):
        samples.append(encode(sampler.read().as_sample(sequence)))
        time.sleep(0.01)
    return samples


def open_disk(directory: Path) -> DiskSpool:
    return DiskSpool(directory, boot_id="boot", instant_ms=0, boot_ms=0)


def fill(spool: Spool, samples: list[bytes], count: int, *, confirm: bool) -> tuple[float, float]:
    """Processor time of a sample in microseconds, and the longest append in milliseconds."""
    slowest = 0.0
    began = time.process_time()
    for second in range(count):
        data = samples[second % len(samples)]
        started = time.perf_counter()
        record = spool.append(lambda _, data=data: data, instant_ms=1000 * second, boot_ms=1000 * second)  # type: ignore[misc]
        slowest = max(slowest, time.perf_counter() - started)
        if confirm:
            spool.newest()
            spool.drop([(record.sequence, record.sequence)])
    return (time.process_time() - began) / count * 1e6, slowest * 1e3


def send(spool: Spool) -> tuple[float, float]:
    """Processor time of a sample in microseconds, and the longest batch in milliseconds."""
    slowest, count = 0.0, 0
    began = time.process_time()
    while True:
        started = time.perf_counter()
        batch = spool.oldest(MAX_BATCH_BYTES, NOTHING)
        slowest = max(slowest, time.perf_counter() - started)
        if not batch:
            return (time.process_time() - began) / max(count, 1) * 1e6, slowest * 1e3
        count += len(batch)
        spool.drop([(batch[0].sequence, batch[-1].sequence)])


def measure(count: int, directory: Path) -> Figures:
    samples = take_samples(200)
    memory_confirmed, _ = fill(MemorySpool("id"), samples, count, confirm=True)
    memory_alone, _ = fill(MemorySpool("id"), samples, count, confirm=False)
    disk_confirmed, slowest = fill(open_disk(directory / "confirmed"), samples, count, confirm=True)
    alone = open_disk(directory / "alone")
    disk_alone, slowest_alone = fill(alone, samples, count, confirm=False)
    size_bytes = alone.report().size_bytes
    alone.close()
    began = time.perf_counter()
    open_disk(directory / "alone").close()
    open_ms = (time.perf_counter() - began) * 1e3
    tracemalloc.start()
    again = open_disk(directory / "alone")
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    send_us, slowest_batch = send(again)
    return Figures(
        samples=count,
        sample_bytes=round(sum(map(len, samples)) / len(samples), 1),
        disk_bytes_per_sample=round(size_bytes / count, 1),
        memory_confirmed_us_per_sample=round(memory_confirmed, 1),
        memory_alone_us_per_sample=round(memory_alone, 1),
        disk_confirmed_us_per_sample=round(disk_confirmed, 1),
        disk_alone_us_per_sample=round(disk_alone, 1),
        disk_slowest_append_ms=round(max(slowest, slowest_alone), 2),
        disk_send_us_per_sample=round(send_us, 1),
        disk_slowest_batch_ms=round(slowest_batch, 2),
        disk_open_ms=round(open_ms, 1),
        disk_python_kb=round(kept_bytes / 1000, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=86_400, help="a day's by default")
    parser.add_argument("--directory", type=Path, help="on the disk to measure; a temporary one by default")
    parser.add_argument("--quick", action="store_true", help="an hour's samples")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        figures = measure(3600 if arguments.quick else arguments.samples, Path(directory))
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(figures)))
        return
    for key, value in msgspec.to_builtins(figures).items():
        print(f"{key:32} {value}")


if __name__ == "__main__":
    main()
