"""What a running agent costs its host: processor time a sample, memory, bytes on the wire.

    python benchmarks/agent_footprint.py [--json] [--quick] [--minutes N] [--processes N] [--interfaces N]

Starts a real hub and a real agent at one sample a second, with a relay between them that counts what passes, on a host
with hundreds of processes and four interfaces, waits until the agent has settled, then watches it for N minutes.

The agent's allocator is set as the unit of systemd sets it.

* `cpu_ms_per_sample`: user and system time of all threads of the agent, by the kernel's process clock (nanoseconds,
  threads that ended included), divided by the samples that the hub stored in that time.
* `resident_mb`, `private_mb`, `anonymous_mb`: from `/proc/<pid>/smaps_rollup` at the end. Private pages are mapped by
  no other process at that moment; the hub runs with the same interpreter, as pages of its files are shared by all that
  use them. Anonymous ones are in no file at all, whoever else runs.
* `growth_mb`: resident at the end, less resident after two minutes.
* `wire_bytes_per_second`: both directions, inside TCP, WebSocket frames and compression included.

After that, what each collector and what the sample itself cost, by the clock of a thread that does the same.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from busy_host import INSIDE, enter_network, processes, traffic
from sample_costs import measure_costs

ADMIN: Final = "ada@example.org"
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a hub that lives for a minute
SETTLE_SECONDS: Final = 8.0
START_SECONDS: Final = 15.0
GROWTH_FROM_SECONDS: Final = 120.0
COSTS_SECONDS: Final = 20
UNIT: Final = Path(__file__).parent.parent / "deploy/systemd/beszel-agent.service"
_PROCESS_CLOCK: Final = 2


class Enrolled(NamedTuple):
    key: str
    token: str
    read_token: str
    port: int


class Memory(NamedTuple):
    resident_mb: float
    private_mb: float
    anonymous_mb: float


class Relay:
    """Passes the agent's connection on to the hub and counts."""

    def __init__(self, hub_port: int) -> None:
        self._hub_port = hub_port
        self.sent_bytes = self.received_bytes = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hub_reader, hub_writer = await asyncio.open_connection("127.0.0.1", self._hub_port)
        with contextlib.suppress(ConnectionError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, hub_writer, upwards=True))
                tasks.create_task(self._pump(hub_reader, writer, upwards=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool) -> None:
        while data := await reader.read(64 << 10):
            self.sent_bytes += len(data) * upwards
            self.received_bytes += len(data) * (not upwards)
            writer.write(data)
            await writer.drain()
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="What a running agent costs its host.")
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--quick", action="store_true", help="under 45 seconds in all")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to watch (default 10)")
    parser.add_argument("--processes", type=int, default=300, help="how many run beside it (default 300)")
    parser.add_argument("--interfaces", type=int, default=4, help="how many the host has, for root (default 4)")
    options = parser.parse_args()
    enter_network(options.interfaces)
    seconds = 20.0 if options.quick else options.minutes * 60
    with tempfile.TemporaryDirectory() as folder, processes(options.processes), traffic():
        with hub_with_system(Path(folder)) as enrolled:
            figures = asyncio.run(measure(enrolled, Path(folder), seconds))
        costs_us = {} if options.quick else measure_costs(COSTS_SECONDS)
    figures |= {"processes": options.processes, "interfaces": int(os.environ.get(INSIDE, "0"))}
    if options.json:
        print(json.dumps(figures | {f"cost_us_{name}": cost_us for name, cost_us in costs_us.items()}))
        return
    print(f"beszel-agent on Python {platform.python_version()}, {os.cpu_count()} processors, one sample a second")
    for name, value in (figures | {f"  {name}, us": cost_us for name, cost_us in costs_us.items()}).items():
        print(f"  {name:28} {value}")
    print(
        "Measured at the agent's process: its clock and /proc/<pid>/smaps_rollup; the wire at a relay before the hub."
    )


async def measure(enrolled: Enrolled, folder: Path, seconds: float) -> dict[str, float]:
    relay = Relay(enrolled.port)
    async with relay.running() as port:
        with running_agent(enrolled, port, folder) as agent:
            await _until_streaming(enrolled)
            await asyncio.sleep(SETTLE_SECONDS)
            started, cpu, wire = time.monotonic(), cpu_seconds(agent.pid), relay.sent_bytes + relay.received_bytes
            stored = await asyncio.to_thread(count_samples, enrolled)
            settled_seconds = min(GROWTH_FROM_SECONDS, seconds / 5)
            await asyncio.sleep(settled_seconds)
            settled = memory_of(agent.pid)
            await asyncio.sleep(seconds - settled_seconds)
            elapsed, cpu = time.monotonic() - started, cpu_seconds(agent.pid) - cpu
            wire = relay.sent_bytes + relay.received_bytes - wire
            samples = await asyncio.to_thread(count_samples, enrolled) - stored
            memory = memory_of(agent.pid)
    return {
        "cpu_ms_per_sample": round(1000 * cpu / samples, 3),
        "resident_mb": memory.resident_mb,
        "private_mb": memory.private_mb,
        "anonymous_mb": memory.anonymous_mb,
        "growth_mb": round(memory.resident_mb - settled.resident_mb, 1),
        "wire_bytes_per_second": round(wire / elapsed, 1),
        "cpu_percent_of_one_core": round(100 * cpu / elapsed, 3),
        "samples": samples,
        "seconds": round(elapsed, 1),
    }


def cpu_seconds(pid: int) -> float:
    """Of a process with all its threads; the clock's number is how clock_getcpuclockid(3) makes it."""
    return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)


def memory_of(pid: int) -> Memory:
    sizes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[-1] == "kB":
            sizes[words[0].rstrip(":")] = int(words[1])
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Memory(*(round(size / 1024, 1) for size in (sizes["Rss"], private, sizes["Anonymous"])))


def count_samples(enrolled: Enrolled) -> int:
    query = urllib.parse.urlencode({"filter": "type = 'cpu'", "perPage": 1})
    answer = _get(enrolled.port, f"/api/collections/metrics/records?{query}", enrolled.read_token)
    return int(answer["totalItems"])


async def _until_streaming(enrolled: Enrolled) -> None:
    async with asyncio.timeout(START_SECONDS):
        while await asyncio.to_thread(count_samples, enrolled) < 2:  # noqa: ASYNC110 - another program
            await asyncio.sleep(0.2)


@contextmanager
def running_agent(enrolled: Enrolled, port: int, folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = _environment(
        folder,
        KEY=enrolled.key,
        TOKEN=enrolled.token,
        HUB_URL=f"http://127.0.0.1:{port}",
        DATA_DIR=str(folder / "agent"),
        LOG_LEVEL="error",
        **{name: value for name, value in unit_environment().items() if name.startswith("MALLOC_")},
        **settings,
    )
    with _process([sys.executable, "-m", "beszel_agent", "run"], environment) as agent:
        yield agent


def unit_environment() -> dict[str, str]:
    """What the unit of systemd gives the agent."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    settings = [line.removeprefix("Environment=").partition("=") for line in lines if line.startswith("Environment=")]
    return {name: value for name, _, value in settings}


@contextmanager
def hub_with_system(folder: Path) -> Iterator[Enrolled]:
    """A hub with one user and one system."""
    port, data = _free_port(), str(folder / "hub")
    hub = [sys.executable, "-m", "beszel_hub"]
    environment = _environment(folder)

    def command(*arguments: str, stdin: str = "") -> Any:
        argv = [*hub, *arguments, "--dir", data]
        return subprocess.run(argv, env=environment, input=stdin, capture_output=True, text=True, check=True).stdout

    with _process([*hub, "serve", "--http", f"127.0.0.1:{port}", "--dir", data], environment):
        _until_healthy(port)
        command("user", "create", ADMIN, "--role", "admin", "--password-file", "-", stdin=PASSWORD)
        system = json.loads(command("enrol", "bench-host", "--user", ADMIN, "--json"))
        token = json.loads(command("token", "create", "--user", ADMIN, "--scope", "read", "--json"))["token"]
        yield Enrolled(system["key"], system["token"], token, port)


@contextmanager
def _process(argv: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    silent = subprocess.DEVNULL
    process = subprocess.Popen(argv, env=environment, stdin=silent, stdout=silent, stderr=silent)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    """Nothing of the settings of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "LC_ALL": "C.UTF-8", **settings}


def _until_healthy(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _get(port, "/api/health", "")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _get(port: int, path: str, token: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": token})
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        return json.load(response)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
