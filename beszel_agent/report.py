"""What the command line prints for people: one sample, and what collects it."""

from collections.abc import Iterable, Iterator, Sequence

from beszel_agent.config import Loaded, settings
from beszel_agent.runs import CollectorReport
from beszel_protocol.addresses import flatten
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics
from beszel_protocol.units import ABSENT, format_value


def format_sample(metrics: Metrics) -> str:
    """One line a series."""
    rows = []
    for address, value in flatten(metrics):
        metric = address.metric
        if metric is not None:
            rows.append((clean_text(str(address)), format_value(value, metric.unit)))
    return "\n".join(_align(rows))


def format_collectors(reports: Iterable[CollectorReport]) -> str:
    rows = [("COLLECTOR", "STATE", "READING", "PACE", "")]
    for report in reports:
        cost = ABSENT if report.mean_ms is None else f"{report.mean_ms:.2f} ms"
        pace = ABSENT if report.state == "unavailable" else "each sample"
        if report.pace_seconds:
            pace = f"{report.pace_seconds:g} s"
        rows.append((report.name, report.state, cost, pace, clean_text(report.reason or "")))
    return "\n".join(_align(rows))


def format_settings(loaded: Loaded) -> str:
    """Every setting that has an effect, with where it comes from; secrets are not shown."""
    rows = [("SETTING", "VALUE", "FROM")]
    for name, setting in settings().items():
        value = getattr(loaded.config, name.lower())
        shown = "(secret)" if setting.secret and value else _show(value)
        rows.append((name, clean_text(shown), loaded.origins.get(name, "default")))
    return "\n".join(_align(rows))


def _show(value: object) -> str:
    match value:
        case None | ():
            return ABSENT
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g} s"
        case tuple() if type(value) is tuple:
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _align(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
