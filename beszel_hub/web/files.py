"""The files of the web view, and the colours of its style sheet: those of the terminal client's themes."""

import functools
import tomllib
from importlib import resources
from typing import Any, Final

DARK_THEME: Final = "midnight"
LIGHT_THEME: Final = "paper"
_FILES: Final = "beszel_hub.web"
_THEMES: Final = "beszel_themes"


@functools.cache
def read_text(name: str) -> str:
    return resources.files(_FILES).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def make_page(depth: int) -> str:
    """The page for an address that many folders below the hub's own; what a proxy adds to that needs no knowing."""
    return read_text("view.html").replace('"web/', f'"{"../" * depth}web/')


@functools.cache
def make_style() -> str:
    """Dark, or light for who has told their browser so."""
    light = f"@media (prefers-color-scheme: light) {{\n{_variables(LIGHT_THEME)}}}\n"
    return f"{_variables(DARK_THEME)}{light}{read_text('view.css')}"


def _variables(theme: str) -> str:
    text = resources.files(_THEMES).joinpath(f"{theme}.toml").read_text(encoding="utf-8")
    colours: dict[str, Any] = tomllib.loads(text)["colors"]
    lines = "".join(f"  --{name}: {colour};\n" for name, colour in colours.items())
    return f":root {{\n{lines}}}\n"
