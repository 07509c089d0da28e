"""Processes below what started them, whatever a host says of who that was."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from beszel_tui.state.sheet import SheetRow
from beszel_tui.state.tree import TreeRow, grow

KEYS = st.integers(0, 12).map(str)
ROWS = st.lists(
    st.builds(lambda key, parent: SheetRow(key, key, {}, parent=parent), KEYS, st.none() | KEYS), max_size=30
)


def rows(**parents: str | None) -> list[SheetRow]:
    return [SheetRow(key, key, {}, parent=parent) for key, parent in parents.items()]


def drawn(grown: list[TreeRow]) -> list[str]:
    """With `>` for a child that siblings follow, `.` for a last one."""
    return ["".join(">" if follows else "." for follows in one.branches) + one.row.key for one in grown]


def test_children_stand_below_their_parents_in_the_order_given() -> None:
    told = rows(c="a", leaf="b", b="a", a=None, other=None, last="a")
    assert drawn(grow(told)) == ["a", ">c", ">b", ">.leaf", ".last", "other"]


def test_a_parent_that_is_not_told_makes_a_root() -> None:
    assert drawn(grow(rows(a="gone", b="a"))) == ["a", ".b"]


def test_circles_begin_with_their_first() -> None:
    assert drawn(grow(rows(a="b", b="a", c="b", own="own"))) == ["own", "a", ".b", "..c"]


def test_what_is_sought_keeps_what_it_hangs_from() -> None:
    told = rows(a=None, b="a", c="b", d="a", e="d", f=None)
    grown = grow(told, {"c"})
    assert drawn(grown) == ["a", ".b", "..c"]
    assert [one.is_sought for one in grown] == [False, False, True]
    assert grow(told, set()) == []


def test_a_chain_of_a_thousand() -> None:
    told = [SheetRow(str(n), str(n), {}, parent=str(n - 1)) for n in range(1000)]
    assert len(grow(told)[-1].branches) == 999


@given(ROWS)
def test_no_row_is_lost_or_told_twice(told: list[SheetRow]) -> None:
    grown = grow(told)
    assert sorted(id(one.row) for one in grown) == sorted(map(id, told))
    for above, below in pairwise(grown):
        assert len(below.branches) <= len(above.branches) + 1
    for place, one in enumerate(grown):
        depth = len(one.branches)
        after = next((len(later.branches) for later in grown[place + 1 :] if len(later.branches) <= depth), -1)
        assert not depth or one.branches[-1] == (after == depth)
        if depth:
            parent = next(up for up in reversed(grown[:place]) if len(up.branches) == depth - 1)
            assert one.row.parent == parent.row.key
            assert one.branches[:-1] == parent.branches


@given(ROWS, st.sets(KEYS))
def test_a_filter_keeps_the_sought_and_ancestors_only(told: list[SheetRow], sought: set[str]) -> None:
    grown = grow(told, sought)
    kept = {one.row.key for one in grown}
    assert kept >= {row.key for row in told} & sought
    parents = {one.row.parent for one in grown}
    assert all(one.row.key in sought | parents and one.is_sought == (one.row.key in sought) for one in grown)
