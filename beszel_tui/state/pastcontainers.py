"""Containers as they were: those that history has readings of at the instant that is looked at.

History has numbers by name. What an engine tells of a container now (image, ports, project) is not kept: it stands
beside the numbers of one that still exists, told apart by `ContainerItem.past`, and is left out of one that is gone.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from beszel_protocol.addresses import InvalidAddress, parse_address
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics, Metrics
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.state.containers import ContainerItem, ContainerLine, key_of
from beszel_tui.state.past import LEAD_MS, PAGE_MS, ContainerPage, Past, trail_then, value_then
from beszel_tui.state.series import Columns, Trail

if TYPE_CHECKING:
    from beszel_tui.state.model import State

_RATES: Final = (
    "cpu_percent", "memory_percent", "rx_bytes_per_second", "tx_bytes_per_second", "read_bytes_per_second",
    "write_bytes_per_second",
)  # fmt: skip
_COUNTS: Final = ("memory_bytes", "pids", "restarts", "oom_kills")
ADDRESSES: Final = tuple(f"containers[].{field}" for field in (*_RATES, *_COUNTS))
COLUMN_MS: Final = 10_000
PAGE_POINTS: Final = (PAGE_MS + LEAD_MS) // COLUMN_MS
"""Coarser than the numbers of systems: a host may have hundreds of containers, each with all of these."""


def make_page(number: int, end_ms: int, columns: Columns) -> ContainerPage:
    series: dict[str, dict[str, str]] = {}
    for text in columns.lanes:
        try:
            address = parse_address(text)
        except InvalidAddress:
            continue  # not what was asked for
        if len(address) == 2 and address[0].name == "containers" and address[0].key:
            series.setdefault(address[0].key, {})[address[1].name] = text
    return ContainerPage(number=number, end_ms=end_ms, columns=columns, series=series)


def items_then(state: "State", system_id: str | None = None) -> list[ContainerItem]:
    """Containers of one system or of all that had readings then; `state` looks at the past."""
    past = state.past
    if past is None:
        return []
    wanted = [system_id] if system_id is not None else list(past.containers)
    items: list[ContainerItem] = []
    for each in wanted:
        page, row = past.container_page(each), state.systems.get(each)
        if page is None or row is None:
            continue
        host = state.containers.get(each)
        known = {facts.name: facts for facts in (host.facts if host else None) or ()}
        for name, addresses in page.series.items():
            usage = _usage_then(name, addresses, page.columns, past.at_ms)
            if usage is not None:
                item = _item(each, row.name, usage, known.get(name), past.at_ms)
                items.append(item if state.containers_loaded or item.past == "still" else item._replace(past="unknown"))
    return items


def line_then(past: Past, item: ContainerItem) -> ContainerLine:
    page = past.container_page(item.system_id)
    return ContainerLine(item, None if page is None else _trail(page, item.facts.name, past.at_ms), past.at_ms)


def not_looked_up(state: "State", system_id: str | None = None) -> int:
    """Of how many systems nobody knows yet which containers they had."""
    past = state.past
    if past is None:
        return 0
    wanted = state.systems if system_id is None else [system_id]
    return sum(past.container_page(each) is None for each in wanted)


def whole_then(state: "State") -> Metrics | None:
    """What the open system tells of itself, with the containers that it had around the instant that is looked at."""
    focus, past = state.focus, state.past
    if focus is None or focus.whole is None or past is None:
        return None if focus is None else focus.whole
    page = past.container_page(focus.system_id)
    if page is None:
        return focus.whole
    return replace(focus.whole, containers=[ContainerMetrics(id="", name=name) for name in sorted(page.series)])


def _usage_then(name: str, addresses: Mapping[str, str], columns: Columns, at_ms: int) -> ContainerMetrics | None:
    """None if nothing was measured."""
    told = {field: value_then(columns, address, at_ms) for field, address in addresses.items()}
    if all(value is None for value in told.values()):
        return None
    rates = {field: told.get(field) for field in _RATES}
    counts = {field: None if (value := told.get(field)) is None else round(value) for field in _COUNTS}
    return ContainerMetrics(id="", name=name, **rates, **counts)  # type: ignore[arg-type]


def _item(
    system_id: str, system: str, usage: ContainerMetrics, known: ContainerFacts | None, at_ms: int
) -> ContainerItem:
    """It was running, or nothing would have been measured; how healthy it was nobody keeps."""
    if known is None:
        facts = ContainerFacts(id="", name=usage.name, engine="", state="running", restarts=usage.restarts)
        return ContainerItem(
            key_of(system_id, f"gone/{usage.name}"), system_id, system, facts, usage, aged=False, uptime_ms=None,
            past="gone",
        )  # fmt: skip
    facts = replace(known, state="running", health="none", restarts=usage.restarts, exit_code=None)
    uptime_ms = _uptime_ms(known, at_ms)
    return ContainerItem(
        key_of(system_id, known.id), system_id, system, facts, usage, aged=False, uptime_ms=uptime_ms, past="still"
    )


def _uptime_ms(facts: ContainerFacts, at_ms: int) -> int | None:
    """None if it was started again since."""
    try:
        started_ms = None if facts.started_at is None else parse_timestamp(facts.started_at)
    except ValueError:
        return None
    return None if started_ms is None or started_ms > at_ms else at_ms - started_ms


def _trail(page: ContainerPage, name: str, at_ms: int) -> Trail | None:
    address = page.series.get(name, {}).get("cpu_percent")
    return None if address is None else trail_then(page.columns, address, at_ms)
