"""What all screens of a hub share: the bars, the command line, and being told when the state changed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from beszel_tui.commands.line import run_line, suggestions
from beszel_tui.errors import CommandError
from beszel_tui.messages import ActionClicked, CommandEntered
from beszel_tui.renderables.key_bar import Hint
from beszel_tui.screens.compositor import FrugalCompositor
from beszel_tui.state.filterline import Vocabulary
from beszel_tui.state.model import State
from beszel_tui.widgets.bars import KeyBar, TopBar
from beszel_tui.widgets.command_line import CommandLine
from beszel_tui.widgets.listing import Listing

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


class HubScreen(Screen[None]):
    """Subclasses compose their content in `compose_content` and draw a state in `show_state`."""

    vocabulary: Vocabulary | None = None
    """Of its filter line, if it has one."""
    # Textual's own ctrl+c copies a mouse selection, which is not how people leave a monitor.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", "Quit", show=False, id="screen.quit")]

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()

    @property
    def hub_app(self) -> "BeszelApp":
        return cast("BeszelApp", self.app)

    @property
    def state(self) -> State:
        return self.hub_app.bridge.state

    @property
    def listing(self) -> Listing | None:
        """The list that is on the screen, for the command line to sort and filter."""
        return None

    def compose(self) -> ComposeResult:
        yield TopBar(self.state, self.hub_app.look)
        yield from self.compose_content()
        yield CommandLine()
        yield KeyBar(self.hub_app.look)

    def compose_content(self) -> ComposeResult:
        raise NotImplementedError

    def show_state(self, state: State) -> None:
        """Hand what is to be seen down to the widgets."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.hub_app.bridge.changed.subscribe(self, self._on_changed, immediate=True)
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self.redraw))

    def call_after_refresh(self, callback: Callable[..., object], *args: object, **kwargs: object) -> bool:
        """As Textual has it, but not once the screen has left, and its widgets with it."""

        def call_if_here() -> None:
            if self.is_mounted and self in self.app.screen_stack:
                callback(*args, **kwargs)

        return super().call_after_refresh(call_if_here)

    def redraw(self) -> None:
        """Everything, from the state as it is."""
        self.query_one(TopBar).show(self.state, self.hub_app.look)
        self.show_state(self.state)
        self.show_keys()

    def _on_changed(self, state: State) -> None:
        if self.is_current and self.is_mounted:
            self.query_one(TopBar).show(state, self.hub_app.look)
            self.show_state(state)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.redraw)

    # Keys

    def show_keys(self) -> None:
        self.query_one(KeyBar).show(self.hints(), self.hub_app.look)

    def hints(self) -> list[Hint]:
        """The keys of what has the focus, then those of the screen; help at the end, where it stays longest."""
        found: dict[str, Hint] = {}
        typing = isinstance(self.focused, Input)
        for active in self.active_bindings.values():
            binding = active.binding
            if typing and active.node is not self.focused:
                continue  # the key would be typed
            if binding.show and active.enabled and binding.id and binding.id not in found:
                found[binding.id] = Hint(binding.key, self.app.get_key_display(binding), binding.description)
        help_hint = found.pop("app.help", None)
        return [*found.values(), *([help_hint] if help_hint else [])]

    @on(ActionClicked)
    def _action_clicked(self, message: ActionClicked) -> None:
        # From the app: a key that the screen itself sends would not bubble up beyond the screen.
        self.app.call_later(self.app.simulate_key, message.key)

    # Command line

    def open_command_line(self, text: str = "") -> None:
        """With `text` typed already."""
        self.query_one(CommandLine).open(suggestions(self.hub_app), text)

    @on(CommandEntered)
    def _command_entered(self, message: CommandEntered) -> None:
        line = self.query_one(CommandLine)
        if not line.is_open:
            return
        line.close()
        self.focus_content()
        if message.line is None:
            return
        try:
            run_line(self.hub_app, message.line)
        except CommandError as error:
            self.hub_app.say(str(error), severity="warning")

    def focus_content(self) -> None:
        """Give the focus back to what the screen is about."""
