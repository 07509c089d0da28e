"""What the settings have a hub do with its backups, and what they ask before."""

from collections.abc import Callable, Mapping
from typing import Protocol

from beszel_tui.screens.dialog import Done, Failed, Field, Send
from beszel_tui.state.account import DeleteBackup, NewBackup, Order, RestoreBackup


class Open(Protocol):
    """Shows a small form."""

    def __call__(self, title: str, fields: tuple[Field, ...], send: Send, what: str = "") -> None: ...


class BackupOrders:
    def __init__(
        self, open_form: Open, send: Callable[[Order, Done, Failed, str], None],
        ask: Callable[[str, str, Order, str], None],
    ) -> None:  # fmt: skip
        self._open_form = open_form
        self._send = send
        self._ask = ask

    def new(self) -> None:
        def send(values: Mapping[str, str], done: Done, failed: Failed) -> None:
            self._send(NewBackup(name=values["name"].strip()), done, failed, "the backup is made")

        field = Field("name", "Name", hint="before-upgrade.zip; empty: of the time")
        what = "Of database and keys, while the hub goes on. It lies on the hub's own disk: copy it elsewhere."
        self._open_form("A backup", (field,), send, what)

    def delete(self, key: str) -> None:
        self._ask(f"Delete the backup {key}?", "It is gone for good.", DeleteBackup(key=key), f"deleted: {key}")

    def put_back(self, key: str) -> None:
        consequence = (
            "The hub checks it now, and puts it back when it is started again: users, systems and history are then as "
            "they were. What is there now is moved aside. Deleting the backup before that takes this back."
        )
        said = "checked; start the hub again to have it put back"
        self._ask(f"Put {key} back?", consequence, RestoreBackup(key=key), said)
