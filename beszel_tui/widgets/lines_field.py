"""A field of a form in which one types several lines."""

from textual.widgets import TextArea

from beszel_tui.messages import FieldLeft


class LinesField(TextArea):
    """`↑` on its first line and `↓` on its last one lead to the fields around it."""

    DEFAULT_CSS = """
    LinesField, LinesField:focus {
        width: 1fr;
        background: $panel;
        border: none;
        padding: 0;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, text: str, hint: str, key: str, lines: int) -> None:
        super().__init__(
            text, name=key, compact=True, placeholder=hint, highlight_cursor_line=False, max_checkpoints=20
        )  # fmt: skip
        self.styles.height = lines

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.cursor_at_first_line:
            self.post_message(FieldLeft(self.name or "", -1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if not select and self.cursor_at_last_line:
            self.post_message(FieldLeft(self.name or "", 1))
        else:
            super().action_cursor_down(select)
