"""Frames of simulated agents: samples recorded from this host by the agent's own sampler, varied from host to host.

Encoding and deflating is done beforehand, so that who sends them limits nothing. Every host of a kind has frames that
deflate like a real stream: each refers to the one before.
"""

import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import load_config
from beszel_agent.paths import HostPaths
from beszel_agent.sampler import start_sampler
from beszel_protocol.timestamps import format_timestamp

KINDS: Final = 20
BUSY_SHARE: Final = 10
"""Every how manieth kind of host runs containers."""
CONTAINERS: Final = 20
_WINDOW_BITS, _MEMORY_LEVEL = -12, 5
"""As the hub and the agent negotiate."""
_TEXT_FIRST_DEFLATED: Final = 0xC1
_MASKED: Final = 0x80
_NO_MASK: Final = bytes(4)


class Recording(NamedTuple):
    """Successive samples, as JSON documents."""

    documents: list[dict[str, Any]]

    def at(self, number: int) -> dict[str, Any]:
        """The recording over and over, in which counters go on."""
        rounds, index = divmod(number, len(self.documents))
        document = self.documents[index]
        return _shifted(document, self.documents[0], self.documents[-1], rounds) if rounds else document


class Frames(NamedTuple):
    wire: list[bytes]
    """What goes through the socket, the n-th of sequence n + 1."""
    payload_bytes: list[int]
    documents: list[bytes]
    """The metrics alone, as they are stored."""


def record(samples: int) -> Recording:
    """Takes a second a sample, as an agent does."""
    sampler = start_sampler(COLLECTORS, HostPaths(), load_config({}, {}, Path("/dev/null")).config)
    sampler.read()
    documents = []
    for _ in range(samples):
        time.sleep(1)
        documents.append(msgspec.to_builtins(sampler.read().metrics))
    return Recording(documents)


def make_frames(recording: Recording, kind: int, count: int, start_ms: int) -> Frames:
    """One a second from `start_ms` on; the boot clock starts with them."""
    chance = Random(kind)  # noqa: S311  # not for secrets
    share = chance.uniform(0.4, 1.0)
    compressor = zlib.compressobj(wbits=_WINDOW_BITS, memLevel=_MEMORY_LEVEL)
    wire, sizes, documents = [], [], []
    for number in range(count):
        document = _scaled(recording.at(number), share)
        if kind % BUSY_SHARE == BUSY_SHARE - 1:
            document["containers"] = [_container(chance, index, number) for index in range(CONTAINERS)]
        payload = msgspec.json.encode({
            "type": "sample", "sequence": number + 1, "timestamp": format_timestamp(start_ms + 1000 * number),
            "boot_ms": 1000 * number, "metrics": document,
        })  # fmt: skip
        deflated = (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
        wire.append(_frame(deflated))
        sizes.append(len(payload))
        documents.append(msgspec.json.encode(document))
    return Frames(wire, sizes, documents)


def _frame(payload: bytes) -> bytes:
    """A masked text frame, whose mask changes nothing."""
    if len(payload) < 126:
        head = bytes((_TEXT_FIRST_DEFLATED, _MASKED | len(payload)))
    else:
        head = bytes((_TEXT_FIRST_DEFLATED, _MASKED | 126)) + len(payload).to_bytes(2)
    return head + _NO_MASK + payload


def _container(chance: Random, index: int, number: int) -> dict[str, Any]:
    return {
        "id": f"{index:012x}", "name": f"service-{index}", "cpu_percent": round(chance.uniform(0, 4), 2),
        "memory_bytes": (300 + index) * 1_048_576 + 4096 * chance.randrange(200), "pids": 12 + index,
        "network_rx": 1_000_000 * index + 2100 * number, "network_tx": 900_000 * index + 1500 * number,
        "rx_bytes_per_second": float(chance.randrange(4000)), "tx_bytes_per_second": float(chance.randrange(3000)),
        "read_bytes_per_second": 0.0, "write_bytes_per_second": 4096.0 * chance.randrange(3), "health": "healthy",
        "status": "Up",
    }  # fmt: skip


def _scaled(node: Any, share: float) -> Any:
    """Percentages and rates of a host that has less to do."""
    if isinstance(node, dict):
        return {key: _scaled(value, share) for key, value in node.items()}
    if isinstance(node, list):
        return [_scaled(value, share) for value in node]
    return round(node * share, 2) if isinstance(node, float) else node


def _shifted(node: Any, first: Any, last: Any, rounds: int) -> Any:
    """Whole numbers that grew while they were recorded go on growing."""
    if isinstance(node, dict) and isinstance(first, dict) and isinstance(last, dict):
        return {key: _shifted(value, first.get(key), last.get(key), rounds) for key, value in node.items()}
    if isinstance(node, list) and _are_lists(first, last):
        width = min(len(node), len(first), len(last))
        shifted = [_shifted(node[i], first[i], last[i], rounds) for i in range(width)]
        return shifted + node[width:]
    if type(node) is type(first) is type(last) is int and last > first:
        return node + rounds * (last - first)
    return node


def _are_lists(*nodes: Any) -> bool:
    return all(isinstance(node, list) for node in nodes)


def mean_bytes(frames: Sequence[Frames], *, is_wire: bool) -> float:
    sizes = [size for kind in frames for size in (map(len, kind.wire) if is_wire else kind.payload_bytes)]
    return sum(sizes) / max(1, len(sizes))
