"""Records of the `containers` collection: what an agent told of a container, with what it uses just now. Pure."""

from typing import Any, Final

from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics
from beszel_protocol.timestamps import parse_timestamp

Row = dict[str, Any]

_MIB: Final = 1 << 20
_HEALTHS: Final = {"none": 0, "starting": 1, "healthy": 2, "unhealthy": 3}
_NO_USAGE: Final = ContainerMetrics(id="", name="")
_ALIVE: Final = frozenset({"running", "paused", "restarting"})
_AT_REST: Final = ContainerMetrics(
    id="", name="", cpu_percent=0.0, memory_bytes=0, rx_bytes_per_second=0.0, tx_bytes_per_second=0.0
)
_STEPS: Final = ((60, "second"), (3600, "minute"), (86400, "hour"), (14 * 86400, "day"), (60 * 86400, "week"))


def make_row(
    system_id: str, facts: ContainerFacts, usage: ContainerMetrics | None, *, updated_ms: int, now_ms: int
) -> Row:
    """Beszel's fields in its units (`memory` in MiB, `net` in bytes a second both ways), and ours with units in names.

    `updated_ms` is when the newest news of it came. What does not run uses nothing; what runs and is not measured has
    no number.
    """
    used = usage or (_NO_USAGE if facts.state in _ALIVE else _AT_REST)
    return {
        "id": facts.id,
        "system": system_id,
        "name": facts.name,
        "image": facts.image,
        "status": status_text(facts, now_ms),
        "health": _HEALTHS[facts.health],
        "cpu": used.cpu_percent,
        "memory": None if used.memory_bytes is None else used.memory_bytes / _MIB,
        "net": _sum(used.rx_bytes_per_second, used.tx_bytes_per_second),
        "ports": ", ".join(facts.ports),
        "updated": updated_ms,
        "engine": facts.engine,
        "state": facts.state,
        "project": facts.project,
        "service": facts.service,
        "pod": facts.pod,
        "namespace": facts.namespace,
        "digest": facts.image_digest,
        "restarts": facts.restarts,
        "exit_code": facts.exit_code,
        "started": _instant(facts.started_at),
        "finished": _instant(facts.finished_at),
        "labels": facts.labels or None,
        "pids": used.pids,
        "memory_bytes": used.memory_bytes,
        "memory_limit_bytes": facts.memory_limit_bytes,
        "cpu_limit_cores": facts.cpu_limit_cores,
        "rx_bytes_per_second": used.rx_bytes_per_second,
        "tx_bytes_per_second": used.tx_bytes_per_second,
        "read_bytes_per_second": used.read_bytes_per_second,
        "write_bytes_per_second": used.write_bytes_per_second,
        "throttled_percent": used.throttled_percent,
        "oom_kills": used.oom_kills,
    }


def status_text(facts: ContainerFacts, now_ms: int) -> str:
    """`Up 3 hours (healthy)`, `Exited (137) 5 minutes ago`: what an engine would say of it now."""
    status = facts.status or facts.state.capitalize()
    head, _, note = status.partition(" ")
    if facts.state in {"running", "paused"} and head.casefold() in {"up", "running", "paused"}:
        started_ms = _instant(facts.started_at)
        since = "" if started_ms is None else f" {elapsed(now_ms - started_ms)}"
        health = f" ({facts.health})" if facts.health != "none" and not note else ""
        paused = " (Paused)" if facts.state == "paused" and "aused" not in note else ""
        return f"Up{since}{f' {note}' if note else ''}{health}{paused}"
    finished_ms = _instant(facts.finished_at)
    return status if finished_ms is None else f"{status} {elapsed(now_ms - finished_ms)} ago"


def elapsed(milliseconds: int) -> str:
    """In the largest unit that has passed: `1 second`, `3 hours`, `5 months`."""
    seconds = max(0, milliseconds // 1000)
    size = 1
    for limit, name in _STEPS:
        if seconds < limit:
            return _count(max(1, seconds // size), name)
        size = {"second": 60, "minute": 3600, "hour": 86400, "day": 7 * 86400}.get(name, 0)
    return _count(seconds // (30 * 86400), "month") if seconds < 730 * 86400 else _count(seconds // 31536000, "year")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _sum(*rates: float | None) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_timestamp(text)
