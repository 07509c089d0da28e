"""What the settings change at the hub: each order with its form or question, and what is said when it is done."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from beszel_tui.client.account import Account
from beszel_tui.screens.backup_orders import BackupOrders
from beszel_tui.screens.dialog import BoxForm, Done, Failed, Field, SecretScreen
from beszel_tui.screens.hubs import leave_hub, log_in_again
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.state.account import (
    AccountFacts,
    ChangeUser,
    DeleteUser,
    EndSession,
    LogOut,
    NewBackup,
    NewToken,
    NewUser,
    Order,
    Person,
    RestoreBackup,
    RevokeToken,
    SendHeartbeat,
)
from beszel_tui.state.settings import HEARTBEAT_KEY

if TYPE_CHECKING:
    from beszel_tui.screens.settings import SettingsScreen

_DAY_MS: Final = 86_400_000
_LIVES: Final = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "as long as the hub allows"))
_ROLES: Final = (
    ("user", "user: sees and changes their systems"),
    ("readonly", "readonly: sees their systems"),
    ("admin", "admin: sees and changes everything"),
)
_SCOPES: Final = (("read", "read: looks only"), ("write", "write: changes systems and alerts too"))


class Orders:
    def __init__(self, screen: "SettingsScreen") -> None:
        self._screen = screen
        self._backups = BackupOrders(self._open, self.send, self._ask)

    @property
    def _account(self) -> Account:
        account = self._screen.hub_app.bridge.source.account
        assert account is not None  # noqa: S101 (nothing is offered without)
        return account

    @property
    def _facts(self) -> AccountFacts:
        facts = self._screen.account
        assert facts is not None  # noqa: S101 (nothing is offered without)
        return facts

    # By section

    def change(self, section: str, key: str) -> None:
        if section == "users":
            self._ask_role(key)
        elif section == "backups":
            self._backups.put_back(key)
        elif section == "hub":
            self._try_out(key)
        elif section == "account":
            order = self._own_orders().get(key)
            if order is None:
                self._screen.hub_app.say("this is for the hub's administrators to change", severity="warning")
            else:
                order()

    def _try_out(self, key: str) -> None:
        app = self._screen.hub_app
        if key != HEARTBEAT_KEY:
            app.say("of the hub's lines only its heartbeat can be tried", severity="warning")
            return
        app.say("sending a heartbeat…")

        def failed(reason: str) -> None:
            app.say(reason, severity="error")
            self._screen.reload()

        self.send(SendHeartbeat(), lambda: None, failed, "the heartbeat was taken")

    def _own_orders(self) -> Mapping[str, Callable[[], None]]:
        return {
            "email": self._ask_email,
            "username": self._ask_name,
            "password": self._ask_password,
            "logout": lambda: self._ask_log_out(everywhere=False),
            "logout_everywhere": lambda: self._ask_log_out(everywhere=True),
        }

    def new(self, section: str) -> None:
        if section == "tokens":
            self._ask_token()
        elif section == "backups":
            self._backups.new()
        else:
            self._ask_user()

    def delete(self, section: str, key: str) -> None:
        if section == "backups":
            self._backups.delete(key)
        elif section == "sessions":
            login = next(login for login in self._facts.sessions if login.id == key)
            consequence = "It is the one that you are in: you will have to log in again." if login.is_current else ""
            question = f"End the session from {login.address or 'somewhere'}?"
            self._ask(question, consequence, EndSession(session_id=key), "the session has ended")
        elif section == "tokens":
            name = next(token.name for token in self._facts.tokens if token.id == key)
            order = RevokeToken(token_id=key)
            self._ask(f"Revoke the API token {name}?", "What uses it stops working at once.", order, f"revoked: {name}")
        else:
            email = self._person(key).email
            consequence = "Their alerts, tokens and settings go with them; systems stay."
            self._ask(f"Delete {email}?", consequence, DeleteUser(user_id=key), f"deleted: {email}")

    def set_password(self, user_id: str) -> None:
        person = self._person(user_id)
        fields = (
            Field("password", "New password", is_secret=True), Field("again", "Once more", is_secret=True),
        )  # fmt: skip

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            if values["password"] != values["again"]:
                failed("the passwords are not the same")
                return
            order = ChangeUser(user_id=user_id, password=values["password"])
            self.send(order, done, failed, f"{person.email} has a new password; their sessions have ended")

        self._open("A password", fields, send, f"For {person.email}. Tell it to them by another way than mail.")

    # Oneself

    def _ask_email(self) -> None:
        person = self._facts.person
        if not self._facts.is_admin:
            self._screen.hub_app.say("only an administrator can change an e-mail address", severity="warning")
            return

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            self.send(ChangeUser(user_id=person.id, email=values["email"]), done, failed, "log in again with it")

        what = "Every session of yours ends: log in again with the new address."
        self._open("E-mail", (Field("email", "E-mail", person.email),), send, what)

    def _ask_name(self) -> None:
        person = self._facts.person

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            self.send(ChangeUser(user_id=person.id, username=values["username"]), done, failed, "the name is changed")

        self._open("Name", (Field("username", "Name", person.username, hint="3 characters or more"),), send)

    def _ask_password(self) -> None:
        app, person = self._screen.hub_app, self._facts.person
        fields = (
            Field("old", "Present password", is_secret=True), Field("password", "New password", is_secret=True),
            Field("again", "The new one once more", is_secret=True),
        )  # fmt: skip

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            new = values["password"]
            if new != values["again"]:
                failed("the new passwords are not the same")
                return

            def changed(_: str) -> None:
                done()
                log_in_again(app, person.email, new)

            def refused(reason: str) -> None:
                app.is_leaving = False
                failed(reason)

            app.is_leaving = True
            order = ChangeUser(user_id=person.id, old_password=values["old"], password=new)
            app.bridge.ask(lambda: self._account.carry_out(order), changed, refused)

        self._open("Password", fields, send, "Every session of yours ends; this one begins anew.")

    def _ask_log_out(self, *, everywhere: bool) -> None:
        app = self._screen.hub_app
        text = "End every session and API token of yours?" if everywhere else "End this session?"

        def agreed() -> None:
            app.is_leaving = True
            order = LogOut(everywhere=everywhere)
            app.bridge.ask(
                lambda: self._account.carry_out(order), lambda _: leave_hub(app, "you are logged out"), refused
            )

        def refused(reason: str) -> None:
            app.is_leaving = False
            app.say(reason, severity="error")

        app.push_screen(QuestionScreen(text, "You will have to log in again.", agreed))

    # Tokens and users

    def _ask_token(self) -> None:
        app = self._screen.hub_app
        fields = (
            Field("name", "Name", hint="what it is for"), Field("scope", "It may", "read", choices=_SCOPES),
            Field("days", "It ends after", "365", choices=_LIVES),
        )  # fmt: skip

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            if not values["name"]:
                failed("a token needs a name, so that you know what to revoke")
                return
            expires_ms = self._screen.state.hub_now_ms + int(values["days"]) * _DAY_MS if values["days"] else None

            def made(text: str) -> None:
                done()
                self._screen.reload()
                what = "This is the only time that it is shown. Keep it like a password."
                app.push_screen(SecretScreen(f"Token {values['name']}", text, what))

            wanted = NewToken(name=values["name"], scope=values["scope"], expires_ms=expires_ms)
            app.bridge.ask(lambda: self._account.carry_out(wanted), made, failed)

        self._open("A new API token", fields, send)

    def _ask_user(self) -> None:
        fields = (
            Field("email", "E-mail", hint="grace@example.net"), Field("role", "Role", "user", choices=_ROLES),
            Field("password", "Password", is_secret=True), Field("again", "Once more", is_secret=True),
        )  # fmt: skip

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            if values["password"] != values["again"]:
                failed("the passwords are not the same")
                return
            order = NewUser(email=values["email"], role=values["role"], password=values["password"])
            self.send(order, done, failed, f"made: {values['email']}")

        self._open("A new user", fields, send)

    def _ask_role(self, user_id: str) -> None:
        person = self._person(user_id)

        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            order = ChangeUser(user_id=user_id, role=values["role"])
            self.send(order, done, failed, f"{person.email} is {values['role']} now")

        self._open("Role", (Field("role", person.email, person.role, choices=_ROLES),), send)

    # Common to all

    def _person(self, user_id: str) -> Person:
        return next(person for person in self._facts.users if person.id == user_id)

    def _open(
        self, title: str, fields: tuple[Field, ...], send: Callable[[Mapping[str, str], Done, Failed], None],
        what: str = "",
    ) -> None:  # fmt: skip
        self._screen.hub_app.push_screen(BoxForm(title, fields, send, what))

    def send(self, order: Order, done: Done, failed: Failed, said: str) -> None:
        def made(_: str) -> None:
            done()
            self._screen.hub_app.say(said)
            self._screen.reload()

        is_long = isinstance(order, NewBackup | RestoreBackup | SendHeartbeat)
        self._screen.hub_app.bridge.ask(lambda: self._account.carry_out(order), made, failed, is_long=is_long)

    def _ask(self, question: str, consequence: str, order: Order, said: str) -> None:
        app = self._screen.hub_app

        def agreed() -> None:
            self.send(order, lambda: None, lambda reason: app.say(reason, severity="error"), said)

        app.push_screen(QuestionScreen(question, consequence, agreed))
