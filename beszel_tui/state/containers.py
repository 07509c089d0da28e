"""Containers as the screens list them: rows out of the state, their columns, order, and the words of their filter."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from beszel_protocol.containers import ContainerFacts
from beszel_protocol.metrics import Unit
from beszel_protocol.sample import ContainerMetrics
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.state.columns import Column
from beszel_tui.state.filterline import Filter, Vocabulary
from beszel_tui.state.model import State
from beszel_tui.state.numbers import Number
from beszel_tui.state.selectors import STALE_MS, Sort, natural_key
from beszel_tui.state.series import Readings, Trail, trail_cells

_NO_USAGE: Final = ContainerMetrics(id="", name="")
_order = natural_key
_instant = lru_cache(maxsize=1 << 14)(parse_timestamp)
"""Thousands of lines are looked at with every change, and hardly any has another start than before."""
ALIVE: Final = frozenset({"running", "paused", "restarting"})


class ContainerItem(NamedTuple):
    """One container of one system."""

    key: str
    system_id: str
    system: str
    """The system's name."""
    facts: ContainerFacts
    usage: ContainerMetrics
    """Empty where nothing is measured."""
    aged: bool
    """The numbers are not of now."""
    uptime_ms: int | None
    """Of one that runs."""
    image_update: bool | None = None
    """Whether its registry has another image under its tag; None if nobody knows."""
    past: Literal["", "still", "gone", "unknown"] = ""
    """As it was at another instant than now: whether it still exists. What is no number is then of now."""

    @property
    def is_troubled(self) -> bool:
        facts = self.facts
        failed = facts.state in {"exited", "dead"} and facts.exit_code not in {0, None}
        return failed or facts.state == "restarting" or facts.health == "unhealthy"


class ContainerLine(NamedTuple):
    """One line of the table; what its sparkline shows is found when it is drawn, since most lines never are."""

    item: ContainerItem
    trail: Trail | None
    hub_now_ms: int

    def readings(self, width: int) -> Readings:
        return trail_cells(self.trail, self.hub_now_ms, width)


class ContainerCounts(NamedTuple):
    total: int
    running: int
    troubled: int


def key_of(system_id: str, container_id: str) -> str:
    """Ids are an engine's: two systems may have the same."""
    return f"{system_id}/{container_id}"


def container_items(state: State, system_id: str | None = None) -> list[ContainerItem]:
    """Of one system, or of all that are known."""
    wanted = state.containers.values() if system_id is None else [state.containers.get(system_id)]
    items: list[ContainerItem] = []
    for host in wanted:
        row = None if host is None else state.systems.get(host.system)
        if host is None or row is None:
            continue
        aged = not state.is_live or row.status != "up" or _is_old(host.updated_ms, state.hub_now_ms)
        usage = {used.id: used for used in host.usage or ()}
        updates = host.image_updates or {}
        for facts in host.facts or ():
            used = usage.get(facts.id, _NO_USAGE)
            key = key_of(host.system, facts.id)
            uptime_ms, update = _uptime_ms(facts, state), updates.get(facts.id)
            items.append(ContainerItem(key, host.system, row.name, facts, used, aged, uptime_ms, update))
    return items


def visible_items(items: Iterable[ContainerItem], wanted: Filter, sort: Sort) -> list[ContainerItem]:
    """Those that pass the filter, sorted; those that do not tell the sorted number come last either way."""
    shown = sorted(
        (item for item in items if wanted.matches(item)), key=lambda item: (_order(item.facts.name), item.key)
    )
    read = BY_KEY[sort.key].number
    if read is None:
        return sorted(shown, key=lambda item: _order(text_of(item, sort.key)), reverse=sort.descending)
    told = [item for item in shown if read(item) is not None]
    silent = [item for item in shown if read(item) is None]
    return sorted(told, key=lambda item: read(item) or 0.0, reverse=sort.descending) + silent


def container_line(state: State, item: ContainerItem) -> ContainerLine:
    return ContainerLine(item, state.container_trails.get(item.key), state.hub_now_ms)


def count_containers(items: Iterable[ContainerItem]) -> ContainerCounts:
    items = list(items)
    running = sum(item.facts.state == "running" for item in items)
    return ContainerCounts(len(items), running, sum(item.is_troubled for item in items))


def text_of(item: ContainerItem, key: str) -> str:
    """What a column without a number shows, and sorts by."""
    facts = item.facts
    texts = {
        "name": facts.name,
        "system": item.system,
        "health": "" if facts.health == "none" else facts.health,
        "image": facts.image or "",
        "project": project_of(facts),
        "ports": " ".join(dict.fromkeys(short_port(port) for port in facts.ports)),
    }
    return texts[key]


def short_port(port: str) -> str:
    """`8080` of `8080→8080/tcp`, `8080→80` of `8080→80/tcp`: what is usual is not said."""
    outer, arrow, inner = port.removesuffix("/tcp").partition("→")
    return outer if not arrow or outer.rpartition(":")[2] == inner else f"{outer}{arrow}{inner}"


def project_of(facts: ContainerFacts) -> str:
    """Of Compose, or the namespace and pod of Kubernetes."""
    if facts.project is not None:
        return facts.project
    return "/".join(part for part in (facts.namespace, facts.pod) if part)


def network_bytes_per_second(item: ContainerItem) -> float | None:
    return _sum(item.usage.rx_bytes_per_second, item.usage.tx_bytes_per_second)


def io_bytes_per_second(item: ContainerItem) -> float | None:
    return _sum(item.usage.read_bytes_per_second, item.usage.write_bytes_per_second)


def _uptime_seconds(item: ContainerItem) -> float | None:
    return None if item.uptime_ms is None else item.uptime_ms / 1000


def _uptime_ms(facts: ContainerFacts, state: State) -> int | None:
    """By the minute once it is one: the line need not change each second."""
    if facts.state not in ALIVE or facts.started_at is None:
        return None
    try:
        elapsed_ms = max(0, state.hub_now_ms - _instant(facts.started_at))
    except ValueError:
        return None
    step_ms = 60_000 if elapsed_ms >= 60_000 else 1000
    return elapsed_ms // step_ms * step_ms


def _is_old(updated_ms: int | None, hub_now_ms: int) -> bool:
    return updated_ms is not None and hub_now_ms - updated_ms > STALE_MS


def _sum(*rates: float | None) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


NUMBERS: Final = {
    "cpu": Number(Unit.PERCENT, lambda item: item.usage.cpu_percent),
    "mem": Number(Unit.BYTES, lambda item: item.usage.memory_bytes),
    "limit": Number(Unit.PERCENT, lambda item: item.usage.memory_percent),
    "net": Number(Unit.BYTES_PER_SECOND, network_bytes_per_second),
    "rx": Number(Unit.BYTES_PER_SECOND, lambda item: item.usage.rx_bytes_per_second),
    "tx": Number(Unit.BYTES_PER_SECOND, lambda item: item.usage.tx_bytes_per_second),
    "io": Number(Unit.BYTES_PER_SECOND, io_bytes_per_second),
    "pids": Number(Unit.COUNT, lambda item: item.usage.pids),
    "restarts": Number(Unit.COUNT, lambda item: item.facts.restarts),
    "oom": Number(Unit.COUNT, lambda item: item.usage.oom_kills),
    "exit": Number(Unit.COUNT, lambda item: item.facts.exit_code),
    "uptime": Number(Unit.SECONDS, _uptime_seconds),
}

COLUMNS: Final[tuple[Column, ...]] = (
    Column("name", "NAME", "NAME"),
    Column("system", "SYSTEM", "SYSTEM"),
    Column("cpu", "CPU", "CPU", NUMBERS["cpu"].read),
    Column("memory", "MEMORY", "MEM", NUMBERS["mem"].read, "right"),
    Column("network", "NET ↓/↑", "NET ↓/↑", NUMBERS["net"].read),
    Column("io", "DISK R/W", "DISK R/W", NUMBERS["io"].read),
    Column("pids", "PIDS", "PIDS", NUMBERS["pids"].read, "right"),
    Column("state", "STATE", "STATE", NUMBERS["uptime"].read, "right"),
    Column("health", "HEALTH", "HEALTH"),
    Column("restarts", "RST", "RST", NUMBERS["restarts"].read, "right"),
    Column("image", "IMAGE", "IMAGE"),
    Column("project", "PROJECT", "PROJECT"),
    Column("ports", "PORTS", "PORTS"),
)
BY_KEY: Final = {column.key: column for column in COLUMNS}
CLAIMS: Final[tuple[tuple[str, int], ...]] = (
    ("name", 14), ("cpu", 6), ("memory", 6), ("state", 8), ("system", 8), ("network", 13), ("health", 9),
    ("system", 12), ("image", 14), ("io", 13), ("cpu", 15), ("pids", 5), ("name", 18), ("project", 9), ("image", 20),
    ("ports", 6), ("cpu", 20), ("restarts", 4), ("name", 26), ("system", 14), ("ports", 14), ("image", 34),
    ("project", 14), ("cpu", 34), ("ports", 24),
)  # fmt: skip
CLAIMS_OF_ONE_SYSTEM: Final = tuple(claim for claim in CLAIMS if claim[0] != "system")

VOCABULARY: Final = Vocabulary(
    numbers=NUMBERS,
    fields={
        "name": lambda item: [item.facts.name],
        "system": lambda item: [item.system],
        "image": lambda item: [item.facts.image or ""],
        "project": lambda item: [project_of(item.facts)],
        "service": lambda item: [item.facts.service or ""],
        "engine": lambda item: [item.facts.engine],
        "port": lambda item: item.facts.ports,
        "id": lambda item: [item.facts.id],
        "label": lambda item: [f"{name}={value}" for name, value in item.facts.labels.items()],
        "state": lambda item: [item.facts.state],
        "health": lambda item: [item.facts.health],
        "is": lambda item: [item.facts.state, item.facts.health],
    },
    prefixed=frozenset({"state", "health", "is", "id"}),
    words=lambda item: [
        item.facts.name, item.system, item.facts.image or "", project_of(item.facts), item.facts.service or "",
    ],
    names=lambda item: [item.facts.name, item.facts.image or ""],
    states={
        **dict.fromkeys(
            ("created", "running", "paused", "restarting", "exited", "dead"), lambda item: [item.facts.state]
        ),
        **dict.fromkeys(("healthy", "unhealthy", "starting"), lambda item: [item.facts.health]),
        "outdated": lambda item: ["outdated"] if item.image_update else [],
    },
    hint="words  cpu>20  mem>1G  system:web  exited  !healthy  /regex/",
    help=(
        ("web", "in the name, system, image, project or service; running, exited, unhealthy, outdated …: the state"),
        ("cpu>20", "also mem limit net rx tx io pids restarts oom exit uptime; 1.5M, 3d"),
        ("system:db", "also name: image: project: service: engine: port: label: id: state: health:"),
        ("/^shop-/", "a regular expression on name and image"),
        ("!healthy", "the opposite; all terms must hold"),
    ),
)  # fmt: skip
