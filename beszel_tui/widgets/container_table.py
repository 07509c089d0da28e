"""Containers as a table: those of all systems, or of one."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from beszel_tui.bindings.containers import CONTAINER_LINES
from beszel_tui.bindings.tables import TABLE
from beszel_tui.renderables.container_row import draw_container
from beszel_tui.renderables.fleet_row import Cell, FleetLook
from beszel_tui.state.columns import Placed, fold
from beszel_tui.state.containers import CLAIMS, CLAIMS_OF_ONE_SYSTEM, COLUMNS, ContainerLine
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.row_table import RowTable


class ContainerTable(RowTable[ContainerLine]):
    BINDINGS: ClassVar[list[BindingType]] = [*TABLE, *CONTAINER_LINES]

    def __init__(self, look: FleetLook, sort: Sort, *, of_one_system: bool) -> None:
        super().__init__(look, sort)
        self._claims: Sequence[tuple[str, int]] = CLAIMS_OF_ONE_SYSTEM if of_one_system else CLAIMS

    def key_of(self, line: ContainerLine) -> str:
        return line.item.key

    def draw_line(self, line: ContainerLine, look: FleetLook, *, marked: bool) -> list[Cell]:
        del marked  # there is nothing yet to do to several at once
        return draw_container(line, self.placed, look)

    def lay_out(self, width: int) -> list[Placed]:
        return fold(width, COLUMNS, self._claims)
