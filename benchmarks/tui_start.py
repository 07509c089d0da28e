"""From the shell prompt to the first picture with data, measured on a real terminal against a real hub and agent.

    python benchmarks/tui_start.py [--json] [--quick]

Starts a hub and an agent of its own, waits until the agent's numbers are in, then starts `beszel-tui` several times in
a pseudo-terminal of 160x45 cells. The clock runs from just before the process is made until a terminal emulator that
reads its output shows the system's name and a percentage in its line. Key: `first_paint_seconds` (median).
"""

import argparse
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyte

COLUMNS: Final = 160
LINES: Final = 45
SYSTEM: Final = "bench-host"
LIMIT_SECONDS: Final = 30.0
_DATA = re.compile(rf"{SYSTEM}.*\d%")


def main() -> None:
    parser = argparse.ArgumentParser(description="Prompt to first picture with data.")
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--quick", action="store_true", help="fewer runs, under 45 seconds")
    options = parser.parse_args()
    runs = 7 if options.quick else 21
    with tempfile.TemporaryDirectory() as folder, live_hub(Path(folder)) as environment:
        first_paint(environment)  # fills the file cache and writes byte code: not what somebody waits for each day
        seconds = [first_paint(environment) for _ in range(runs)]
    figures = {
        "first_paint_seconds": round(statistics.median(seconds), 3),
        "first_paint_seconds_best": round(min(seconds), 3),
        "first_paint_seconds_worst": round(max(seconds), 3),
        "runs": runs,
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"beszel-tui, {COLUMNS}x{LINES}, {runs} runs: from its start until the screen shows a live system")
    for name, value in figures.items():
        print(f"  {name:28} {value}")


def first_paint(environment: dict[str, str]) -> float:
    """Seconds until the terminal shows data."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "beszel_tui"],
        stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        while time.perf_counter() - began < LIMIT_SECONDS:
            ready, _, _ = select.select([master], [], [], 0.5)
            if not ready:
                continue
            arrived = time.perf_counter()
            stream.feed(os.read(master, 1 << 16))
            if any(_DATA.search(line) for line in screen.display):
                return arrived - began
    finally:
        _stop(process, master)
    raise SystemExit("nothing was painted:\n" + "\n".join(screen.display))


def _stop(process: "subprocess.Popen[bytes]", master: int) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(OSError):
        while process.poll() is None and select.select([master], [], [], 5)[0]:
            os.read(master, 1 << 16)
    process.wait(10)
    os.close(master)


@contextlib.contextmanager
def live_hub(folder: Path) -> Iterator[dict[str, str]]:
    """A hub with one live system; the environment that a client of it needs."""
    data = folder / "hub"
    base = {name: value for name, value in os.environ.items() if not name.startswith("BESZEL_")}
    with _running(base, "beszel_hub", "serve", "--http", "127.0.0.1:0", "--dir", str(data)):
        _wait_for(lambda: (data / "address").exists() and (data / "address").read_text().strip())
        address = (data / "address").read_text().strip()
        _hub_command(base, data, "user", "create", "b@example.org", "--role", "admin", "--password-file", "-")
        enrolled = json.loads(_hub_command(base, data, "enrol", SYSTEM, "--user", "b@example.org", "--json"))
        made = _hub_command(base, data, "token", "create", "--user", "b@example.org", "--scope", "read", "--json")
        agent = {**base, "KEY": enrolled["key"], "TOKEN": enrolled["token"], "HUB_URL": address,
                 "DATA_DIR": str(folder / "agent")}  # fmt: skip
        client = {**base, "BESZEL_HUB": address, "BESZEL_TOKEN": json.loads(made)["token"], "HOME": str(folder),
                  "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}  # fmt: skip
        with _running(agent, "beszel_agent", "run"):
            _wait_for(lambda: _is_up(client))
            yield client


def _is_up(client: dict[str, str]) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "beszel_tui", "status", "--json"], env=client, capture_output=True, check=False
    )
    return done.returncode == 0 and any("cpu_percent" in row for row in json.loads(done.stdout)["systems"])


def _hub_command(environment: dict[str, str], data: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "beszel_hub", *arguments, "--dir", str(data)],
        env=environment, input="correct horse battery", text=True, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


@contextlib.contextmanager
def _running(environment: dict[str, str], module: str, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(condition: Any) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > limit:
            raise SystemExit("the hub or the agent did not come up")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
