import pytest
from rich.cells import cell_len
from rich.style import Style

from beszel_tui.renderables.text import fit, fit_middle, line_of
from tests.support.looks import plain

PLAIN = Style()


@pytest.mark.parametrize(
    ("text", "width", "align", "expected"),
    [
        ("web", 5, "left", "web  "),
        ("web", 5, "right", "  web"),
        ("web-server", 5, "left", "web-…"),
        ("web", 3, "left", "web"),
        ("web", 0, "left", ""),
        ("web", 1, "left", " "),
        ("日本語", 5, "left", "日本…"),
        ("日本語", 4, "left", "日 …"),
        ("\x1b[31mred\x1b[0m", 12, "left", "[31mred[0m  "),
        ("a\u202eb\nc\rd\x07", 6, "left", "abcd  "),
    ],
)
def test_fit(text: str, width: int, align: str, expected: str) -> None:
    fitted = fit(text, width, align)
    assert fitted == expected
    assert cell_len(fitted) == width


def test_markup_is_text() -> None:
    assert fit("[bold]x[/]", 12) == "[bold]x[/]  "


@pytest.mark.parametrize("width", range(1, 12))
def test_a_line_is_exactly_as_wide_as_asked(width: int) -> None:
    line = line_of([("ab", PLAIN), ("日本", PLAIN), ("c\x1b[2Jd", PLAIN)], width, PLAIN)
    assert cell_len(plain(line)) == width
    assert "\x1b" not in plain(line)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("ci-runner-12", 10, "ci-ru…r-12"),
        ("short", 10, "short     "),
        ("名前名前名前", 8, "名前 …前"),
        ("ci-runner-12", 6, "ci-…12"),
        ("ci-runner-12", 4, "ci…2"),
        ("ci-runner-12", 3, "ci…"),
        ("a\x1b[2Jb" * 9, 10, None),
    ],
)
def test_cut_in_the_middle(text: str, width: int, shown: str | None) -> None:
    cut = fit_middle(text, width)
    assert cell_len(cut) == width
    assert "\x1b" not in cut
    assert shown is None or cut.rstrip() == shown.rstrip()
