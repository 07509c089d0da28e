r"""The filter line: `web cpu>50 tag:prod !paused /^db-\d+$/` — terms that must all hold.

    word, "two words"      in the name, the host or a tag; or a status (`up` `down` `paused` `pending`)
    cpu>50  net>=1.5M      a number of the row: cpu mem disk net rx tx load temp svc failed cores uptime
    tag:prod name:web      in one field: name host tag status agent
    /expression/           a regular expression on the name or the host
    !term                  the opposite

A system that does not tell a number is not above nor below anything.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from beszel_protocol.feed import FleetRow
from beszel_tui.errors import FilterError
from beszel_tui.state.numbers import NUMBERS

Predicate: TypeAlias = Callable[[FleetRow], bool]

MAX_LENGTH: Final = 300
_MAX_MATCHED: Final = 128

_TERM = re.compile(
    r"""\s*(?P<negation>!?)(?:
        /(?P<regex>(?:[^/\\]|\\.)*)/(?=\s|$)
      | "(?P<quoted>[^"]*)"
      | (?P<number>[a-z]+)(?P<operator><=|>=|!=|[<>=])(?P<value>[^\s]+)
      | (?P<field>[a-z]+):(?:"(?P<field_quoted>[^"]*)"|(?P<field_value>[^\s]*))
      | (?P<word>[^\s]+)
    )""",
    re.VERBOSE,
)
_VALUE = re.compile(r"(?P<amount>\d+(?:\.\d+)?)(?P<suffix>%|°|°C|[smhdwkKMGTP]?)B?(?:/s)?", re.ASCII)
_SUFFIXES: Final[Mapping[str, float]] = {
    "": 1, "%": 1, "°": 1, "°C": 1, "k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50,
}  # fmt: skip
_DURATIONS: Final[Mapping[str, float]] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_STATUSES: Final = ("up", "down", "paused", "pending")
_FIELDS: Final[Mapping[str, Callable[[FleetRow], list[str]]]] = {
    "name": lambda row: [row.name],
    "host": lambda row: [row.host],
    "tag": lambda row: row.tags or [],
    "status": lambda row: [row.status],
    "is": lambda row: [row.status],
    "agent": lambda row: [row.agent_version or ""],
}


class Filter(NamedTuple):
    """A parsed filter line; one without terms lets everything through."""

    text: str
    terms: tuple[Predicate, ...]

    def matches(self, row: FleetRow) -> bool:
        return all(term(row) for term in self.terms)


NO_FILTER: Final = Filter("", ())


def parse_filter(text: str) -> Filter:
    """Raise `FilterError`, with a sentence that can be shown beside the line."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH} characters")
    terms: list[Predicate] = []
    position = 0
    while position < len(text) and (match := _TERM.match(text, position)) is not None:
        term = _term(match)
        terms.append(_not(term) if match["negation"] else term)
        position = match.end()
    return Filter(text.strip(), tuple(terms))


def _term(match: re.Match[str]) -> Predicate:
    if match["regex"] is not None:
        return _regex(match["regex"])
    if match["number"] is not None:
        return _comparison(match["number"], match["operator"], match["value"])
    if match["field"] is not None:
        return _field(match["field"], match["field_quoted"] or match["field_value"] or "")
    return _word(match["word"] if match["quoted"] is None else match["quoted"])


def _regex(source: str) -> Predicate:
    try:
        expression = re.compile(source.replace("\\/", "/"), re.IGNORECASE)
    except re.error as error:
        raise FilterError(f"not a regular expression: {error}") from error
    return lambda row: any(expression.search(text[:_MAX_MATCHED]) for text in (row.name, row.host))


def _comparison(name: str, sign: str, value: str) -> Predicate:
    number = NUMBERS.get(name)
    if number is None:
        raise FilterError(f"no number is called {name!r}: {' '.join(NUMBERS)}")
    match = _VALUE.fullmatch(value)
    suffixes = _DURATIONS if number.is_duration else _SUFFIXES
    if match is None or match["suffix"] not in suffixes:
        raise FilterError(f"{value!r} is not a number to compare {name} with")
    bound = float(match["amount"]) * suffixes[match["suffix"]]
    compare = _OPERATORS[sign]

    def holds(row: FleetRow) -> bool:
        reading = number.read(row)
        return reading is not None and compare(reading, bound)

    return holds


def _field(name: str, value: str) -> Predicate:
    read = _FIELDS.get(name)
    if read is None:
        return _word(f"{name}:{value}")  # `::1` and `web:8080` are words
    wanted = value.casefold()
    if name in {"tag", "status", "is"}:
        return lambda row: any(text.casefold().startswith(wanted) for text in read(row))
    return lambda row: any(wanted in text.casefold() for text in read(row))


def _word(word: str) -> Predicate:
    wanted = word.casefold()
    if wanted in _STATUSES:
        return lambda row: row.status == wanted
    return lambda row: any(wanted in text.casefold() for text in (row.name, row.host, *(row.tags or ())))


def _not(term: Predicate) -> Predicate:
    return lambda row: not term(row)
