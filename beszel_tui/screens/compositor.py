"""Sends only the cells that changed, and a colour only where it is another one than before.

Textual knows which cells are dirty, but writes each line from the left edge of the widget, and says every colour anew:
over SSH that is most of what a live table costs. This overrides the one method of its compositor that makes a partial
update.
"""

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor

_RESET = "\x1b[m"


class FrugalUpdate(ChopsUpdate):
    """The same update, each span cut on both sides."""

    def render_segments(self, console: Console) -> str:
        system = console._color_system  # noqa: SLF001 (Rich tells only its name in public)
        sequences: list[str] = []
        current = ""
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is None or left >= right:
                    continue
                sequences.append(Control.move_to(left, y).segment.text)
                for text, style, control in strip if (left, right) == (x, end) else strip.crop(left - x, right - x):
                    wanted = _opening(style, system) if style is not None and not control else ""
                    if wanted != current:
                        sequences.append(_RESET + wanted if current else wanted)
                        current = wanted
                    sequences.append(text)
        return "".join(sequences) + (_RESET if current else "")


class FrugalCompositor(Compositor):
    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else FrugalUpdate(update.chops, update.spans, update.chop_ends)


@lru_cache(maxsize=4096)
def _opening(style: Style, system: ColorSystem | None) -> str:
    """The escape sequence that switches to a style; empty if it changes nothing."""
    return style.render("x", color_system=system).partition("x")[0]
