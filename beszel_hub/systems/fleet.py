"""One line a system, as the fleet screen shows it."""

from beszel_hub.systems.directory import Entry
from beszel_hub.systems.headline import make_headline
from beszel_protocol.feed import FleetRow
from beszel_protocol.sample import Metrics


def make_row(
    entry: Entry,
    *,
    metrics: Metrics | None,
    updated_ms: int | None,
    encrypted: bool | None,
) -> FleetRow:
    """`metrics` is the newest sample and `updated_ms` when it came; `encrypted` is None while there is no link."""
    headline = make_headline(metrics or _NOTHING)
    return FleetRow(
        id=entry.id,
        name=entry.name,
        status=entry.status,
        host=entry.host,
        updated_ms=updated_ms,
        status_since_ms=entry.status_since_ms,
        cpu_percent=headline.cpu_percent,
        memory_percent=headline.memory_percent,
        disk_percent=headline.disk_percent,
        sent_bytes_per_second=headline.sent_bytes_per_second,
        recv_bytes_per_second=headline.recv_bytes_per_second,
        load_average=headline.load_average,
        temperature_celsius=headline.temperature_celsius,
        services_total=headline.services_total,
        services_failed=headline.services_failed,
        uptime_seconds=headline.uptime_seconds,
        cores=entry.threads or entry.cores,
        agent_version=entry.agent_version or None,
        encrypted=encrypted,
        tags=list(entry.tags) or None,
    )


_NOTHING = Metrics()
