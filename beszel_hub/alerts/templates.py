"""Sets of rules that most people want, ready to be applied to a system, to a tag, or to all systems."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from beszel_hub.alerts.forms import DeclaredRule

_WEEK: Final = 7 * 86_400.0


class Template(NamedTuple):
    help: str
    rules: tuple[DeclaredRule, ...]


TEMPLATES: Final[Mapping[str, Template]] = {
    "host": Template(
        "what every host should be asked for: whether it is up, processors, memory, filesystems",
        (
            DeclaredRule(name="System down", target="status", for_="2m", severity="critical", repeat="12h"),
            DeclaredRule(name="CPU busy", target="cpu.usage_percent", above=90, recover=80, window="10m"),
            DeclaredRule(name="Load high", target="load_per_core_15", above=2, recover=1.5, window="15m"),
            DeclaredRule(
                name="Memory short", target="memory.usage_percent", above=90, recover=85, window="5m", escalate_at=97
            ),
            DeclaredRule(
                name="Memory pressure", target="memory.pressure_full_percent", above=10, recover=5, window="5m"
            ),
            DeclaredRule(
                name="Disk nearly full", target="disk[*].usage_percent", above=85, recover=82, window="5m",
                escalate_at=95,
            ),
            DeclaredRule(
                name="Disk full within three days", target="disk[*].usage_percent", aggregate="forecast",
                below=3 * 86_400.0, window="1d",
            ),
            DeclaredRule(
                name="Inodes nearly used up", target="disk[*].inodes_usage_percent", above=90, recover=85, window="5m"
            ),
            DeclaredRule(
                name="Disk takes no writes", target="disk[*].read_only", above=0, window=0, severity="critical"
            ),
        ),
    ),
    "hardware": Template(
        "what wears out or overheats: disks, arrays, pools, sensors, a UPS on its battery",
        (
            DeclaredRule(name="Array not sound", target="arrays[*].severity", above=0, window=0, escalate_at=1),
            DeclaredRule(name="Pool not sound", target="pools[*].severity", above=0, window=0, escalate_at=1),
            DeclaredRule(name="Disk not sound", target="smart[*].severity", above=0, window=0, escalate_at=1),
            DeclaredRule(name="Hot", target="temperature", above=85, recover=80, window="5m", escalate_at=95),
            DeclaredRule(name="On battery", target="ups[*].on_battery", above=0, window=0, for_="30s"),
        ),
    ),
    "containers": Template(
        "containers that fail, are killed, keep restarting, or say that they are not well",
        (
            DeclaredRule(name="Container failed", target="container_failed", above=0, for_="1m"),
            DeclaredRule(name="Container unhealthy", target="container_unhealthy", above=0, window=0, for_="2m"),
            DeclaredRule(name="Container out of memory", target="container_oom", above=0, window="30m"),
            DeclaredRule(name="Container keeps restarting", target="container_restarted", above=3, window="15m"),
        ),
    ),
    "services": Template(
        "services that failed, a clock that nobody disciplines, updates that wait",
        (
            DeclaredRule(name="Service failed", target="service_failed", above=0, window=0, for_="2m"),
            DeclaredRule(
                name="Clock not synchronized", target="clock.unsynchronized", above=0, window=0, for_="30m",
                severity="info",
            ),
            DeclaredRule(
                name="Security updates wait", target="updates.security", above=0, window=0, for_="1d", severity="info"
            ),
            DeclaredRule(
                name="Reboot required", target="updates.reboot_required", above=0, window=0, for_="1d",
                severity="info",
            ),
        ),
    ),
    "checks": Template(
        "other services that are watched from a host, and their certificates",
        (
            DeclaredRule(name="Check failed", target="checks[*].up", below=1, window=0, severity="critical"),
            DeclaredRule(
                name="Certificate ends", target="checks[*].certificate_expires_seconds", below=2 * _WEEK, window=0,
                escalate_at=_WEEK / 2,
            ),
        ),
    ),
}  # fmt: skip
