"""The account one is at the hub with, and what belongs to it, as far as the hub tells it to us."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

Part: TypeAlias = Literal["methods", "sessions", "tokens", "users", "hub", "jobs", "heartbeat", "backups", "store"]
ROLES: Final = ("admin", "user", "readonly")
SCOPES: Final = ("read", "write")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    email: str = ""
    username: str = ""
    role: str = "user"
    verified: bool = False
    created_ms: int | None = None


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A session: somebody who logged in somewhere."""

    id: str
    user: str = ""
    method: str = ""
    address: str = ""
    agent: str = ""
    """The program that logged in, as it called itself."""
    is_current: bool = False
    used_ms: int | None = None
    expires_ms: int | None = None


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str = ""
    scope: str = "read"
    systems: int = 0
    """How many it is limited to; 0 for no limit."""
    used_ms: int | None = None
    expires_ms: int | None = None


class Methods(msgspec.Struct, frozen=True, kw_only=True):
    """How one logs in at this hub."""

    password: bool = True
    codes: bool = False
    """By e-mail."""
    two: bool = False
    """Whether a password alone is not enough."""
    providers: tuple[str, ...] = ()


class HubFacts(msgspec.Struct, frozen=True, kw_only=True):
    version: str = ""
    key: str = ""
    """Its public key, which agents are given."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Something the hub does by itself."""

    name: str
    interval_seconds: float = 0
    runs: int = 0
    failures_in_row: int = 0
    last_seconds: float | None = None
    last_error: str = ""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's calls to somebody who notices when they stop."""

    enabled: bool
    url: str = ""
    """Only its host."""
    interval: float = 0
    """In seconds."""
    method: str = ""
    last_sent: int | None = None
    """In milliseconds of the hub's clock."""
    last_error: str = ""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A file at the hub with all that it needs to be what it was."""

    key: str
    size: int = 0
    """In bytes."""
    modified_ms: int | None = None
    restoring: bool = False
    """Whether the hub puts it back when it starts again."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of the stored history takes."""

    bytes: int = 0
    values: int = 0
    bytes_per_value: float | None = None
    oldest: str | None = None
    """The time of the oldest."""


class SystemUsage(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str = ""
    """Empty for one that is being deleted."""
    bytes: int = 0


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub's database takes."""

    file_bytes: int
    free_bytes: int = 0
    """Within the file."""
    max_bytes: int | None = None
    disk_free_bytes: int | None = None
    bytes: int = 0
    """Of history."""
    values: int = 0
    tiers: dict[str, Usage] = {}
    systems: list[SystemUsage] = []


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that one sees of one's account; what the hub refuses has its reason in `problems`."""

    person: Person
    is_login: bool
    """Whether we are there by a login, not by an API token: only then the hub lets anything here be changed."""
    methods: Methods | None = None
    sessions: tuple[Login, ...] = ()
    tokens: tuple[ApiToken, ...] = ()
    users: tuple[Person, ...] = ()
    hub: HubFacts | None = None
    jobs: tuple[Job, ...] = ()
    heartbeat: Heartbeat | None = None
    """Told to administrators only."""
    backups: tuple[Backup, ...] = ()
    """Newest first; these and `store` are told to administrators only."""
    store: Store | None = None
    problems: Mapping[Part, str] = {}

    @property
    def is_admin(self) -> bool:
        return self.person.role == "admin"


class ChangeUser(msgspec.Struct, frozen=True, kw_only=True):
    """A new e-mail address or password ends every session of that user."""

    user_id: str
    email: str | None = None
    username: str | None = None
    role: str | None = None
    password: str | None = None
    old_password: str | None = None
    """To change one's own password."""


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    role: str
    password: str


class DeleteUser(msgspec.Struct, frozen=True, kw_only=True):
    """With all that is theirs alone."""

    user_id: str


class EndSession(msgspec.Struct, frozen=True, kw_only=True):
    session_id: str


class LogOut(msgspec.Struct, frozen=True, kw_only=True):
    everywhere: bool
    """Also every other session, and all API tokens, of this user."""


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    scope: str
    expires_ms: int | None = None


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    token_id: str


class SendHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Have the hub call now."""


class NewBackup(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    """Empty for one that the hub makes of the time."""


class DeleteBackup(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class RestoreBackup(msgspec.Struct, frozen=True, kw_only=True):
    """At the hub's next start."""

    key: str


BackupOrder: TypeAlias = NewBackup | DeleteBackup | RestoreBackup
Order: TypeAlias = (
    ChangeUser | NewUser | DeleteUser | EndSession | LogOut | NewToken | RevokeToken | SendHeartbeat | BackupOrder
)
"""What an account can be asked to do."""
