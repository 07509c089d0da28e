"""Rows of the scenario tables: one request, and what each caller must get and must not get.

Texts may use the names of `tests.support.world.NAMES` in braces, e.g. `{uma_web}`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tests.support.world import NAMES, Caller


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What comes back: the status, or the close code of a WebSocket, and texts that its body has or has not."""

    status: int
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One request by every caller."""

    name: str
    route: str
    """The path of the route as the application has it."""
    method: str
    """`WS` for a WebSocket."""
    path: str
    expect: Mapping[Caller, Answer]
    body: Any = None
    is_change: bool = False
    """Of a GET that changes something, as Beszel has one."""
    frames: tuple[str, ...] = ()
    """What a WebSocket client sends."""
    subprotocol: str | None = None
    listens: tuple[str, ...] = ()
    """Topics of an event stream that the request opens; what comes counts while both systems change."""

    @property
    def is_live(self) -> bool:
        """Whether the answer is what comes until nothing more does."""
        return self.method == "WS" or bool(self.listens)

    @property
    def changes(self) -> bool:
        """Whether the world has to be put back afterwards."""
        return self.is_change or self.method not in {"GET", "WS"}


def expect(everybody: Answer, **others: Answer) -> dict[Caller, Answer]:
    """The same answer for every caller but those named: `admin=…, read_token=…`.

    A superuser is an administrator, and gets the same unless named.
    """
    unknown = others.keys() - {caller.name.lower() for caller in Caller}
    if unknown:
        raise ValueError(f"no such callers: {unknown}")
    if "admin" in others:
        others.setdefault("superuser", others["admin"])
    return {caller: others.get(caller.name.lower(), everybody) for caller in Caller}


def fill(value: Any) -> Any:
    """Replace `{names}` in texts, also inside lists and dictionaries."""
    if isinstance(value, str):
        for name, replacement in NAMES.items():
            value = value.replace(f"{{{name}}}", replacement)
        return value
    if isinstance(value, dict):
        return {fill(key): fill(item) for key, item in value.items()}
    return [fill(item) for item in value] if isinstance(value, list | tuple) else value


UMA_ONLY: Final = ("uma-web", "{uma_web}")
OTTO_ONLY: Final = ("otto-db", "{otto_db}")
SECRETS: Final = ('"password_hash"', "argon2", '"token_key"', "token key of", "secret-path-of", "Traceback")
"""What no answer to anybody may have."""
RECORDS: Final = "/api/collections/{collection}/records"
RECORD: Final = "/api/collections/{collection}/records/{id}"
EMPTY: Final = Answer(status=200, shows=('"totalItems":0', '"items":[]'))
ABSENT: Final = Answer(status=404, shows=('"status":404',))
CLOSED: Final = Answer(status=403, shows=('"status":403',))
NOT_CREATED: Final = Answer(status=400, shows=("Failed to create record",))
UNAUTHENTICATED: Final = Answer(status=401, shows=('"status":401',))
