"""The logs of one container: what it wrote, and what it goes on writing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_tui.bindings.reading import LOGS
from beszel_tui.renderables.pane_line import PaneLine, pieces_of
from beszel_tui.renderables.text import Piece
from beszel_tui.screens.reader import ReaderScreen
from beszel_tui.state.logs import LogBuffer, ShownLine

if TYPE_CHECKING:
    import asyncio

    from beszel_tui.state.containers import ContainerItem

TAIL_LINES: Final = 1000
RESUME_SECONDS: Final = 2.0
LONGEST_RESUME_SECONDS: Final = 30.0
"""Of a container that does not run, or a hub that is away for long."""


class LogsScreen(ReaderScreen):
    CSS_PATH = "logs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*LOGS]

    def __init__(self, item: "ContainerItem") -> None:
        super().__init__()
        self.item = item
        self._buffer = LogBuffer()
        self._has_times = True
        self._problem = ""
        self._is_following = False
        self._has_ended = False
        self._resume_seconds = RESUME_SECONDS
        self._reading: asyncio.Task[None] | None = None

    def title_text(self) -> str:
        return f"{self.item.facts.name} on {self.item.system}"

    def on_mount(self) -> None:
        self._ask(is_resumed=False)

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def redraw(self) -> None:
        """In the colours of now."""
        super().redraw()
        self.pane.show(self._drawn(self._buffer.lines), self.hub_app.look.palette)

    def notes(self) -> list[Piece]:
        palette, buffer = self.hub_app.look.palette, self._buffer
        notes: list[Piece] = [(f"{len(buffer.lines):,} lines", palette.muted)]
        if buffer.dropped or buffer.is_truncated:
            notes.append(("older ones left out", palette.muted))
        if not self.pane.is_wrapped:
            notes.append(("cut", palette.muted))
        if self._problem:
            notes.append((self._problem, palette.level["warning"]))
        elif self._has_ended:
            notes.append(("at its end", palette.muted))
        elif not self._is_following:
            notes.append(("asking…", palette.muted))
        elif self.pane.is_at_end:
            notes.append((f"{self.hub_app.look.symbols.status['up']} following", palette.status["up"]))
        else:
            notes.append((f"{self.hub_app.look.symbols.status['paused']} held, G follows", palette.status["paused"]))
        return notes

    def text_to_copy(self) -> str:
        current = self.pane.current
        if current is not None:
            return self._buffer.lines[current].text
        return "\n".join(line.text for line in self._buffer.lines)

    def action_times(self) -> None:
        self._has_times = not self._has_times
        self.pane.show(self._drawn(self._buffer.lines), self.hub_app.look.palette)

    # The stream

    def _ask(self, *, is_resumed: bool) -> None:
        """From the beginning of what is wanted, or from the newest line on."""
        since = self._buffer.cursor.newest if is_resumed else None
        query = LogsQuery(id=self.item.facts.id, tail=TAIL_LINES, since=since, follow=True)

        def told(batch: LogBatch) -> None:
            self._told(batch, is_resumed=is_resumed)

        self._reading = self.hub_app.bridge.read_logs(self.item.system_id, query, told, self._ended)

    def _told(self, batch: LogBatch, *, is_resumed: bool) -> None:
        self._is_following, self._has_ended, self._problem = True, False, ""
        change = self._buffer.append(batch, is_resumed=is_resumed)
        if change.added:
            self._resume_seconds = RESUME_SECONDS
            new = self._buffer.lines[-change.added :]
            self.pane.append(self._drawn(new), change.dropped)
        self.show_caption()

    def _ended(self, reason: str, may_retry: bool) -> None:
        """A container that has stopped ends its stream; it may be started again."""
        self._is_following, self._has_ended = False, not reason
        self._problem = reason
        if may_retry:
            self.set_timer(self._resume_seconds, lambda: self._ask(is_resumed=True))
            self._resume_seconds = min(LONGEST_RESUME_SECONDS, 2 * self._resume_seconds)
        self.show_caption()

    # Drawing

    def _drawn(self, lines: Sequence[ShownLine]) -> list[PaneLine]:
        return [self._draw(line) for line in lines]

    def _draw(self, line: ShownLine) -> PaneLine:
        palette = self.hub_app.look.palette
        is_error = line.stream == "stderr"
        bar = self.hub_app.look.symbols.bar if is_error else " "
        lead = f"{self._time_of(line.instant_ms)} {bar}" if self._has_times else bar
        return PaneLine(
            line.text,
            pieces_of(line.stretches, palette.text),
            (lead, palette.level["warning"] if is_error else palette.muted),
        )

    def _time_of(self, instant_ms: int | None) -> str:
        """To the second."""
        clock = self.hub_app.look.clock
        width = 10 if clock.is_twelve else 8
        return " " * width if instant_ms is None else clock.text(clock.at(instant_ms)).rjust(width)
