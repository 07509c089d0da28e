"""What widgets tell the screen above them; past tense, as it has happened."""

from textual.message import Message

from beszel_tui.state.filterline import Filter


class LineChosen(Message):
    """A line of a table was opened."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class LineMarked(Message):
    """A line that stands for several was marked."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class HeaderClicked(Message):
    """The title of a column was clicked."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column


class TableResized(Message):
    """The table has another width: columns may fold in or out."""


class TableLeft(Message):
    """The cursor was to move on below the last line."""


class SheetSorted(Message):
    """A table of things has another order."""


class OrderChosen(Message):
    """Somebody sorted a table."""

    def __init__(self, table: str, key: str, *, descending: bool) -> None:
        super().__init__()
        self.table = table
        self.key = key
        self.descending = descending


class TreeTurned(Message):
    """Processes are to stand below what started them, or not."""

    def __init__(self, *, is_tree: bool) -> None:
        super().__init__()
        self.is_tree = is_tree


class ValueCopied(Message):
    """Something is to be copied to the clipboard of the terminal."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FilterChanged(Message):
    """The filter line parses, and says something else than before."""

    def __init__(self, wanted: Filter) -> None:
        super().__init__()
        self.wanted = wanted


class FilterLeft(Message):
    """The filter line is done with."""


class FieldChanged(Message):
    """Something else stands in a field of a form."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class FieldDone(Message):
    """A field of a form is done with."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class FieldLeft(Message):
    """One went over the edge of a field of several lines: `step` is -1 above it, 1 below."""

    def __init__(self, key: str, step: int) -> None:
        super().__init__()
        self.key = key
        self.step = step


class CommandEntered(Message):
    """A line was entered on the command line; None if it was given up."""

    def __init__(self, line: str | None) -> None:
        super().__init__()
        self.line = line


class ActionClicked(Message):
    """A key of the footer was clicked: as if it had been pressed."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class PaneMoved(Message):
    """Another part of a text is to be seen."""


class SearchEntered(Message):
    """Something is to be searched for; None if the search was given up."""

    def __init__(self, text: str | None) -> None:
        super().__init__()
        self.text = text


class RowClicked(Message):
    """A row of a list was clicked."""

    def __init__(self, row: int) -> None:
        super().__init__()
        self.row = row


class TabClicked(Message):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class RangeClicked(Message):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class InstantPointed(Message):
    """The mouse pointed at an instant of a chart."""

    def __init__(self, instant_ms: int) -> None:
        super().__init__()
        self.instant_ms = instant_ms


class ChoiceTaken(Message):
    """A choice of a form is as it shall be."""
