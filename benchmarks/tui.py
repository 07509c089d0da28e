"""What the terminal client costs, measured on the real program in a pseudo-terminal of 160x45 cells.

    PYTHONPATH=. python benchmarks/tui.py [--json] [--quick]

`first_paint_seconds`        from before the process is made until a live system is on the screen; a real hub and agent
`key_to_paint_ms_N`          from a key (cursor down) until the line under the cursor is painted so; N systems, all of
                             which change each second meanwhile; median, and of 1,000 systems also the 95th percentile
`sort_to_paint_ms_1000`      the same for the key that turns their order round
`cpu_percent_live_100`       of one core, 100 systems that all change each second
`cpu_percent_unfocused`      the same, once the terminal has told that it lost the focus
`cpu_percent_idle`           of one core, when no system changes; only the clock goes on
`resident_mb`, `private_mb`  after that
`terminal_bytes_per_second_40`  to the terminal, with 40 systems on it that all change each second

The fleet comes from a stand-in for a hub in this process, whose work is not counted.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import pyte
import tui_start
from feedhub import FeedHub, feed_hub

COLUMNS: Final = 160
LINES: Final = 45
LIMIT_SECONDS: Final = 30.0
FLEETS: Final = (10, 100, 1000)
_BYTES: Final = (["terminal_bytes_per_second_40"], ["terminal_bytes_per_second_40_slow", "--slow"])
"""Figures, and with which options the client is started for them."""
_HEADER_LINE: Final = 1
_FIRST_LINE: Final = 2
_FOCUS_LOST: Final = "\x1b[O"
_FOCUS_GAINED: Final = "\x1b[I"
_SETTLE_SECONDS: Final = 1.0
"""Until what a start brings with it is over."""

Figures = dict[str, float]


class Lengths(NamedTuple):
    starts: int
    keys: int
    cpu_seconds: float
    bytes_seconds: float


class Client:
    """`beszel-tui` in a pseudo-terminal; made by `running_client`."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.received_bytes = 0
        self._stream = pyte.ByteStream(self.screen)
        self._master = master

    def send(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> bool:
        """Take in one piece of output; False if none came in that time."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 1 << 16)
        self.received_bytes += len(data)
        self._stream.feed(data)
        return True

    def watch(self, seconds: float) -> None:
        """Take in all output of so long a time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def until(self, condition: Callable[[], bool]) -> float:
        """The instant when the output arrived after which `condition` holds."""
        limit = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < limit:
            if self.read(0.5):
                arrived = time.perf_counter()
                if condition():
                    return arrived
        raise SystemExit("the screen did not become what it should:\n" + "\n".join(self.screen.display))

    def cpu_seconds(self) -> float:
        """Of all its threads, to the nanosecond: `stat` counts in hundredths, which is what an idle client uses."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def memory_mb(self) -> tuple[float, float]:
        """Resident and private memory."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        return kib["Rss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="What the terminal client costs.")
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, under 45 seconds")
    options = parser.parse_args()
    lengths = Lengths(2, 10, 3, 4) if options.quick else Lengths(9, 40, 15, 15)
    figures = measure(lengths)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"beszel-tui, {COLUMNS}x{LINES}")
    for name, value in figures.items():
        print(f"  {name:30} {value}")


def measure(lengths: Lengths) -> Figures:
    figures: Figures = {"first_paint_seconds": round(_first_paint(lengths.starts), 3)}
    for systems in FLEETS:
        with feed_hub(systems) as hub, running_client(hub) as client:
            figures |= _keys(client, systems, lengths.keys)
            if systems == 100:
                figures |= _load(client, hub, lengths.cpu_seconds)
    for name, *arguments in _BYTES:
        with feed_hub(40) as hub, running_client(hub, *arguments) as client:
            before = client.received_bytes
            seconds = max(lengths.bytes_seconds, 10) if arguments else lengths.bytes_seconds
            client.watch(seconds)
            sent = (client.received_bytes - before) / seconds
            figures[name] = round(sent)
    return figures


def _first_paint(starts: int) -> float:
    with tempfile.TemporaryDirectory() as folder, tui_start.live_hub(Path(folder)) as environment:
        tui_start.first_paint(environment)  # fills the file cache and writes byte code
        return statistics.median(tui_start.first_paint(environment) for _ in range(starts))


def _keys(client: Client, systems: int, count: int) -> Figures:
    figures: Figures = {}
    taken = [_move(client, line) for line in _lines(min(systems, LINES - 4), count)]
    figures[f"key_to_paint_ms_{systems}"] = round(statistics.median(taken), 1)
    if systems == FLEETS[-1]:
        figures[f"key_to_paint_p95_ms_{systems}"] = round(sorted(taken)[int(len(taken) * 0.95)], 1)
        sorts = [_sort(client) for _ in range(count // 2)]
        figures[f"sort_to_paint_ms_{systems}"] = round(statistics.median(sorts), 1)
    return figures


def _lines(last: int, count: int) -> Iterator[int]:
    """Where the cursor goes, from line to line: down to `last`, then up to the top, and again."""
    line, step = 0, 1
    for _ in range(count):
        if not 0 <= line + step < last:
            step = -step
        line += step
        yield line


def _move(client: Client, line: int) -> float:
    """Milliseconds until the cursor is painted on `line`; at another moment of the second each time."""
    client.watch(0.137)
    before = _cursor_line(client.screen)
    client.send("j" if line > before else "k")
    sent = time.perf_counter()
    return (client.until(lambda: _cursor_line(client.screen) == line) - sent) * 1000


def _cursor_line(screen: pyte.Screen) -> int:
    """The line of the table whose background is another one than that of the line with the titles."""
    plain = screen.buffer[_HEADER_LINE][2].bg
    lines = (y for y in range(_FIRST_LINE, LINES - 1) if screen.buffer[y][2].bg != plain)
    return next(lines, -1) - _FIRST_LINE


def _sort(client: Client) -> float:
    client.watch(0.237)
    before = client.screen.display[_HEADER_LINE]
    client.send("S")
    sent = time.perf_counter()
    return (client.until(lambda: client.screen.display[_HEADER_LINE] != before) - sent) * 1000


def _load(client: Client, hub: FeedHub, seconds: float) -> Figures:
    client.watch(1)
    live = _cpu_percent(client, seconds)
    resident, private = client.memory_mb()
    client.send(_FOCUS_LOST)
    client.watch(1)
    unfocused = _cpu_percent(client, seconds)
    client.send(_FOCUS_GAINED)
    hub.is_live = False
    client.watch(2)
    idle = _cpu_percent(client, seconds)
    return {
        "cpu_percent_live_100": round(live, 2), "cpu_percent_unfocused": round(unfocused, 2),
        "cpu_percent_idle": round(idle, 2),
        "resident_mb": round(resident, 1), "private_mb": round(private, 1),
    }  # fmt: skip


def _cpu_percent(client: Client, seconds: float) -> float:
    cpu, clock = client.cpu_seconds(), time.monotonic()
    client.watch(seconds)
    return (client.cpu_seconds() - cpu) / (time.monotonic() - clock) * 100


@contextmanager
def running_client(hub: FeedHub, *arguments: str) -> Iterator[Client]:
    """The client with the fleet of `hub` on its screen."""
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BESZEL_")}
        environment |= {
            "BESZEL_HUB": f"http://127.0.0.1:{hub.port}", "BESZEL_TOKEN": "none", "HOME": home,
            "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8",
        }  # fmt: skip
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "beszel_tui", *arguments],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        client = Client(process, master)
        try:
            client.until(lambda: "host-0001" in client.screen.display[_FIRST_LINE + 1])
            client.watch(_SETTLE_SECONDS)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(OSError):
                while process.poll() is None and client.read(5):
                    pass
            process.wait(10)
            os.close(master)


if __name__ == "__main__":
    main()
