"""Tabs on the left, time ranges on the right, and where the mouse finds each."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment

from beszel_tui.renderables.key_bar import Place
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.text import Piece, line_of, pieces_width


class TabBarView(NamedTuple):
    tabs: tuple[str, ...]
    active: int
    ranges: tuple[str, ...]
    range: str
    """The active one; `custom` is none of them."""
    note: str = ""
    """Beside the ranges: what stretch a custom window shows, or that it is loading."""
    arrows: tuple[str, str] = ("<", ">")
    """At either side, where there are more tabs."""


def draw_tab_bar(view: TabBarView, width: int, palette: Palette) -> tuple[list[Segment], list[Place]]:
    """One line of `width` cells. As it narrows, only the active range stays, then the tabs around the active one."""
    every = range(len(view.tabs))
    keyed = _spread(view, every, view.ranges, width, palette)
    if keyed is None:
        keyed = _spread(view, every, (), width, palette)
    if keyed is None:
        keyed = _spread(view, _around(view, width, palette), (), width, palette)
    if keyed is None:
        keyed = _tabs(view, (view.active,), palette)
    return line_of([piece for piece, _ in keyed], width, palette.text), _places(keyed)


def _spread(
    view: TabBarView, tabs: Sequence[int], ranges: Sequence[str], width: int, palette: Palette
) -> list[tuple[Piece, str]] | None:
    """Tabs at the left edge, ranges at the right; None if they do not fit."""
    left, right = _tabs(view, tabs, palette), _ranges(view, ranges, palette)
    gap = width - pieces_width(piece for piece, _ in left) - pieces_width(piece for piece, _ in right)
    if gap < 0:
        return None
    spacer: list[tuple[Piece, str]] = [((" " * gap, palette.text), "")]
    return [*left, *spacer, *right]


def _around(view: TabBarView, width: int, palette: Palette) -> Sequence[int]:
    """As many neighbours of the active tab as there is room for, about as many on either side."""
    first = last = view.active
    while True:
        wider = [(first - 1, last), (first, last + 1)]
        if last - view.active < view.active - first:
            wider.reverse()
        fitting = [
            (left, right)
            for left, right in wider
            if left >= 0
            and right < len(view.tabs)
            and _spread(view, range(left, right + 1), (), width, palette) is not None
        ]
        if not fitting:
            return range(first, last + 1)
        first, last = fitting[0]


def _tabs(view: TabBarView, shown: Sequence[int], palette: Palette) -> list[tuple[Piece, str]]:
    more_before, more_behind = shown[0] > 0, shown[-1] < len(view.tabs) - 1
    keyed: list[tuple[Piece, str]] = [((view.arrows[0] if more_before else " ", palette.muted), "")]
    if more_before:
        keyed[0] = (keyed[0][0], f"tab:{shown[0] - 1}")
    for index in shown:
        style = palette.accent + palette.cursor if index == view.active else palette.muted
        keyed.append(((f" {view.tabs[index]} ", style), f"tab:{index}"))
        keyed.append(((" ", palette.text), ""))
    if more_behind:
        keyed[-1] = ((view.arrows[1], palette.muted), f"tab:{shown[-1] + 1}")
    return keyed


def _ranges(view: TabBarView, shown: Sequence[str], palette: Palette) -> list[tuple[Piece, str]]:
    keyed: list[tuple[Piece, str]] = [((f"{view.note}  " if view.note else "", palette.muted), "")]
    names = shown or (view.range,)
    for name in filter(None, (*names, *([view.range] if view.range not in names else []))):
        style = palette.accent + palette.cursor if name == view.range else palette.muted
        keyed.append(((f" {name} ", style), f"range:{name}"))
    keyed.append(((" ", palette.text), ""))
    return keyed


def _places(keyed: Sequence[tuple[Piece, str]]) -> list[Place]:
    places: list[Place] = []
    x = 0
    for piece, key in keyed:
        width = pieces_width([piece])
        if key:
            places.append(Place(x, width, key))
        x += width
    return places
