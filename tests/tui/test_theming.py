from importlib.resources import files
from pathlib import Path

import pytest

from beszel_tui.errors import ThemeError
from beszel_tui.theming import DEFAULT_THEME, load_themes, palette_of, read_theme, textual_theme

GOOD = (files("beszel_themes") / "midnight.toml").read_bytes()


def luminance(color: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_there_are_a_dark_a_light_and_a_high_contrast_theme() -> None:
    themes = load_themes()
    assert themes.problems == ()
    assert {"midnight", "paper", "contrast"} <= set(themes.by_name)
    assert themes.by_name["midnight"].dark
    assert not themes.by_name["paper"].dark


@pytest.mark.parametrize("name", sorted(load_themes().by_name))
def test_text_can_be_read(name: str) -> None:
    colors = load_themes().by_name[name].colors
    least = 7.0 if name == "contrast" else 4.5
    for text in (colors.text, colors.strong, colors.accent, colors.good, colors.warning, colors.critical, colors.muted):
        assert contrast(text, colors.background) >= least, text
        assert contrast(text, colors.panel) >= 3.9, text
    assert contrast(colors.strong, colors.selection) >= 4.5


@pytest.mark.parametrize("name", sorted(load_themes().by_name))
def test_a_theme_is_complete_for_textual_and_for_drawing(name: str) -> None:
    theme = load_themes().by_name[name]
    assert textual_theme(theme).name == name
    palette = palette_of(theme)
    assert len(palette.lines) == len(palette.fills) >= 8


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name = 'x'", "label"),
        (GOOD.replace(b"#0b0f1a", b"blue"), "background"),
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
