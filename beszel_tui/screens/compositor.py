"""Sends only the cells that changed, and a colour only where it is another one than before.

Textual knows which cells are dirty, but writes each line from the left edge of the widget, and says every colour anew:
over SSH that is most of what a live table costs. This overrides the two methods of its compositor that make updates.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.strip import Strip

Placed: TypeAlias = tuple[int, int, Iterable[Segment]]
"""Column, row, and what stands there."""


class FrugalUpdate(ChopsUpdate):
    """The same update, each span cut on both sides."""

    def render_segments(self, console: Console) -> str:
        return write(self._cut_spans(), console)

    def _cut_spans(self) -> Iterator[Placed]:
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is not None and left < right:
                    yield left, y, strip if (left, right) == (x, end) else _cut(strip, left - x, right - x)


class FrugalLayout(LayoutUpdate):
    """The whole screen."""

    def render_segments(self, console: Console) -> str:
        lines = ((self.region.x, y, Strip.join(line)) for y, line in enumerate(self.strips, self.region.y))
        return write(lines, console)


class FrugalCompositor(Compositor):
    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else FrugalUpdate(update.chops, update.spans, update.chop_ends)

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        update = super().render_full_update(simplify)
        return FrugalLayout(update.strips, update.region)


def _cut(strip: Iterable[Segment], left: int, right: int) -> Iterator[Segment]:
    """The cells from `left` to before `right`: what `Strip.crop` gives, without the strip that it would be."""
    x = 0
    for segment in strip:
        begin, x = x, x + segment.cell_length
        if x <= left:
            continue
        cut = segment
        if begin < left:
            cut, begin = cut.split_cells(left - begin)[1], left
        if x > right:
            cut = cut.split_cells(right - begin)[0]
        if cut.text:
            yield cut
        if x >= right:
            return


def write(placed: Iterable[Placed], console: Console) -> str:
    """What the terminal is sent to show strips at their places."""
    system = console._color_system  # noqa: SLF001 (Rich tells only its name in public)
    sequences: list[str] = []
    current = _PLAIN
    for x, y, strip in placed:
        sequences.append(Control.move_to(x, y).segment.text)
        for text, style, control in strip:
            wanted = _PLAIN if style is None or control else _look(style, system)
            if text.isspace() and wanted.shows_blank_like(current):
                wanted = current
            sequences += (_switch(current, wanted), text)
            current = wanted
    sequences.append(_switch(current, _PLAIN))
    return "".join(sequences)


class _Look(NamedTuple):
    """A style as parameters of the escape sequence SGR."""

    attributes: str
    foreground: str
    background: str

    def shows_blank_like(self, other: "_Look") -> bool:
        """Blank cells show only their background, where nothing is underlined, struck through or reversed."""
        return self.background == other.background and self.attributes in _INK and other.attributes in _INK


_PLAIN: Final = _Look("", "39", "49")
_INK: Final = frozenset({"", "1", "2", "1;2"})
"""Attributes that do not show on a blank."""
_ATTRIBUTES: Final = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("reverse", "7"),
    ("strike", "9"),
)


@lru_cache(maxsize=1024)
def _switch(now: _Look, then: _Look) -> str:
    """The shortest sequence that changes one look into another."""
    if now == then:
        return ""
    if then == _PLAIN:
        return "\x1b[m"
    if now.attributes != then.attributes:
        return f"\x1b[0;{';'.join(part for part in then if part)}m"
    parts = [b for a, b in zip(now[1:], then[1:], strict=True) if a != b]
    return f"\x1b[{';'.join(parts)}m"


@lru_cache(maxsize=4096)
def _look(style: Style, system: ColorSystem | None) -> _Look:
    if system is None:
        return _PLAIN
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    foreground = "39" if style.color is None else ";".join(style.color.downgrade(system).get_ansi_codes())
    if style.bgcolor is None:
        return _Look(attributes, foreground, "49")
    return _Look(attributes, foreground, ";".join(style.bgcolor.downgrade(system).get_ansi_codes(foreground=False)))
