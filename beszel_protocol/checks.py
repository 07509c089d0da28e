"""Checks of other services, as the hub defines them and sends them to the agent that makes them.

The hub stores only what `problems_of` has nothing against, and the agent makes only such checks: what a hub says is
believed no further than that.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from beszel_protocol.hygiene import clean_text
from beszel_protocol.targets import MAX_URL_LENGTH, parse_host, parse_host_port, parse_server, parse_url

MAX_CHECKS: Final = 64
"""Of one system."""
MAX_NAME_LENGTH: Final = 64
MAX_TARGET_LENGTH: Final = MAX_URL_LENGTH
MAX_KEYWORD_LENGTH: Final = 256
MAX_SERVER_LENGTH: Final = 261
MAX_STATUSES: Final = 16
MIN_CHECK_INTERVAL_SECONDS: Final = 5.0
MAX_CHECK_INTERVAL_SECONDS: Final = 86_400.0
MIN_CHECK_TIMEOUT_SECONDS: Final = 0.1
MAX_CHECK_TIMEOUT_SECONDS: Final = 60.0
DNS_PORT: Final = 53

KINDS: Final = ("http", "tcp", "ping", "dns")
METHODS: Final = ("GET", "HEAD")
RECORDS: Final = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT")

_STATUS: Final = re.compile(r"([2-5][0-9][0-9])(?:-([2-5][0-9][0-9]))?", re.ASCII)
_OK: Final = ((200, 299),)


class CheckDefinition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check. Its name is the key of its results in a sample; a newer hub may send kinds unknown here."""

    name: str
    kind: str
    """`http`, `tcp`, `ping` or `dns`."""
    target: str
    """A URL; a host and a port; a host; the name to look up."""
    interval_seconds: float = 60.0
    timeout_seconds: float = 10.0
    """For the whole check."""
    allow_private: bool = False
    """Whether it may go to addresses that only the agent's host or network can reach."""
    keyword: str = ""
    """http: what the first 256 KiB of the body must contain; dns: what one of the answers must be."""
    method: str = "GET"
    expected_status: str = ""
    """http: as `200,301-303`; 200 to 299 if empty."""
    follow_redirects: bool = True
    verify_certificate: bool = True
    record: str = "A"
    """dns: the type of record to ask for."""
    server: str = ""
    """dns: the name server to ask, `host` or `host:port`; those of the agent's host if empty."""


_KINDS_OF: Final = {
    "keyword": ("http", "dns"),
    "method": ("http",),
    "expected_status": ("http",),
    "follow_redirects": ("http",),
    "verify_certificate": ("http",),
    "record": ("dns",),
    "server": ("dns",),
}
"""Fields that say something for some kinds only."""


def problems_of(definition: CheckDefinition) -> dict[str, str]:
    """What is wrong with a definition, a sentence by field; empty if it can be made."""
    problems: dict[str, str] = {}
    for field, problem in (*_common_problems(definition), *_problems_of_kind(definition)):
        problems.setdefault(field, problem)
    return problems


def parse_statuses(text: str) -> tuple[tuple[int, int], ...]:
    """Closed ranges of HTTP statuses. Raise ValueError with a sentence."""
    if not text.strip():
        return _OK
    parts = text.split(",")
    if len(parts) > MAX_STATUSES:
        raise ValueError(f"At most {MAX_STATUSES} statuses or ranges.")
    ranges = []
    for part in parts:
        match = _STATUS.fullmatch(part.strip())
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise ValueError("Write statuses such as 200,301-303.")
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return tuple(ranges)


def _common_problems(definition: CheckDefinition) -> Iterator[tuple[str, str]]:
    name = definition.name
    if not name or name != clean_text(name, MAX_NAME_LENGTH).strip():
        yield "name", f"A name has 1 to {MAX_NAME_LENGTH} visible characters."
    if definition.kind not in KINDS:
        yield "kind", f"This is one of {', '.join(KINDS)}."
    if len(definition.keyword) > MAX_KEYWORD_LENGTH:
        yield "keyword", f"This has at most {MAX_KEYWORD_LENGTH} characters."
    bounds = {
        "interval_seconds": (MIN_CHECK_INTERVAL_SECONDS, MAX_CHECK_INTERVAL_SECONDS),
        "timeout_seconds": (MIN_CHECK_TIMEOUT_SECONDS, MAX_CHECK_TIMEOUT_SECONDS),
    }
    for field, (low, high) in bounds.items():
        value = getattr(definition, field)
        if not math.isfinite(value) or not low <= value <= high:
            yield field, f"This lies between {low:g} and {high:g} seconds."


def _problems_of_kind(definition: CheckDefinition) -> Iterator[tuple[str, str]]:
    if definition.kind not in KINDS:
        return
    yield from _complaint("target", _TARGETS[definition.kind], definition.target)
    yield from _complaint("expected_status", parse_statuses, definition.expected_status)
    if definition.method not in METHODS:
        yield "method", f"This is one of {', '.join(METHODS)}."
    elif definition.method == "HEAD" and definition.keyword:
        yield "keyword", "What answers HEAD has no body to contain anything."
    if definition.record not in RECORDS:
        yield "record", f"This is one of {', '.join(RECORDS)}."
    if definition.server:
        yield from _complaint("server", _parse_name_server, definition.server)
    for field, kinds in _KINDS_OF.items():
        if definition.kind not in kinds and getattr(definition, field) != _DEFAULTS[field]:
            yield field, f"Only {' and '.join(kinds)} checks have this."


def _complaint(field: str, parse: Callable[[str], object], text: str) -> Iterator[tuple[str, str]]:
    try:
        parse(text)
    except ValueError as error:
        yield field, str(error)


def _parse_name_server(text: str) -> object:
    if len(text) > MAX_SERVER_LENGTH:
        raise ValueError(f"This has at most {MAX_SERVER_LENGTH} characters.")
    return parse_server(text, DNS_PORT)


def _parse_domain(text: str) -> object:
    if ":" in text:
        raise ValueError("Write a name such as example.org.")
    return parse_host(text)


_TARGETS: Final[dict[str, Callable[[str], object]]] = {
    "http": parse_url,
    "tcp": parse_host_port,
    "ping": parse_host,
    "dns": _parse_domain,
}
_DEFAULTS: Final = dict(zip(CheckDefinition.__struct_fields__[-len(CheckDefinition.__struct_defaults__):],
                            CheckDefinition.__struct_defaults__, strict=True))  # fmt: skip
