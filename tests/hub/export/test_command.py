"""`beszel-hub export` beside a running hub."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from beszel_protocol.sample import CpuMetrics, Metrics
from tests.support.exports import Shelf, fetch, store
from tests.support.programs import clean_environment, program, run
from tests.support.runninghub import RunningHub
from tests.support.samples import NOON_MS

CPU = "cpu.usage_percent"
BUSY_SAMPLES = 2000
BUSY_CORES = 128


@pytest.fixture(scope="module")
def busy(hub: RunningHub) -> str:
    """A system with as many series as a large host has."""
    system_id, _ = hub.create_system("busy")
    metrics = Metrics(cpu=CpuMetrics(cores_percent=[float(core % 100) for core in range(BUSY_CORES)]))
    store(hub, system_id, [(NOON_MS + 1000 * index, metrics) for index in range(BUSY_SAMPLES)])
    return system_id


def argv(hub: RunningHub, shelf: Shelf, *options: str) -> list[str]:
    span = ["--from", str(shelf.from_ms), "--to", str(shelf.to_ms)]
    return [program("beszel-hub"), "export", "--dir", str(hub.hub.config.data_dir), *span, *options]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**clean_environment(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}


def test_it_writes_what_the_api_sends(
    client: httpx2.Client, hub: RunningHub, shelf: Shelf, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "history.parquet"
    run(argv(hub, shelf, "--format", "parquet", "--output", str(path), "--metric", CPU), environment)
    assert path.read_bytes() == fetch(client, shelf, format="parquet", metric=CPU)
    assert path.stat().st_mode & 0o777 == 0o600


def test_standard_output_is_the_file(
    client: httpx2.Client, hub: RunningHub, shelf: Shelf, environment: dict[str, str]
) -> None:
    printed = run(argv(hub, shelf, "--format", "jsonl", "--system", "plain", "--metric", CPU), environment)
    plain = next(entry.id for entry in hub.hub.systems.directory if entry.name == "plain")
    assert printed.encode() == fetch(client, shelf, format="jsonl", system=plain, metric=CPU)


@pytest.mark.parametrize("chosen", ["csv", "jsonl"])
@pytest.mark.parametrize("kept_bytes", [0, 20, 5000, 30_000])
def test_it_goes_on_where_it_was_cut_off(
    client: httpx2.Client, hub: RunningHub, shelf: Shelf, environment: dict[str, str], tmp_path: Path, chosen: str,
    kept_bytes: int,
) -> None:  # fmt: skip
    path = tmp_path / "history"
    whole = fetch(client, shelf, format=chosen, metric=CPU)
    path.write_bytes(whole[:kept_bytes])
    run(argv(hub, shelf, "--format", chosen, "--output", str(path), "--metric", CPU, "--resume"), environment)
    assert path.read_bytes() == whole


def test_a_reader_that_has_seen_enough_is_no_failure(
    hub: RunningHub, shelf: Shelf, environment: dict[str, str]
) -> None:
    with subprocess.Popen(argv(hub, shelf), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"timestamp,system,name,metric,value\r\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--system", "nobody"], 1, "there is no system 'nobody'"),
        (["--metric", "cpu.colour"], 1, "metric: There is no metric"),
        (["--resume"], 2, "--resume needs --output"),
        (["--output", "/nowhere/at/all"], 1, "cannot be written"),
        (["--format", "xlsx"], 2, "xlsx"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    hub: RunningHub, shelf: Shelf, environment: dict[str, str], options: list[str], status: int, said: str
) -> None:
    finished = subprocess.run(
        argv(hub, shelf, *options), env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert finished.returncode == status
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_file_of_something_else_is_not_gone_on_with(
    hub: RunningHub, shelf: Shelf, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "letter.csv"
    path.write_bytes(b"Dear Ada,\nthank you.\n")
    options = ["--output", str(path), "--resume"]
    finished = subprocess.run(
        argv(hub, shelf, *options), env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert (finished.returncode, path.read_bytes()) == (1, b"Dear Ada,\nthank you.\n")
    assert "no line of an export" in finished.stderr


_MEASURE = """
import resource, sys
from beszel_hub.cli.commands import run_command_line
status = run_command_line(sys.argv[1:])
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
raise SystemExit(status)
"""


@pytest.mark.parametrize("chosen", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_export(
    busy: str, hub: RunningHub, shelf: Shelf, environment: dict[str, str], tmp_path: Path, chosen: str
) -> None:
    """A twentieth of the span against all of it, whose readings would take some 40 MB if they were gathered."""

    def peak_kib(samples: int) -> int:
        end = ["--system", busy, "--to", str(NOON_MS + 1000 * samples)]
        options = ["--format", chosen, "--output", str(tmp_path / "history"), *end]
        command = [sys.executable, "-c", _MEASURE, *argv(hub, shelf, *options)[1:]]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return int(finished.stderr)

    assert peak_kib(BUSY_SAMPLES) - peak_kib(BUSY_SAMPLES // 20) < 20 << 10
