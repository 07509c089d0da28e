"""What each network interface counted, from `/proc/net/dev`.

A host of containers has an interface for each of them, and few that count: numbers are made of the words of those only
that are asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostFile

_ROW_WORDS: Final = 17
"""A name and sixteen numbers; the format is that of proc(5)."""


class Counters(msgspec.Struct, frozen=True, gc=False):
    """Of one interface since it came up."""

    recv_bytes: int
    recv_packets: int
    recv_errors: int
    recv_drops: int
    sent_bytes: int
    sent_packets: int
    sent_errors: int
    sent_drops: int


class Table(Protocol):
    """All interfaces at one instant."""

    names: frozenset[str]
    """The same object as long as the same interfaces are there, if that is cheap to know."""

    def counters(self, name: str) -> Counters:
        """Of one of `names`."""


class Parsed:
    """A table that is numbers already."""

    def __init__(self, found: Mapping[str, Counters]) -> None:
        self._found = found
        self.names = frozenset(found)

    def counters(self, name: str) -> Counters:
        return self._found[name]


class NetDev:
    """The kernel's table, read again and again."""

    def __init__(self, file: HostFile) -> None:
        self._file = file
        self._first = 0
        self._words: list[bytes] = []
        """The names as they stand there, `eth0:`; empty while rows are not what they should be."""
        self._places: dict[str, int] = {}
        self._names: frozenset[str] = frozenset()

    def read(self) -> Table:
        """Raise OSError or `ReadingFailed`."""
        text = self._file.read()
        words = text.split()
        if not self._words or words[self._first :: _ROW_WORDS] != self._words:
            self._lay_out(words)
        if not self._words:
            return Parsed(parse_net_dev(text))
        return _Words(words, self._places, self._names)

    def _lay_out(self, words: Sequence[bytes]) -> None:
        self._words = []
        self._first = next((place for place, word in enumerate(words) if word.endswith(b":")), len(words))
        names = list(words[self._first :: _ROW_WORDS])
        numbers = [word for place, word in enumerate(words[self._first :]) if place % _ROW_WORDS]
        if len(numbers) != len(names) * (_ROW_WORDS - 1) or not all(word.isdigit() for word in numbers):
            return
        if not all(name.endswith(b":") for name in names):
            return
        decoded = [name[:-1].decode("utf-8", "replace") for name in names]
        self._places = {name: self._first + row * _ROW_WORDS for row, name in enumerate(decoded)}
        self._words, self._names = names, frozenset(decoded)


class _Words:
    def __init__(self, words: Sequence[bytes], places: Mapping[str, int], names: frozenset[str]) -> None:
        self._words, self._places = words, places
        self.names = names

    def counters(self, name: str) -> Counters:
        place, words = self._places[name], self._words
        return Counters(*map(int, words[place + 1 : place + 5]), *map(int, words[place + 9 : place + 13]))


def parse_net_dev(text: bytes) -> dict[str, Counters]:
    """Counters by interface. A line that does not fit the format of proc(5) is skipped; none at all is a failure."""
    found: dict[str, Counters] = {}
    for line in text.splitlines():
        name, colon, rest = line.rpartition(b":")
        words = rest.split()
        if not colon or len(words) < 12:
            continue
        try:
            received, sent = [int(word) for word in words[:4]], [int(word) for word in words[8:12]]
        except ValueError:
            continue
        found[name.strip().decode("utf-8", "replace")] = Counters(*received, *sent)
    if not found:
        raise ReadingFailed("/proc/net/dev: no interface")
    return found
