import pytest

from beszel_tui.state.columns import BY_KEY, CLAIMS, CLAIMS_OF_HUBS, COLUMNS, COLUMNS_OF_HUBS, GAP, fold


@pytest.mark.parametrize(
    ("width", "keys"),
    [
        (10, ["name"]),
        (22, ["name", "cpu"]),
        (58, ["name", "cpu", "memory", "disk", "network", "load"]),
        (78, ["name", "cpu", "memory", "disk", "network", "load", "uptime"]),
        (118, ["name", "cpu", "memory", "disk", "network", "load", "temperature", "services", "uptime"]),
        (158, [column.key for column in COLUMNS]),
    ],
)
def test_columns_fold_away_by_importance(width: int, keys: list[str]) -> None:
    assert [place.column.key for place in fold(width)] == keys


@pytest.mark.parametrize("width", range(1, 240))
def test_columns_fit_and_do_not_overlap(width: int) -> None:
    placed = fold(width)
    x = 0
    for place in placed:
        assert place.x == x
        assert place.width > 0
        x += place.width + GAP
    assert x - GAP <= width


def test_wider_never_shows_less() -> None:
    before: set[str] = set()
    for width in range(14, 200):
        now = {place.column.key for place in fold(width)}
        assert before <= now
        before = now


def test_the_curve_is_there_at_80_columns() -> None:
    assert next(place.width for place in fold(78) if place.column.key == "cpu") >= 15


def test_every_claim_names_a_column() -> None:
    assert {key for key, _ in CLAIMS} == {column.key for column in COLUMNS}
    assert {key for key, _ in CLAIMS_OF_HUBS} == {column.key for column in COLUMNS_OF_HUBS} == set(BY_KEY)
