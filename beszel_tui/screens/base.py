"""What all screens of a hub share: the bars, the command line, and being told when the state changed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, cast

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal
from textual.theme import Theme
from textual.widgets import Input

from beszel_tui.bridge import AWAY_SECONDS
from beszel_tui.commands.line import run_line, suggestions
from beszel_tui.errors import CommandError
from beszel_tui.messages import ActionClicked, CommandEntered
from beszel_tui.renderables.key_bar import Hint
from beszel_tui.screens.compositor import FrugalCompositor
from beszel_tui.state.filterline import Vocabulary
from beszel_tui.state.model import State
from beszel_tui.state.past import moment
from beszel_tui.widgets.bars import KeyBar, TopBar
from beszel_tui.widgets.command_line import CommandLine
from beszel_tui.widgets.listing import Listing

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


AWAY_MS: Final = int(AWAY_SECONDS * 1000)
"""Between two pictures while the terminal has not the focus: it may still be in sight."""
BEAT_MS: Final = 5_000
"""How often what only grows older is drawn anew; the clock at the top goes on every second."""


class HubScreen(Screen[None]):
    """Subclasses compose their content in `compose_content` and draw a state in `show_state`."""

    shows_past: ClassVar[bool] = False
    """Whether it shows the instant that is looked at; else it is of now, and says so."""
    vocabulary: Vocabulary | None = None
    """Of its filter line, if it has one."""
    # Textual's own ctrl+c copies a mouse selection, which is not how people leave a monitor.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", "Quit", show=False, id="screen.quit")]

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self._shown_ms = 0
        self._shown: State | None = None
        self._has_past = False
        self._signals: tuple[Signal[State], Signal[Theme]] | None = None

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
        self._signals = (self.hub_app.bridge.changed, self.app.theme_changed_signal)
        changed, theme_changed = self._signals
        changed.subscribe(self, self._on_changed, immediate=True)
        theme_changed.subscribe(self, lambda _: self.call_after_refresh(self.redraw))

    def on_unmount(self) -> None:
        """A signal holds its subscribers weakly, but their callbacks for good, and through them the screens."""
        for signal in self._signals or ():
            signal.unsubscribe(self)
        self._styles_cache.clear()  # as `LineWidget` does

    def call_after_refresh(self, callback: Callable[..., object], *args: object, **kwargs: object) -> bool:
        """As Textual has it, but not once the screen has left, and its widgets with it."""

        def call_if_here() -> None:
            if self.is_mounted and self in self.app.screen_stack:
                callback(*args, **kwargs)

        return super().call_after_refresh(call_if_here)

    def redraw(self) -> None:
        """Everything, from the state as it is."""
        self._show(self.state)
        self.show_keys()

    def _on_changed(self, state: State) -> None:
        """Nothing is drawn for nobody: in a terminal that has lost the focus only now and then, for second screens."""
        if not (self.is_current and self.is_mounted):
            return
        if not self.app.app_focus and 0 <= state.now_ms - self._shown_ms < AWAY_MS:
            return
        if self._is_shown(state):
            self._show_top_bar(state)
        else:
            self._show(state)

    def _show(self, state: State) -> None:
        self._shown, self._shown_ms = state, state.now_ms
        self._show_top_bar(state)
        self.show_state(state)
        if (state.past is not None) != self._has_past:
            self._has_past = state.past is not None
            self.refresh_bindings()
            self.show_keys()

    def _is_shown(self, state: State) -> bool:
        """But for the clock.

        Of a hub that is away it is told by the second when it is tried again, and what is still looked up of the past
        is asked for again by those who show it.
        """
        before = self._shown
        if before is None or not state.is_live or state.past is not None:
            return False
        return state.now_ms // BEAT_MS == before.now_ms // BEAT_MS and state.is_but_later(before)

    def _show_top_bar(self, state: State) -> None:
        told = moment(state) if self.shows_past else replace(state, past=None)
        self.query_one(TopBar).show(told, self.hub_app.look, is_away=not self.app.app_focus)

    def terminal_focused(self, *, has_focus: bool) -> None:
        """Told by the app, whose watchers it would keep alive beyond their time."""
        if not (self.is_current and self.is_mounted):
            return
        if has_focus:
            self._show(self.state)
        else:
            self._show_top_bar(self.state)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.redraw)

    # Time; only screens that show the past have keys for it

    def action_hold(self) -> None:
        if self.state.is_live or self.state.past is not None:
            self.hub_app.bridge.times.hold()
        else:
            self.hub_app.say("there is no history while the hub is away", severity="warning")

    def action_step(self, seconds: int) -> None:
        if self.state.is_live or self.state.past is not None:
            self.hub_app.bridge.times.step(seconds * 1000)

    def action_speed(self) -> None:
        self.hub_app.bridge.times.next_speed()

    def action_now(self) -> None:
        self.hub_app.bridge.times.leave()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action not in {"now", "speed"} or self.state.past is not None

    # Keys

    def show_keys(self) -> None:
        self.query_one(KeyBar).show(self.hints(), self.hub_app.look)

    def hints(self) -> list[Hint]:
        """The keys of what has the focus, then those of the screen; help at the end, where it stays longest.

        The way back to now comes first: who is in the past must see it.
        """
        found: dict[str, Hint] = {}
        typing = isinstance(self.focused, Input)
        for active in self.active_bindings.values():
            binding = active.binding
            if typing and active.node is not self.focused:
                continue  # the key would be typed
            if self.is_hinted(binding) and active.enabled and binding.id and binding.id not in found:
                found[binding.id] = Hint(binding.key, self.app.get_key_display(binding), binding.description)
        first, last = ([found.pop(name)] if name in found else [] for name in ("time.now", "app.help"))
        return [*first, *found.values(), *last]

    def is_hinted(self, binding: Binding) -> bool:
        """Whether the line of keys tells it, if it can be pressed now."""
        return binding.show

    @on(ActionClicked)
    def _action_clicked(self, message: ActionClicked) -> None:
        # From the app: a key that the screen itself sends would not bubble up beyond the screen.
        self.app.call_later(self.app.simulate_key, message.key)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.show_keys)

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
