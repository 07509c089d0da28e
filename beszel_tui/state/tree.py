"""Rows below the row that they belong to, such as processes below what started them. Pure."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from beszel_tui.state.sheet import SheetRow


class TreeRow(NamedTuple):
    """A row at its place in the tree."""

    row: SheetRow
    branches: tuple[bool, ...] = ()
    """From the root down: whether more siblings follow on that level; the last one is the row's own."""
    is_sought: bool = True
    """False of one that is only there because something below it is."""


def grow(rows: Sequence[SheetRow], sought: Collection[str] | None = None) -> list[TreeRow]:
    """Every row once, each below its parent; siblings keep the order in which they are given.

    A row whose parent is not among them stands at the root. So does, of rows that are each other's parents, the first:
    a host is asked while processes come and go, and may say anything. With `sought`, keys, only these rows remain and
    what they hang from.
    """
    children, roots = _families(rows)
    kept = None if sought is None else _with_ancestors(rows, sought)
    grown: list[TreeRow] = []
    seen: set[int] = set()
    for start in (*roots, *range(len(rows))):  # what is left after the roots goes round in circles
        if start not in seen:
            _grow_from(start, rows, children, seen, grown)
    if kept is None or sought is None:
        return _branched(grown)
    return _branched([one._replace(is_sought=one.row.key in sought) for one in grown if one.row.key in kept])


def _families(rows: Sequence[SheetRow]) -> tuple[dict[int, list[int]], list[int]]:
    """The places of the children of each place, and those of the roots."""
    places: dict[str, int] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.key, place)
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    for place, row in enumerate(rows):
        parent = None if row.parent is None else places.get(row.parent)
        if parent is None or parent == place:
            roots.append(place)
        else:
            children.setdefault(parent, []).append(place)
    return children, roots


def _grow_from(
    start: int, rows: Sequence[SheetRow], children: dict[int, list[int]], seen: set[int], grown: list[TreeRow]
) -> None:
    """Without recursion, as a chain may be long. Until `_branched`, branches only tell how deep a row is."""
    waiting = [(start, 0)]
    while waiting:
        place, depth = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        grown.append(TreeRow(rows[place], (False,) * depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(place, ()))]


def _with_ancestors(rows: Sequence[SheetRow], sought: Collection[str]) -> set[str]:
    parents = {row.key: row.parent for row in reversed(rows)}
    kept: set[str] = set()
    for wanted in sought:
        key: str | None = wanted
        while key is not None and key in parents and key not in kept:
            kept.add(key)
            key = parents[key]
    return kept


def _branched(grown: list[TreeRow]) -> list[TreeRow]:
    """From the last row up it is known whether another sibling follows."""
    follows: list[bool] = []
    for place in range(len(grown) - 1, -1, -1):
        depth = len(grown[place].branches)
        del follows[depth + 1 :]
        follows += [False] * (depth + 1 - len(follows))
        grown[place] = grown[place]._replace(branches=tuple(follows[1 : depth + 1]))
        follows[depth] = True
    return grown
