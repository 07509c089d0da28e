"""Themes: one TOML file each, read from the package `beszel_themes` and from the user's own folder.

A file that cannot be used is reported and left out; the client starts with the others. A colour is `#rrggbb`, or one of
the terminal's own by its name: `red`, `bright_blue`, `default`.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.style import Style
from textual.theme import Theme

from beszel_tui.errors import ThemeError
from beszel_tui.renderables.palette import Palette

DEFAULT_THEME: Final = "midnight"
MAX_FILE_BYTES: Final = 64 << 10
_PACKAGE: Final = "beszel_themes"

_DEFAULT: Final = "default"

ThemeColor: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(#[0-9a-fA-F]{6}|default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))$",
        max_length=16,
    ),
]


class ThemeColors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    background: ThemeColor
    surface: ThemeColor
    panel: ThemeColor
    selection: ThemeColor
    text: ThemeColor
    strong: ThemeColor
    muted: ThemeColor
    faint: ThemeColor
    accent: ThemeColor
    good: ThemeColor
    warning: ThemeColor
    critical: ThemeColor
    paused: ThemeColor
    pending: ThemeColor
    series: Annotated[list[ThemeColor], msgspec.Meta(min_length=8, max_length=16)]


class ThemeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One theme as its file has it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    dark: bool
    colors: ThemeColors

    @property
    def is_terminals_own(self) -> bool:
        """Whether any colour is what the terminal makes of it: nothing can then be mixed or computed."""
        colors = self.colors
        named = (getattr(colors, field) for field in colors.__struct_fields__ if field != "series")
        return any(not color.startswith("#") for color in (*named, *colors.series))


class Themes(NamedTuple):
    by_name: Mapping[str, ThemeFile]
    problems: tuple[str, ...]
    """One sentence for each file that was left out."""

    def choose(self, name: str) -> ThemeFile:
        """The theme called `name`, else the default one. Raises `ThemeError` if there is none at all."""
        theme = self.by_name.get(name) or self.by_name.get(DEFAULT_THEME) or next(iter(self.by_name.values()), None)
        if theme is None:
            raise ThemeError("no theme can be read: " + "; ".join(self.problems))
        return theme


def load_themes(user_directory: Path | None = None) -> Themes:
    """Read every theme; one of the user's replaces ours of the same name."""
    by_name: dict[str, ThemeFile] = {}
    problems: list[str] = []
    for path in (*_theme_files(files(_PACKAGE)), *_user_files(user_directory)):
        try:
            theme = read_theme(path.read_bytes())
        except (OSError, ThemeError) as error:
            problems.append(f"theme {path.name} is left out: {error}")
        else:
            by_name[theme.name] = theme
    return Themes(by_name, tuple(problems))


def read_theme(content: bytes) -> ThemeFile:
    """Raise `ThemeError` with what is wrong and where."""
    if len(content) > MAX_FILE_BYTES:
        raise ThemeError(f"a theme file has at most {MAX_FILE_BYTES} bytes")
    try:
        return msgspec.toml.decode(content, type=ThemeFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ThemeError(str(error)) from error


def textual_theme(theme: ThemeFile) -> Theme:
    colors = theme.colors
    return Theme(
        name=theme.name,
        primary=_css(colors.accent),
        secondary=_css(colors.series[0]),
        accent=_css(colors.accent),
        foreground=_css(colors.text),
        background=_css(colors.background),
        surface=_css(colors.surface),
        panel=_css(colors.panel),
        success=_css(colors.good),
        warning=_css(colors.warning),
        error=_css(colors.critical),
        dark=theme.dark,
        ansi=theme.is_terminals_own,
        variables={name: _css(color) for name, color in css_variables(theme).items()},
    )


def css_variables(theme: ThemeFile) -> dict[str, str]:
    """What our style sheets use beyond Textual's own names."""
    colors = theme.colors
    chosen, on_chosen = (
        ("white", "black") if colors.selection == _DEFAULT else (colors.selection, colors.strong)
    )  # Textual has no way to turn colours round in a variable
    return {
        "text-strong": colors.strong,
        "muted": colors.muted,
        "faint": colors.faint,
        "selection": chosen,
        "ansi-background": colors.background,
        "ansi-foreground": colors.text,
        "scrollbar": colors.faint,
        "scrollbar-hover": colors.muted,
        "scrollbar-active": colors.accent,
        "scrollbar-background": colors.background,
        "scrollbar-background-hover": colors.background,
        "scrollbar-background-active": colors.background,
        "scrollbar-corner-color": colors.background,
        "input-cursor-background": colors.accent,
        "input-cursor-foreground": "black" if colors.background == _DEFAULT else colors.background,
        "input-selection-background": chosen,
        "input-selection-foreground": on_chosen,
        "block-cursor-background": chosen,
        "block-cursor-foreground": on_chosen,
        "border": colors.accent,
        "border-blurred": colors.faint,
    }


def palette_of(theme: ThemeFile) -> Palette:
    colors = theme.colors
    levels = {
        "good": _style(colors.good),
        "warning": _style(colors.warning),
        "critical": _style(colors.critical, bold=True),
    }
    return Palette(
        text=_style(colors.text),
        strong=_style(colors.strong, bold=True),
        muted=_style(colors.muted),
        faint=_style(colors.faint),
        aged=_style(colors.muted),
        accent=_style(colors.accent, bold=True),
        key=_style(colors.accent),
        status={
            "up": _style(colors.good),
            "down": _style(colors.critical, bold=True),
            "paused": _style(colors.paused),
            "pending": _style(colors.pending),
        },
        level={"good": levels["good"], "warning": levels["warning"], "critical": levels["critical"]},
        spark={
            "good": _style(colors.series[0]),
            "warning": _style(colors.warning),
            "critical": _style(colors.critical),
        },
        lines=tuple(_style(color) for color in colors.series),
        fills=tuple(_dimmed(color, theme) for color in colors.series),
        header=_style(colors.muted),
        sorted_header=_style(colors.accent, bold=True),
        cursor=Style(reverse=True) if colors.selection == _DEFAULT else Style(bgcolor=_color(colors.selection)),
        mark=_style(colors.accent, bold=True),
        time_cursor=_style(colors.accent, bold=True),
        offline=_style(colors.critical, bold=True),
    )


def _theme_files(folder: Traversable) -> Iterator[Traversable]:
    yield from sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)


def _user_files(directory: Path | None) -> Iterable[Path]:
    return sorted(directory.glob("*.toml")) if directory is not None and directory.is_dir() else ()


def _style(color: str, *, bold: bool = False) -> Style:
    return Style(color=_color(color), bold=bold or None)


def _dimmed(color: str, theme: ThemeFile) -> Style:
    """Half as strong on the theme's background; of the terminal's colours only the terminal knows what that is."""
    if theme.is_terminals_own:
        return Style(color=_color(color), dim=True)
    return _style(_mix(color, theme.colors.background, 0.5))


def _css(color: str) -> str:
    return color if color.startswith("#") else f"ansi_{color}"


def _color(color: str) -> RichColor:
    return RichColor.from_triplet(_triplet(color)) if color.startswith("#") else RichColor.parse(color)


def _triplet(color: str) -> ColorTriplet:
    return ColorTriplet(int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))


def _mix(color: str, other: str, share: float) -> str:
    """`share` of `color`, the rest of `other`."""
    mixed = (round(a * share + b * (1 - share)) for a, b in zip(_triplet(color), _triplet(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
