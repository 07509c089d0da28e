"""A running hub with users of every role, each with systems and tokens, that can be put back as it was."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from beszel_hub.accounts import tokens
from beszel_hub.accounts.passwords import hash_password
from beszel_hub.accounts.tables import ApiToken, User
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.checks.queries import insert_check
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tables import HotSample
from beszel_hub.systems.queries import insert_system, save_details
from beszel_hub.systems.tables import SystemRow
from beszel_hub.systems.tokens import issue_system_token
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.sample import HostDetails
from tests.support.runninghub import FAST_COST, FOREVER_MS, PASSWORD, RunningHub, running_hub
from tests.support.samples import make_metrics

CREATED_MS: Final = 1_700_000_000_000
_PASSWORD_HASH: Final = hash_password(PASSWORD, FAST_COST)


class Caller(enum.StrEnum):
    """Who asks. `uma` and `rea` see the system uma-web, `otto` sees otto-db."""

    ANONYMOUS = "anonymous"
    GARBAGE = "garbage"
    """A token that is none."""
    EXPIRED = "expired"
    """A login of uma's that has expired."""
    READONLY = "rea"
    USER = "uma"
    OTHER = "otto"
    ADMIN = "ada"
    READ_TOKEN = "uma's read token"
    WRITE_TOKEN = "uma's write token"
    LIMITED_TOKEN = "ada's write token for uma-web"


USER_IDS: Final = {
    Caller.ADMIN: "adaadaadaadaada",
    Caller.USER: "umaumaumaumauma",
    Caller.OTHER: "ottoottoottoott",
    Caller.READONLY: "rearearearearea",
}
_ROLES: Final = {Caller.ADMIN: "admin", Caller.USER: "user", Caller.OTHER: "user", Caller.READONLY: "readonly"}
SYSTEM_IDS: Final = {"uma-web": "umaweb000000001", "otto-db": "ottodb000000001"}
CHECK_IDS: Final = {
    "uma-check": "umacheck0000001", "private-check": "umacheck0000002", "otto-check": "ottocheck000001",
}  # fmt: skip
"""The first two belong to uma-web; the second goes to private addresses."""
CPU_PERCENT: Final = {"uma-web": 11.25, "otto-db": 99.75}
"""In the only sample of each system."""
READ_TOKEN_ID: Final = "readtokenofuma1"
WRITE_TOKEN_ID: Final = "writetokenofum1"
LIMITED_TOKEN_ID: Final = "limitedtokenad1"

NAMES: Final = {
    "ada": USER_IDS[Caller.ADMIN], "uma": USER_IDS[Caller.USER], "otto": USER_IDS[Caller.OTHER],
    "rea": USER_IDS[Caller.READONLY], "uma_web": SYSTEM_IDS["uma-web"], "otto_db": SYSTEM_IDS["otto-db"],
    "uma_check": CHECK_IDS["uma-check"], "otto_check": CHECK_IDS["otto-check"],
    "private_check": CHECK_IDS["private-check"],
    "read_token": READ_TOKEN_ID, "write_token": WRITE_TOKEN_ID, "limited_token": LIMITED_TOKEN_ID,
}  # fmt: skip
"""What `{uma_web}` and the like stand for in the paths, bodies and texts of scenarios."""


class World:
    """Made by `open_world`."""

    def __init__(self, running: RunningHub) -> None:
        self.running = running

    def reset(self) -> None:
        """Put everything back as it was at first."""
        self.running.hub.database.write_now(self._fill)
        self.running.refresh()

    def forget_attempts(self) -> None:
        """Nobody has guessed at passwords yet."""
        self.running.hub.accounts._throttle = LoginThrottle()

    def token(self, caller: Caller) -> str | None:
        """What the caller has in the Authorization header."""
        if caller is Caller.ANONYMOUS:
            return None
        if caller is Caller.GARBAGE:
            return "eyJhbGciOiJub25lIn0.eyJpZCI6InVtYXVtYXVtYXVtYXVtYSJ9."
        if caller is Caller.EXPIRED:
            return self._sign(tokens.login_claims(USER_IDS[Caller.USER], 0), Caller.USER)
        api_tokens = {
            Caller.READ_TOKEN: (READ_TOKEN_ID, Caller.USER),
            Caller.WRITE_TOKEN: (WRITE_TOKEN_ID, Caller.USER),
            Caller.LIMITED_TOKEN: (LIMITED_TOKEN_ID, Caller.ADMIN),
        }
        if caller in api_tokens:
            token_id, owner = api_tokens[caller]
            return self._sign(tokens.api_token_claims(USER_IDS[owner], token_id, FOREVER_MS), owner)
        return self._sign(tokens.login_claims(USER_IDS[caller], self.running.hub.clock()), caller)

    def _sign(self, claims: tokens.Claims, owner: Caller) -> str:
        return tokens.sign(claims, self.running.hub.secret.token_key, _token_key(owner))

    def _fill(self) -> None:
        for table in (SystemRow, ApiToken, User, HotSample):
            table.delete().execute()
        for caller, user_id in USER_IDS.items():
            User.insert(
                id=user_id, email=f"{caller.value}@example.org", username=caller.value, role=_ROLES[caller],
                verified=True, email_visibility=False, password_hash=_PASSWORD_HASH, token_key=_token_key(caller),
                created=CREATED_MS, updated=CREATED_MS,
            ).execute()  # fmt: skip
        _insert_system("uma-web", [USER_IDS[Caller.USER], USER_IDS[Caller.READONLY]])
        _insert_system("otto-db", [USER_IDS[Caller.OTHER]])
        for name, system_id in SYSTEM_IDS.items():
            issue_system_token(self.running.hub.secret, system_id, CREATED_MS, f"agent-token-of-{name}-0123456789")
            document = msgspec.json.encode(make_metrics(CPU_PERCENT[name]))
            insert_samples([NewSample(system_id, self.running.hub.clock() - 5000, 0, document)])
        _insert_check("uma-check", "uma-web", kind="http", target="https://uma.example.org/")
        _insert_check("private-check", "uma-web", kind="tcp", target="10.0.0.1:22", allow_private=True)
        _insert_check("otto-check", "otto-db", kind="tcp", target="otto.example.org:22")
        _insert_token(READ_TOKEN_ID, Caller.USER, "read", None)
        _insert_token(WRITE_TOKEN_ID, Caller.USER, "write", None)
        _insert_token(LIMITED_TOKEN_ID, Caller.ADMIN, "write", [SYSTEM_IDS["uma-web"]])


@contextmanager
def open_world(directory: Path) -> Iterator[World]:
    """A hub on a loopback port, filled."""
    with running_hub(directory) as running:
        running.hub.accounts._cost = FAST_COST
        world = World(running)
        world.reset()
        yield world


def _token_key(owner: Caller) -> str:
    return f"token key of {owner.value}"


def _insert_system(name: str, members: list[str]) -> None:
    insert_system(name=name, now_ms=CREATED_MS, members=members, host="192.0.2.1", system_id=SYSTEM_IDS[name])
    save_details(SYSTEM_IDS[name], HostDetails(hostname=f"host-of-{name}", os="linux"), "1.2.3", CREATED_MS)


def _insert_check(name: str, system: str, **fields: Any) -> None:
    insert_check(
        SYSTEM_IDS[system], CheckDefinition(name=name, **fields), is_enabled=True, now_ms=CREATED_MS,
        check_id=CHECK_IDS[name],
    )  # fmt: skip


def _insert_token(token_id: str, owner: Caller, scope: str, system_ids: list[str] | None) -> None:
    ApiToken.insert(
        id=token_id, user_id=USER_IDS[owner], name=f"{scope} token", scope=scope, system_ids=system_ids,
        expires=FOREVER_MS, created=CREATED_MS, updated=CREATED_MS,
    ).execute()  # fmt: skip
