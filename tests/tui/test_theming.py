import math
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import pytest

from beszel_tui.errors import ThemeError
from beszel_tui.theming import DEFAULT_THEME, load_themes, palette_of, read_theme, textual_theme

THEMES = load_themes().by_name
GOOD = (files("beszel_themes") / "midnight.toml").read_bytes()


def luminance(color: str) -> float:
    """Relative luminance after WCAG 2.2."""
    return sum(share * linear_part(color, index) for share, index in ((0.2126, 1), (0.7152, 3), (0.0722, 5)))


def linear_part(color: str, index: int) -> float:
    part = int(color[index : index + 2], 16) / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""What becomes of linear RGB: Machado, Oliveira and Fernandes, 2009, at full severity."""


def seen(color: str, vision: str) -> tuple[float, ...]:
    """In OKLab, as somebody with such a vision sees it."""
    linear = [linear_part(color, index) for index in (1, 3, 5)]
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in VISIONS[vision]
    )
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def test_there_are_themes_for_every_reader() -> None:
    themes = load_themes()
    assert themes.problems == ()
    assert len(themes.by_name) >= 8
    assert {"midnight", "paper", "contrast", "harbour", "terminal"} <= set(themes.by_name)
    assert len({theme.label for theme in themes.by_name.values()}) == len(themes.by_name)
    assert themes.by_name["midnight"].dark
    assert not themes.by_name["paper"].dark


@pytest.mark.parametrize("name", [name for name, theme in THEMES.items() if not theme.is_terminals_own])
def test_text_can_be_read_on_everything_it_stands_on(name: str) -> None:
    colors = THEMES[name].colors
    least = 7.0 if name == "contrast" else 4.5
    roles = ("text", "strong", "muted", "accent", "good", "warning", "critical", "paused", "pending")
    for role in roles:
        for ground in ("background", "surface"):
            assert contrast(getattr(colors, role), getattr(colors, ground)) >= least, (role, ground)
        for ground in ("panel", "selection"):
            assert contrast(getattr(colors, role), getattr(colors, ground)) >= 4.5, (role, ground)
    for color in colors.series:
        assert contrast(color, colors.background) >= 4.5, "the legend's numbers have the colours of the lines"


@pytest.mark.parametrize("vision", sorted(VISIONS))
def test_the_theme_for_colour_blind_readers_keeps_colours_apart(vision: str) -> None:
    """In OKLab, where two hundredths are a just noticeable difference."""
    colors = THEMES["harbour"].colors
    for group in ((colors.good, colors.warning, colors.critical, colors.pending), colors.series):
        for one, other in combinations(group, 2):
            assert math.dist(seen(one, vision), seen(other, vision)) >= 0.1, (one, other)


def test_the_terminals_own_colours_reach_the_terminal_as_they_are() -> None:
    theme = THEMES["terminal"]
    assert theme.is_terminals_own
    assert textual_theme(theme).ansi
    assert textual_theme(theme).background == "ansi_default"
    palette = palette_of(theme)
    styles = (palette.text, palette.accent, palette.faint, *palette.status.values(), *palette.lines, *palette.fills)
    for style in styles:
        assert style.color is not None
        assert style.color.triplet is None
    assert palette.cursor.reverse, "no colour of an unknown terminal is sure to stand out"


@pytest.mark.parametrize("name", sorted(THEMES))
def test_a_theme_is_complete_for_textual_and_for_drawing(name: str) -> None:
    theme = THEMES[name]
    assert textual_theme(theme).name == name
    palette = palette_of(theme)
    assert len(palette.lines) == len(palette.fills) >= 8


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name = 'x'", "label"),
        (GOOD.replace(b"#0b0f1a", b"navy"), "background"),
        (GOOD.replace(b"#0b0f1a", b"bright_default"), "background"),
        (GOOD + b"\n[extra]\n", "extra"),
        (b"\xff", "utf-8"),
        (b"= =", "line 1"),
        (b"#" * 100_000, "at most"),
    ],
)
def test_a_bad_file_is_reported_not_fatal(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "mine.toml").write_bytes(content)
    themes = load_themes(tmp_path)
    assert len(themes.problems) == 1
    assert "mine.toml" in themes.problems[0]
    assert says in themes.problems[0]
    assert DEFAULT_THEME in themes.by_name


def test_a_theme_of_the_users_own_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(GOOD.replace(b'label = "Midnight"', b'label = "Mine"'))
    assert load_themes(tmp_path).by_name["midnight"].label == "Mine"


def test_an_unknown_theme_falls_back() -> None:
    assert load_themes().choose("nonsense").name == DEFAULT_THEME
    with pytest.raises(ThemeError):
        load_themes()._replace(by_name={}).choose("x")
    with pytest.raises(ThemeError):
        read_theme(b"")
