"""Containers as an agent tells of them: what changes rarely, and their logs.

What changes with every sample is `ContainerMetrics` in `sample.py`; both are joined by `id` and `name`. Nothing in here
holds a running clock ("Up 3 hours"): whoever shows it makes it from `started_at`.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from beszel_protocol.hygiene import clean, clean_text
from beszel_protocol.images import MAX_DIGESTS, is_digest
from beszel_protocol.timestamps import parse_timestamp

MAX_CONTAINERS: Final = 1000
"""In one inventory."""
MAX_LABELS: Final = 32
MAX_LABEL_NAME_LENGTH: Final = 128
MAX_PORTS: Final = 64

MAX_LOG_LINES: Final = 5000
"""What `tail` may ask for, and what one answer without `follow` may hold in all."""
MAX_LOG_BATCH_LINES: Final = 500
MAX_LOG_BATCH_BYTES: Final = 256 << 10
"""Of the text in one `response`."""
MAX_LOG_BYTES: Final = 5 << 20
"""Of the text in one answer without `follow`."""
MAX_LOG_LINE_LENGTH: Final = 16 << 10
"""In characters; a longer line is cut."""

ENGINES: Final = frozenset({"docker", "podman", "containerd", "cri-o", "lxc", "nspawn"})
STATES: Final = frozenset({"created", "running", "paused", "restarting", "exited", "dead"})
HEALTHS: Final = frozenset({"none", "starting", "healthy", "unhealthy"})
STATISTICS: Final = frozenset({"cgroup", "engine"})
STREAMS: Final = frozenset({"stdout", "stderr", "tty"})

EVENT_KINDS: Final = (
    "container_created",
    "container_started",
    "container_died",
    "container_restarted",
    "container_renamed",
    "container_oom",
    "container_unhealthy",
    "container_healthy",
    "container_removed",
)
"""Of `event`: the subject is the container's name, `attributes` has its `id` and what belongs to the kind (`exit_code`,
`before` of a rename)."""

_ID: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)

Labels: TypeAlias = dict[str, str]


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Settings shared by all."""


class ContainerFacts(_Told, frozen=True, kw_only=True):
    """One container of a host, running or not. Words that are none of the sets above are taken out on arrival."""

    id: str
    """12 hexadecimal digits: the engine's own, shortened; of guests without one, from a hash of their name."""
    name: str
    """Unique on its host."""
    engine: str
    state: str
    image: str | None = None
    image_digest: str | None = None
    """`sha256:…` of the image it was made from, as a registry knows it; or, without a registry, the image's id."""
    repo_digests: list[str] = []
    """Every `sha256:…` under which the registry of `image` knows it; none of an image that came from nowhere."""
    status: str | None = None
    """The engine's words, without a running clock: `Exited (137)`, `Up (unhealthy)`."""
    health: str = "none"
    restarts: int | None = None
    exit_code: int | None = None
    """Of the last run; absent while it runs."""
    started_at: str | None = None
    """RFC 3339."""
    finished_at: str | None = None
    ports: list[str] = []
    """Published ones, as `8080→80/tcp` or `127.0.0.1:8080→80/tcp`."""
    project: str | None = None
    """Of Compose."""
    service: str | None = None
    """Of Compose."""
    pod: str | None = None
    namespace: str | None = None
    """Of Kubernetes."""
    labels: Labels = {}
    memory_limit_bytes: int | None = None
    cpu_limit_cores: float | None = None
    statistics: str | None = None
    """How its numbers are read: `cgroup` or `engine`; absent if they are not."""


class LogsQuery(_Told, frozen=True, kw_only=True):
    """Parameters of the action `container_logs`."""

    id: str
    """12 to 64 hexadecimal digits."""
    tail: int = 200
    since: str | None = None
    """RFC 3339; only lines from then on."""
    follow: bool = False
    """Go on with what is written from now on, until the request is cancelled or its time is over."""


class LogLine(_Told, frozen=True, kw_only=True):
    stream: str
    """`stdout` or `stderr`; `tty` where a terminal has joined them."""
    timestamp: str | None = None
    """RFC 3339, by the engine."""
    text: str = ""
    """Plain: no control character but tabulators."""
    ansi: str | None = None
    """The same with its sequences of colour (`ESC [ … m`), if it has any; no other control character but tabulators."""


class LogBatch(_Told, frozen=True, kw_only=True):
    """`result` of a `response` to `container_logs`; the last one says `more: false` and may hold no line."""

    lines: list[LogLine]
    truncated: bool = False
    """Lines before or in this batch were left out or cut because there were more than the bounds allow."""


class InspectQuery(_Told, frozen=True, kw_only=True):
    """Parameters of the action `container_inspect`."""

    id: str
    """12 to 64 hexadecimal digits."""


def is_container_id(text: str) -> bool:
    """Whether it is a container's id in full or shortened; nothing else may become part of a path to an engine."""
    return 12 <= len(text) <= 64 and text.isascii() and all(c in "0123456789abcdef" for c in text)


def clean_containers(containers: Iterable[ContainerFacts]) -> list[ContainerFacts]:
    """What can be believed of an inventory: bounded, in known words, each id and each name once."""
    found: list[ContainerFacts] = []
    ids: set[str] = set()
    names: set[str] = set()
    for item in containers:
        facts = _clean_facts(item)
        if facts is None or facts.id in ids or facts.name in names:
            continue
        ids.add(facts.id)
        names.add(facts.name)
        found.append(facts)
        if len(found) == MAX_CONTAINERS:
            break
    return found


def _clean_facts(facts: ContainerFacts) -> ContainerFacts | None:
    """None if one cannot tell what it is."""
    if facts.engine not in ENGINES or facts.state not in STATES or not _ID.fullmatch(facts.id):
        return None
    cleaned = clean(facts)
    if not cleaned.name:
        return None
    changes: dict[str, Any] = {
        "labels": clean_labels(facts.labels),
        "ports": cleaned.ports[:MAX_PORTS],
        "repo_digests": [digest for digest in facts.repo_digests if is_digest(digest)][:MAX_DIGESTS],
        "health": facts.health if facts.health in HEALTHS else "none",
        "statistics": facts.statistics if facts.statistics in STATISTICS else None,
        "started_at": _instant(facts.started_at),
        "finished_at": _instant(facts.finished_at),
        "restarts": _at_least_zero(cleaned.restarts),
        "memory_limit_bytes": _at_least_zero(cleaned.memory_limit_bytes),
        "cpu_limit_cores": _at_least_zero(cleaned.cpu_limit_cores),
    }
    changes = {name: value for name, value in changes.items() if value != getattr(cleaned, name)}
    return msgspec.structs.replace(cleaned, **changes) if changes else cleaned


def clean_labels(labels: Labels) -> Labels:
    """The first 32, with printable names and values."""
    cleaned: Labels = {}
    for name, value in labels.items():
        name = clean_text(name, MAX_LABEL_NAME_LENGTH)  # noqa: PLW2901 - the other must not be used below
        if name:
            cleaned.setdefault(name, clean_text(value))
        if len(cleaned) == MAX_LABELS:
            break
    return cleaned


def _instant(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parse_timestamp(text)
    except ValueError:
        return None
    return text


def _at_least_zero(number: float | None) -> float | None:
    return None if number is None or number < 0 else number
