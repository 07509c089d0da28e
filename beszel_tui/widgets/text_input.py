"""A line in which one types: each character is drawn by itself, as wide as every terminal thinks it is."""

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Input

from beszel_tui.state.cells import spelled


class TextInput(Input):
    """What is typed stays as it was typed; only its picture is spelled out, and the cursor stands where it is."""

    @property
    def _spelled(self) -> str:
        return "•" * len(self.value) if self.password else spelled(self.value)

    @property
    def _value(self) -> Text:
        return Text(self._spelled, no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(self._spelled[:position])

    def _cell_offset_to_index(self, offset: int) -> int:
        offset += self.scroll_offset.x
        end = 0
        for index, character in enumerate(self._spelled):
            end += cell_len(character)
            if offset < end:
                return index
        return len(self.value)
