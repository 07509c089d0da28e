"""Login: which hub, who, and the password, which is sent to that hub and kept nowhere."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Label, Static

from beszel_tui.config import normalize_hub
from beszel_tui.errors import ClientError, ConfigError

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


class LoginScreen(Screen[None]):
    CSS_PATH = "login.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "app.quit", "quit", tooltip="Leave", id="login.quit"),
    ]

    def __init__(self, hub: str = "", identity: str = "", reason: str = "") -> None:
        super().__init__()
        self._hub = hub
        self._identity = identity
        self._reason = reason

    def compose(self) -> ComposeResult:
        form = Vertical(id="form")
        form.border_title = "beszel"
        with form:
            yield Label("Hub")
            yield Input(self._hub, placeholder="https://hub.example.net", id="hub", compact=True)
            yield Label("E-mail")
            yield Input(self._identity, id="identity", compact=True)
            yield Label("Password")
            yield Input(password=True, id="password", compact=True)
            yield Static(Content(self._reason), id="says")
            yield Static(Content("⏎ log in   tab next field   esc leave"), id="keys")

    def on_mount(self) -> None:
        empty = next((field for field in self.query(Input) if not field.value), None)
        (empty or self.query_one("#password", Input)).focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        empty = next((field for field in self.query(Input) if not field.value), None)
        if empty is not None:
            empty.focus()
            return
        try:
            hub = normalize_hub(self.query_one("#hub", Input).value)
        except ConfigError as error:
            self._say(str(error))
            return
        self._log_in(hub, self.query_one("#identity", Input).value.strip(), self.query_one("#password", Input).value)

    @work(exclusive=True)
    async def _log_in(self, hub: str, identity: str, password: str) -> None:
        self._say(f"logging in at {hub}…", busy=True)
        app = cast("BeszelApp", self.app)
        try:
            await app.context.login(hub, identity, password)
        except ClientError as error:
            self._say(str(error))
            self.query_one("#password", Input).value = ""
        except OSError as error:
            self._say(f"the session cannot be kept: {error.strerror}")
        else:
            app.start_hub()

    def _say(self, text: str, *, busy: bool = False) -> None:
        self.query_one("#says", Static).set_class(busy, "-busy").update(Content(text))
