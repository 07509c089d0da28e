"""Prometheus remote-write 1.0: a protobuf `WriteRequest`, compressed by snappy (prometheus/prometheus `prompb`).

    WriteRequest  1: repeated TimeSeries
    TimeSeries    1: repeated Label, sorted by name · 2: repeated Sample
    Label         1: string name · 2: string value
    Sample        1: double value · 2: int64 timestamp in milliseconds

Bodies are encoded series one after the other, so what is encoded of each sample can wait and be joined later.
"""

import struct
from typing import Final

from beszel_hub.export.naming import families, key_labels
from beszel_hub.export.openmetrics import system_labels
from beszel_hub.export.plan import Source
from beszel_hub.export.thrift import varint
from beszel_protocol.addresses import Address, flatten
from beszel_protocol.sample import Metrics

HEADERS: Final = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_MAX_KNOWN: Final = 200_000
"""Series whose labels are remembered, at about 200 bytes each."""

_BYTES_1: Final = b"\x0a"  # field 1, length-delimited
_BYTES_2: Final = b"\x12"
_DOUBLE_1: Final = b"\x09"
_VARINT_2: Final = b"\x10"


class RemoteWriteEncoder:
    def __init__(self) -> None:
        self._labels: dict[tuple[Source, Address], tuple[bytes, float]] = {}

    def encode(self, source: Source, instant_ms: int, metrics: Metrics) -> bytes:
        """Every series of one sample."""
        timestamp = _VARINT_2 + varint(instant_ms)
        return b"".join(self._series(source, address, value, timestamp) for address, value in flatten(metrics))

    def _series(self, source: Source, address: Address, value: float, timestamp: bytes) -> bytes:
        labels, factor = self._known(source, address)
        sample = _DOUBLE_1 + struct.pack("<d", value * factor) + timestamp
        return _delimited(_BYTES_1, labels + _delimited(_BYTES_2, sample))

    def _known(self, source: Source, address: Address) -> tuple[bytes, float]:
        """The encoded labels of a series, and the factor to its base unit."""
        known = self._labels.get((source, address))
        if known is None:
            if len(self._labels) >= _MAX_KNOWN:
                self._labels.clear()
            family = families()[address.pattern]
            labels = {"__name__": family.sample_name, **system_labels(source), **dict(key_labels(address))}
            known = b"".join(_label(name, text) for name, text in sorted(labels.items())), family.factor
            self._labels[source, address] = known
        return known


def compress(body: bytes) -> bytes:
    """Snappy's block format, which remote-write asks for."""
    import cramjam  # noqa: PLC0415  # only hubs that push need it

    return bytes(cramjam.snappy.compress_raw(body))


def _label(name: str, value: str) -> bytes:
    return _delimited(_BYTES_1, _delimited(_BYTES_1, name.encode()) + _delimited(_BYTES_2, value.encode()))


def _delimited(tag: bytes, body: bytes) -> bytes:
    return tag + varint(len(body)) + body
