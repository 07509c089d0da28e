"""Login: which hub, who, the password, a code where the hub wants one; and the first user of a new hub.

What is typed is sent to that hub and kept nowhere.
"""

from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Label, Static

from beszel_tui.config import normalize_hub
from beszel_tui.context import CodeProof
from beszel_tui.errors import ClientError, CodeNeeded, ConfigError
from beszel_tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp

Step: TypeAlias = Literal["password", "code", "first"]

_FIELDS: Final[dict[Step, tuple[str, ...]]] = {
    "password": ("hub", "identity", "password"),
    "code": ("code",),
    "first": ("hub", "identity", "password", "repeat"),
}
_KEYS: Final[dict[Step, str]] = {
    "password": "⏎ log in   tab next field   esc leave",
    "code": "⏎ log in   ^r another code   esc back",
    "first": "⏎ make the account   tab next field   esc leave",
}


class LoginForm(VerticalScroll, can_focus=False):
    """On a small terminal it scrolls to the field that has the focus."""


class LoginScreen(Screen[None]):
    CSS_PATH = "login.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Back to the password, or leave", id="login.back"),
        Binding("ctrl+c", "app.quit", "quit", tooltip="Leave", id="login.quit"),
        Binding("ctrl+r", "send_code", "another code", tooltip="Have the hub mail another code", id="login.code"),
    ]

    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012 (Textual's way)

    def __init__(self, hub: str = "", identity: str = "", reason: str = "") -> None:
        super().__init__()
        self._hub = hub
        self._identity = identity
        self._reason = reason
        self._step: Step = "password"
        self._asked_hub = ""
        """The one that was asked whether it has users."""
        self._mfa_id = ""
        self._code_id = ""

    def compose(self) -> ComposeResult:
        form = LoginForm(id="form")
        form.border_title = "beszel"
        with form:
            yield Static(Content(""), id="what")
            yield Label("Hub", classes="hub")
            yield TextInput(self._hub, placeholder="https://hub.example.net", id="hub", compact=True)
            yield Label("E-mail", classes="identity")
            yield TextInput(self._identity, id="identity", compact=True)
            yield Label("Password", classes="password")
            yield TextInput(password=True, id="password", compact=True)
            yield Label("The password once more", classes="repeat")
            yield TextInput(password=True, id="repeat", compact=True)
            yield Label("Code", classes="code")
            yield TextInput(id="code", compact=True, max_length=16)
            yield Static(Content(self._reason), id="says")
            yield Static(Content(""), id="keys")

    def on_mount(self) -> None:
        self._show_step("password")
        if self._hub:
            self._look_for_users()

    @property
    def _app(self) -> "BeszelApp":
        return cast("BeszelApp", self.app)

    def _field(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _show_step(self, step: Step, what: str = "") -> None:
        self._step = step
        for field in self.query(Input):
            shown = field.id in _FIELDS[step]
            field.display = shown
            self.query_one(f"Label.{field.id}").display = shown
        said = self.query_one("#what", Static)
        said.update(Content(what))
        said.display = bool(what)
        self.query_one("#keys", Static).update(Content(_KEYS[step]))
        (self._first_empty() or self._field(_FIELDS[step][-1])).focus()

    def _first_empty(self) -> Input | None:
        return next((field for name in _FIELDS[self._step] if not (field := self._field(name)).value), None)

    # Whether the hub has users

    @on(Input.Blurred, "#hub")
    @on(Input.Submitted, "#hub")
    def _hub_named(self) -> None:
        self._look_for_users()

    def _look_for_users(self) -> None:
        try:
            hub = normalize_hub(self._field("hub").value)
        except ConfigError:
            return  # said when the form is sent
        if hub != self._asked_hub and self._step != "code":
            self._asked_hub = hub
            self._ask_for_users(hub)

    @work(exclusive=True, group="users")
    async def _ask_for_users(self, hub: str) -> None:
        try:
            is_first = await self._app.context.is_first_run(hub)
        except ClientError:
            self._asked_hub = ""
            return  # said when the form is sent
        if is_first and self._step == "password":
            self._show_step("first", "This hub has no users yet. Make its first administrator.")
        elif not is_first and self._step == "first":
            self._show_step("password")

    # Sending the form

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        empty = self._first_empty()
        if empty is not None:
            empty.focus()
        elif self._step == "code":
            self._send_proof()
        elif (hub := self._named_hub()) is not None:
            self._hub, self._identity = hub, self._field("identity").value.strip()
            self._begin(event.input)

    def _named_hub(self) -> str | None:
        try:
            return normalize_hub(self._field("hub").value)
        except ConfigError as error:
            self._say(str(error))
            return None

    def _begin(self, field: Input) -> None:
        password = self._field("password").value
        if self._step == "password":
            self._log_in(password)
        elif field.id != "repeat":
            self._field("repeat").focus()
        elif self._field("repeat").value != password:
            self._say("the passwords are not the same")
            self._field("repeat").value = ""
        else:
            self._make_first_user(password)

    @work(exclusive=True, group="login")
    async def _make_first_user(self, password: str) -> None:
        self._say(f"making the first administrator of {self._hub}…", busy=True)
        try:
            await self._app.context.create_first_user(self._hub, self._identity, password)
        except ClientError as error:
            self._say(str(error))
            self._field("repeat").value = ""
        else:
            self._log_in(password)

    @work(exclusive=True, group="login")
    async def _log_in(self, password: str) -> None:
        self._say(f"logging in at {self._hub}…", busy=True)
        try:
            await self._app.context.login(self._hub, self._identity, password)
        except CodeNeeded as needed:
            self._mfa_id = needed.mfa_id
            await self._ask_code()
        except ClientError as error:
            self._say(str(error))
            self._field("password").value = ""
        except OSError as error:
            self._say(f"the session cannot be kept: {error.strerror}")
        else:
            self._app.start_hub()

    async def _ask_code(self) -> None:
        if "@" not in self._identity:
            self._say("this hub wants a code by e-mail as well: give your e-mail instead of your name")
            self._field("identity").focus()
            return
        self._say(f"asking for a code for {self._identity}…", busy=True)
        try:
            self._code_id = await self._app.context.request_code(self._hub, self._identity)
        except ClientError as error:
            self._say(f"no code by e-mail: {error}")
            return
        self._field("code").value = ""
        self._show_step("code", f"The password is right. A code is on its way to {self._identity}.")
        self._say("")

    @work(exclusive=True, group="login")
    async def _send_proof(self) -> None:
        self._say("checking the code…", busy=True)
        proof = CodeProof(self._code_id, self._field("code").value.strip(), self._mfa_id)
        try:
            await self._app.context.login_with_code(self._hub, self._identity, proof)
        except ClientError as error:
            self._say(str(error))
            self._field("code").value = ""
        except OSError as error:
            self._say(f"the session cannot be kept: {error.strerror}")
        else:
            self._app.start_hub()

    @work(exclusive=True, group="login")
    async def action_send_code(self) -> None:
        if self._step == "code":
            await self._ask_code()

    def action_back(self) -> None:
        if self._step != "code":
            self.app.exit()
            return
        self._field("password").value = ""
        self._say("")
        self._show_step("password")

    def on_resize(self, _event: events.Resize) -> None:
        if isinstance(self.focused, Input):
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def _say(self, text: str, *, busy: bool = False) -> None:
        says = self.query_one("#says", Static)
        says.set_class(busy, "-busy").update(Content(text))
        if text:  # on a small terminal it may stand below what is to be seen
            self.call_after_refresh(says.scroll_visible, animate=False)
