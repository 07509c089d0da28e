r"""The filter line: `web cpu>50 tag:prod !paused /^db-\d+$/` — terms that must all hold.

    word, "two words"      in the texts of the row; or one of its states
    cpu>50  net>=1.5M      a number of the row
    tag:prod name:web      in one field
    /expression/           a regular expression on what names the row
    !term                  the opposite

A row that does not tell a number is not above nor below anything. What there is to compare is the `Vocabulary` of a
table.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from beszel_protocol.feed import FleetRow
from beszel_tui.errors import FilterError
from beszel_tui.state.hubs import hub_of
from beszel_tui.state.numbers import NUMBERS, Number

Predicate: TypeAlias = Callable[[Any], bool]
Texts: TypeAlias = Callable[[Any], list[str]]

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


class Vocabulary(NamedTuple):
    """What the terms of one table's filter can be about."""

    numbers: Mapping[str, Number]
    fields: Mapping[str, Texts]
    prefixed: frozenset[str]
    """Fields that are compared from their beginning; the others anywhere."""
    words: Texts
    """Where a word is looked for."""
    names: Texts
    """Where a regular expression is."""
    states: Mapping[str, Texts]
    """Words that stand for a state, which the texts of a row then have to name exactly."""
    hint: str
    """What an empty line shows."""
    help: tuple[tuple[str, str], ...]
    """Terms, and what each says."""


def _status(row: FleetRow) -> list[str]:
    return [row.status]


FLEET: Final = Vocabulary(
    numbers=NUMBERS,
    fields={
        "name": lambda row: [row.name],
        "host": lambda row: [row.host],
        "tag": lambda row: row.tags or [],
        "status": _status,
        "is": _status,
        "agent": lambda row: [row.agent_version or ""],
        "hub": lambda row: [hub_of(row.id)],
    },
    prefixed=frozenset({"tag", "status", "is"}),
    words=lambda row: [row.name, row.host, *(row.tags or ())],
    names=lambda row: [row.name, row.host],
    states=dict.fromkeys(("up", "down", "paused", "pending"), _status),
    hint="words  cpu>80  tag:prod  !paused  /regex/",
    help=(
        ("web", "in the name, the host or a tag; up, down, paused, pending: the status"),
        ("cpu>80", "also mem disk net rx tx load temp svc failed cores uptime; 1.5M, 3d"),
        ("tag:prod", "also name: host: status: agent:"),
        ("/^db-\\d/", "a regular expression"),
        ("!paused", "the opposite; all terms must hold"),
    ),
)


class Filter(NamedTuple):
    """A parsed filter line; one without terms lets everything through."""

    text: str
    terms: tuple[Predicate, ...]

    def matches(self, row: Any) -> bool:
        return all(term(row) for term in self.terms)


NO_FILTER: Final = Filter("", ())


def parse_filter(text: str, vocabulary: Vocabulary = FLEET) -> Filter:
    """Raise `FilterError`, with a sentence that can be shown beside the line."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH} characters")
    terms: list[Predicate] = []
    position = 0
    while position < len(text) and (match := _TERM.match(text, position)) is not None:
        term = _term(match, vocabulary)
        terms.append(_not(term) if match["negation"] else term)
        position = match.end()
    return Filter(text.strip(), tuple(terms))


def _term(match: re.Match[str], vocabulary: Vocabulary) -> Predicate:
    if match["regex"] is not None:
        return _regex(match["regex"], vocabulary)
    if match["number"] is not None:
        return _comparison(match["number"], match["operator"], match["value"], vocabulary)
    if match["field"] is not None:
        return _field(match["field"], match["field_quoted"] or match["field_value"] or "", vocabulary)
    return _word(match["word"] if match["quoted"] is None else match["quoted"], vocabulary)


def _regex(source: str, vocabulary: Vocabulary) -> Predicate:
    try:
        expression = re.compile(source.replace("\\/", "/"), re.IGNORECASE)
    except re.error as error:
        raise FilterError(f"not a regular expression: {error}") from error
    return lambda row: any(expression.search(text[:_MAX_MATCHED]) for text in vocabulary.names(row))


def _comparison(name: str, sign: str, value: str, vocabulary: Vocabulary) -> Predicate:
    number = vocabulary.numbers.get(name)
    if number is None:
        raise FilterError(f"no number is called {name!r}: {' '.join(vocabulary.numbers)}")
    match = _VALUE.fullmatch(value)
    suffixes = _DURATIONS if number.is_duration else _SUFFIXES
    if match is None or match["suffix"] not in suffixes:
        raise FilterError(f"{value!r} is not a number to compare {name} with")
    bound = float(match["amount"]) * suffixes[match["suffix"]]
    compare = _OPERATORS[sign]

    def holds(row: Any) -> bool:
        reading = number.read(row)
        return reading is not None and compare(reading, bound)

    return holds


def _field(name: str, value: str, vocabulary: Vocabulary) -> Predicate:
    read = vocabulary.fields.get(name)
    if read is None:
        return _word(f"{name}:{value}", vocabulary)  # `::1` and `web:8080` are words
    wanted = value.casefold()
    if name in vocabulary.prefixed:
        return lambda row: any(text.casefold().startswith(wanted) for text in read(row))
    return lambda row: any(wanted in text.casefold() for text in read(row))


def _word(word: str, vocabulary: Vocabulary) -> Predicate:
    wanted = word.casefold()
    states = vocabulary.states.get(wanted)
    if states is not None:
        return lambda row: wanted in states(row)
    return lambda row: any(wanted in text.casefold() for text in vocabulary.words(row))


def _not(term: Predicate) -> Predicate:
    return lambda row: not term(row)
