"""Charts by the words of a command line: which system is meant, and which series."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from beszel_protocol.addresses import Address, InvalidAddress, parse_addresses
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.feed import FleetRow
from beszel_protocol.metrics import Unit
from beszel_protocol.sample import catalogue
from beszel_tui.errors import RequestError
from beszel_tui.state.charts import MAX_LINES, Chart, Line

_MINUTES_OF_LOAD: Final = {"0": "1 min", "1": "5 min", "2": "15 min"}
_NAMES_SHOWN: Final = 5


def find_system(rows: Iterable[FleetRow], name: str) -> FleetRow:
    """The system of that name, or the only one whose name begins so. Raises `RequestError`."""
    rows = list(rows)
    exact = [row for row in rows if row.name == name]
    found = exact or [row for row in rows if name and row.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(f"no system is called {name!r}")
    if exact:
        raise RequestError(f"{len(exact)} systems are called {name!r}")
    names = sorted(repr(row.name) for row in found)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    raise RequestError(f"{name!r} may be any of {shown}")


def find_container(facts: Iterable[ContainerFacts], name: str) -> ContainerFacts:
    """The container of that name or id, or the only one whose name or id begins so. Raises `RequestError`."""
    facts = list(facts)
    found = [item for item in facts if name in {item.name, item.id}]
    found = found or [item for item in facts if name and (item.name.startswith(name) or item.id.startswith(name[:12]))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(f"no container is called {name!r}")
    names = sorted(repr(item.name) for item in found)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    raise RequestError(f"{name!r} may be any of {shown}")


def requested_chart(text: str) -> Chart:
    """One chart of the addresses in a comma-separated list. Raises `RequestError`."""
    try:
        addresses = list(dict.fromkeys(parse_addresses(text)))
    except InvalidAddress as error:
        raise RequestError(str(error)) from error
    if len(addresses) > MAX_LINES:
        raise RequestError(f"a chart has at most {MAX_LINES} metrics, not {len(addresses)}")
    lines = tuple(Line(str(address), _label(address)) for address in addresses)
    return Chart("requested", ", ".join(line.label for line in lines), _common_unit(addresses), lines)


def _common_unit(addresses: Sequence[Address]) -> Unit:
    first, *rest = [_unit(address) for address in addresses]
    for unit in rest:
        if unit is not first:
            raise RequestError(f"the metrics of one chart have one unit, not {first} and {unit}")
    return first


def _unit(address: Address) -> Unit:
    metric = address.metric
    if metric is None:
        near = difflib.get_close_matches(address.pattern, catalogue(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RequestError(f"no metric is called {str(address)!r}{hint}")
    return metric.unit


def _label(address: Address) -> str:
    """What the catalogue calls it, and which one of several: `Disk read /data`, `Load average 5 min`."""
    metric = address.metric
    if metric is None:
        return str(address)
    keys = [step.key for step in address if step.key is not None]
    if metric.unit is Unit.LOAD:
        keys = [_MINUTES_OF_LOAD.get(key, key) for key in keys]
    return " ".join([metric.label, *keys])
