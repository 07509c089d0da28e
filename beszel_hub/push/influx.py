"""InfluxDB line protocol, as versions 1, 2 and 3 take it: one line for all numbers of one thing at one instant.

`disk[/].usage_percent` is the field `usage_percent` of the measurement `beszel_disk` with the tag `disk`. Units stay
ours. Every number is written as a float, so that no reading fixes a field to whole numbers.
"""

import gzip
from typing import Final

from beszel_hub.export.naming import PREFIX, key_labels, step_word
from beszel_hub.export.openmetrics import system_labels
from beszel_hub.export.plan import Source
from beszel_protocol.addresses import Address, flatten
from beszel_protocol.sample import Metrics

HEADERS: Final = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
_HOST: Final = "host"
"""The thing that numbers at the top of a sample are about."""
_VALUE: Final = "value"
"""The field of what is one number a key, such as a temperature."""
_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n", "\r": "\\r"})


def encode(source: Source, instant_ms: int, metrics: Metrics) -> bytes:
    """Every series of one sample."""
    fields: dict[str, list[str]] = {}
    base = system_labels(source)
    for address, value in flatten(metrics):
        measurement, field = _place(address)
        tags = base | dict(key_labels(address))
        shown = "".join(f",{name}={text}" for name, tag in tags.items() if (text := _escape(tag)))
        fields.setdefault(f"{measurement}{shown}", []).append(f"{field}={float(value)!r}")
    stamp = instant_ms * 1_000_000
    return "".join(f"{start} {','.join(numbers)} {stamp}\n" for start, numbers in fields.items()).encode()


def compress(body: bytes) -> bytes:
    return gzip.compress(body, 1)


def _place(address: Address) -> tuple[str, str]:
    *parts, last = address
    if last.key is not None:
        return "_".join((PREFIX, *(step_word(step.name) for step in address))), _VALUE
    return "_".join((PREFIX, *(step_word(step.name) for step in parts))) if parts else f"{PREFIX}_{_HOST}", last.name


def _escape(text: str) -> str:
    """A backslash at the end would escape what follows the tag."""
    return text.translate(_ESCAPES).rstrip("\\")
