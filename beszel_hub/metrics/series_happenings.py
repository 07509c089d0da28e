"""What happened between samples, as the messages that agents sent. The functions run inside `Database.read`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from beszel_hub.metrics.tables import Happening


def read_happenings(
    system_ids: Sequence[str], from_ms: int, to_ms: int, *, limit: int
) -> Iterator[tuple[int, str, int, str]]:
    """Number, system, instant and message of what happened with `from_ms <= instant < to_ms`, newest first."""
    rows: Iterable[tuple[int, str, int, str]] = (
        Happening.select(Happening.id, Happening.system_id, Happening.instant, Happening.body)
        .where(Happening.system_id.in_(system_ids) & Happening.instant.between(from_ms, to_ms - 1))
        .order_by(Happening.instant.desc(), Happening.id.desc())
        .limit(limit)
        .tuples()
        .iterator()
    )
    yield from rows


def newest_happening() -> int:
    """The number of the last one stored; 0 if there is none."""
    newest: Any = Happening.select(Happening.id).order_by(Happening.id.desc()).limit(1).scalar()
    return int(newest or 0)


def read_happenings_after(number: int, *, limit: int) -> list[tuple[int, str, int, str]]:
    """Those stored after the one of that number, as `read_happenings` gives them but oldest first."""
    query: Any = Happening.select(Happening.id, Happening.system_id, Happening.instant, Happening.body)
    return list(query.where(Happening.id > number).order_by(Happening.id).limit(limit).tuples())
