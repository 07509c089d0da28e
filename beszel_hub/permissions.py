"""Who may do what: the actor, the table of actions, the one function that decides, and the one that refuses.

`decide` knows roles, token scopes and the actor's relation to the record at hand. Which records an actor reaches at all
is a matter of queries: every list function takes the actor.
"""

import enum
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from beszel_hub.actions import Action
from beszel_hub.errors import Forbidden, NotFound, Unauthorized

Role: TypeAlias = Literal["admin", "user", "readonly"]
Scope: TypeAlias = Literal["full", "write", "read"]

ROLES: Final[tuple[Role, ...]] = ("admin", "user", "readonly")


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks, as far as their token proves it."""

    user_id: str | None = None
    role: Role | None = None
    scope: Scope = "read"
    """`full` for a login; API tokens only `write` or `read`, which narrow their owner's rights."""
    system_ids: frozenset[str] | None = None
    """The systems an API token is limited to; None for no limit."""
    token_id: str | None = None
    """Of the API token, None for a login."""
    session_id: str | None = None
    """Of the login, None for an API token."""
    sees_all: bool = False
    """Whether the hub shares every system with every user."""
    expires_ms: int | None = None
    """When the token stops being one; a live connection ends then."""

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def sees_everybody(self) -> bool:
        """Whether it is an administrator, and no token of theirs that is for some systems only."""
        return self.is_admin and self.system_ids is None

    def reaches(self, system_id: str, *, is_member: bool) -> bool:
        """Whether a system is among those this actor sees; its token may leave some out."""
        is_seen = is_member or self.is_admin or self.sees_all
        return is_seen and (self.system_ids is None or system_id in self.system_ids)


ANONYMOUS: Final = Actor()


class Decision(enum.Enum):
    """Why, if not."""

    ALLOW = enum.auto()
    UNAUTHENTICATED = enum.auto()
    """A token is required, and there is none that holds."""
    FORBIDDEN = enum.auto()
    """The role or the token's scope is not enough."""
    NOT_FOUND = enum.auto()
    """The actor may not know whether the record exists."""
    CLOSED = enum.auto()
    """Open to nobody."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    roles: frozenset[Role] = frozenset()
    """Who may at all; nobody may what names none and is not public."""
    is_public: bool = False
    scopes: frozenset[Scope] = frozenset(("full", "write", "read"))
    needs: Literal["nothing", "member", "own"] = "nothing"
    """The relation to the record; for what is the actor's own, administrators need none."""


_EVERYBODY: Final[frozenset[Role]] = frozenset(ROLES)
_WRITERS: Final[frozenset[Role]] = frozenset(("admin", "user"))
_ADMINS: Final[frozenset[Role]] = frozenset(("admin",))
_WRITING: Final[frozenset[Scope]] = frozenset(("full", "write"))
_LOGIN: Final[frozenset[Scope]] = frozenset(("full",))

_PUBLIC: Final = Rule(is_public=True)
_CLOSED: Final = Rule()
_READ_AS_MEMBER: Final = Rule(roles=_EVERYBODY, needs="member")
_WRITE_AS_MEMBER: Final = Rule(roles=_WRITERS, scopes=_WRITING, needs="member")

_READ_OWN: Final = Rule(roles=_EVERYBODY, needs="own")
_WRITE_OWN: Final = Rule(roles=_EVERYBODY, scopes=_WRITING, needs="own")  # who may only look wants alerts too

RULES: Final[Mapping[Action, Rule]] = {
    Action.HEALTH: _PUBLIC,
    Action.AUTH_METHODS: _PUBLIC,
    Action.AUTH_WITH_PASSWORD: _PUBLIC,
    Action.AUTH_WITH_OTP: _PUBLIC,
    Action.AUTH_WITH_OAUTH2: _PUBLIC,
    Action.OAUTH2_REDIRECT: _PUBLIC,
    Action.RESET_PAGE: _PUBLIC,
    Action.WEB_VIEW: _PUBLIC,  # it shows nothing before somebody logs in
    Action.VERIFY_PAGE: _PUBLIC,
    Action.CHANGE_PAGE: _PUBLIC,
    Action.REQUEST_OTP: _PUBLIC,
    Action.REQUEST_PASSWORD_RESET: _PUBLIC,
    Action.CONFIRM_PASSWORD_RESET: _PUBLIC,
    Action.REQUEST_VERIFICATION: _PUBLIC,
    Action.CONFIRM_VERIFICATION: _PUBLIC,
    Action.REQUEST_EMAIL_CHANGE: Rule(roles=_EVERYBODY, scopes=_LOGIN),
    Action.CONFIRM_EMAIL_CHANGE: _PUBLIC,  # the token of the mail and the password prove who it is
    Action.AUTH_REFRESH: Rule(roles=_EVERYBODY),
    Action.LOG_OUT: Rule(roles=_EVERYBODY, scopes=_LOGIN),
    Action.UNIVERSAL_TOKEN: Rule(roles=_WRITERS, scopes=_WRITING),
    Action.CONFIG_YAML: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.INFO: Rule(roles=_EVERYBODY),
    Action.UPDATE: Rule(roles=_EVERYBODY),
    Action.FIRST_RUN: _PUBLIC,
    Action.CREATE_FIRST_USER: _PUBLIC,  # while there is no user
    Action.SERIES: _READ_AS_MEMBER,
    Action.EXPORT: _READ_AS_MEMBER,
    Action.EXPOSITION: _READ_AS_MEMBER,
    Action.TRAFFIC: _READ_AS_MEMBER,
    Action.TOP: _READ_AS_MEMBER,
    Action.FORECAST: _READ_AS_MEMBER,
    Action.FEED: _READ_AS_MEMBER,
    Action.REALTIME: _PUBLIC,  # every event is decided by itself
    Action.REALTIME_METRICS: _READ_AS_MEMBER,
    Action.CONTAINER_LOGS: _READ_AS_MEMBER,
    Action.CONTAINER_INSPECT: _READ_AS_MEMBER,
    Action.PROCESSES: _READ_AS_MEMBER,
    Action.SERVICE_DETAIL: _READ_AS_MEMBER,
    Action.SMART_REFRESH: _WRITE_AS_MEMBER,
    Action.AGENT_CONNECT: _PUBLIC,  # agents prove themselves in the handshake
    Action.USERS_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.USERS_VIEW: Rule(roles=_EVERYBODY, needs="own"),
    Action.USERS_CREATE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.USERS_UPDATE: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.USERS_DELETE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.API_TOKENS_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.API_TOKENS_VIEW: Rule(roles=_EVERYBODY, needs="own"),
    Action.API_TOKENS_CREATE: Rule(roles=_EVERYBODY, scopes=_LOGIN),
    Action.API_TOKENS_UPDATE: _CLOSED,
    Action.API_TOKENS_DELETE: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.SUPERUSERS_LIST: Rule(roles=_ADMINS),
    Action.SUPERUSERS_VIEW: Rule(roles=_ADMINS),
    Action.SUPERUSERS_CREATE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.SUPERUSERS_UPDATE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.SUPERUSERS_DELETE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.SESSIONS_LIST: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.SESSIONS_VIEW: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.SESSIONS_CREATE: _CLOSED,
    Action.SESSIONS_UPDATE: _CLOSED,
    Action.SESSIONS_DELETE: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.EXTERNAL_AUTHS_LIST: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.EXTERNAL_AUTHS_VIEW: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.EXTERNAL_AUTHS_CREATE: _CLOSED,  # logging in there makes them
    Action.EXTERNAL_AUTHS_UPDATE: _CLOSED,
    Action.EXTERNAL_AUTHS_DELETE: Rule(roles=_EVERYBODY, scopes=_LOGIN, needs="own"),
    Action.TEAMS_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.TEAMS_VIEW: Rule(roles=_EVERYBODY, needs="own"),
    Action.TEAMS_CREATE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.TEAMS_UPDATE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.TEAMS_DELETE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.FINGERPRINTS_LIST: Rule(roles=_WRITERS, needs="member"),
    Action.FINGERPRINTS_VIEW: Rule(roles=_WRITERS, needs="member"),
    Action.FINGERPRINTS_CREATE: _WRITE_AS_MEMBER,
    Action.FINGERPRINTS_UPDATE: _WRITE_AS_MEMBER,
    Action.FINGERPRINTS_DELETE: _WRITE_AS_MEMBER,
    Action.UNIVERSAL_TOKENS_LIST: Rule(roles=_WRITERS, needs="own"),
    Action.UNIVERSAL_TOKENS_VIEW: Rule(roles=_WRITERS, needs="own"),
    Action.UNIVERSAL_TOKENS_CREATE: Rule(roles=_WRITERS, scopes=_WRITING),
    Action.UNIVERSAL_TOKENS_UPDATE: _CLOSED,
    Action.UNIVERSAL_TOKENS_DELETE: Rule(roles=_WRITERS, scopes=_WRITING, needs="own"),
    Action.AUDIT_LOG_LIST: Rule(roles=_ADMINS),
    Action.AUDIT_LOG_VIEW: Rule(roles=_ADMINS),
    Action.AUDIT_LOG_CREATE: _CLOSED,
    Action.AUDIT_LOG_UPDATE: _CLOSED,
    Action.AUDIT_LOG_DELETE: _CLOSED,
    Action.SYSTEMS_LIST: _READ_AS_MEMBER,
    Action.SYSTEMS_VIEW: _READ_AS_MEMBER,
    Action.SYSTEMS_CREATE: Rule(roles=_WRITERS, scopes=_WRITING),
    Action.SYSTEMS_UPDATE: _WRITE_AS_MEMBER,
    Action.SYSTEMS_DELETE: _WRITE_AS_MEMBER,
    Action.SYSTEM_DETAILS_LIST: _READ_AS_MEMBER,
    Action.SYSTEM_DETAILS_VIEW: _READ_AS_MEMBER,
    Action.SYSTEM_DETAILS_CREATE: _CLOSED,
    Action.SYSTEM_DETAILS_UPDATE: _CLOSED,
    Action.SYSTEM_DETAILS_DELETE: _CLOSED,
    Action.USER_SETTINGS_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.USER_SETTINGS_VIEW: _CLOSED,
    Action.USER_SETTINGS_CREATE: Rule(roles=_EVERYBODY, scopes=_WRITING),
    Action.USER_SETTINGS_UPDATE: Rule(roles=_EVERYBODY, scopes=_WRITING, needs="own"),
    Action.USER_SETTINGS_DELETE: _CLOSED,
    Action.SMART_DEVICES_LIST: _READ_AS_MEMBER,
    Action.SMART_DEVICES_VIEW: _READ_AS_MEMBER,
    Action.SMART_DEVICES_CREATE: _CLOSED,
    Action.SMART_DEVICES_UPDATE: _CLOSED,
    Action.SMART_DEVICES_DELETE: _WRITE_AS_MEMBER,
    Action.SYSTEMD_SERVICES_LIST: _READ_AS_MEMBER,
    Action.SYSTEMD_SERVICES_VIEW: _CLOSED,
    Action.SYSTEMD_SERVICES_CREATE: _CLOSED,
    Action.SYSTEMD_SERVICES_UPDATE: _CLOSED,
    Action.SYSTEMD_SERVICES_DELETE: _CLOSED,
    Action.CHECKS_LIST: _READ_AS_MEMBER,
    Action.CHECKS_VIEW: _READ_AS_MEMBER,
    Action.CHECKS_CREATE: _WRITE_AS_MEMBER,
    Action.CHECKS_UPDATE: _WRITE_AS_MEMBER,
    Action.CHECKS_DELETE: _WRITE_AS_MEMBER,
    Action.TEST_NOTIFICATION: Rule(roles=_EVERYBODY, scopes=_WRITING),
    Action.HEARTBEAT_STATUS: Rule(roles=_ADMINS),
    Action.TEST_HEARTBEAT: Rule(roles=_ADMINS, scopes=_WRITING),
    Action.JOBS: Rule(roles=_ADMINS),
    Action.STORE: Rule(roles=_ADMINS),
    Action.BACKUPS_LIST: Rule(roles=_ADMINS),
    Action.BACKUPS_CREATE: Rule(roles=_ADMINS, scopes=_WRITING),
    Action.BACKUPS_DOWNLOAD: Rule(roles=_ADMINS, scopes=_LOGIN),  # it has in it what makes logins
    Action.BACKUPS_DELETE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.BACKUPS_RESTORE: Rule(roles=_ADMINS, scopes=_LOGIN),
    Action.FILES_TOKEN: Rule(roles=_EVERYBODY, scopes=_LOGIN),
    Action.NOTIFICATION_CHANNELS_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.NOTIFICATION_CHANNELS_VIEW: Rule(roles=_EVERYBODY, needs="own"),
    Action.NOTIFICATION_CHANNELS_CREATE: Rule(roles=_EVERYBODY, scopes=_WRITING),
    Action.NOTIFICATION_CHANNELS_UPDATE: Rule(roles=_EVERYBODY, scopes=_WRITING, needs="own"),
    Action.NOTIFICATION_CHANNELS_DELETE: Rule(roles=_EVERYBODY, scopes=_WRITING, needs="own"),
    Action.NOTIFICATION_DELIVERIES_LIST: Rule(roles=_EVERYBODY, needs="own"),
    Action.NOTIFICATION_DELIVERIES_VIEW: Rule(roles=_EVERYBODY, needs="own"),
    Action.NOTIFICATION_DELIVERIES_CREATE: _CLOSED,
    Action.NOTIFICATION_DELIVERIES_UPDATE: Rule(roles=_EVERYBODY, scopes=_WRITING, needs="own"),
    Action.NOTIFICATION_DELIVERIES_DELETE: _CLOSED,
    Action.METRICS_LIST: _READ_AS_MEMBER,
    Action.METRICS_VIEW: _READ_AS_MEMBER,
    Action.METRICS_CREATE: _CLOSED,
    Action.METRICS_UPDATE: _CLOSED,
    Action.METRICS_DELETE: _CLOSED,
    Action.USER_ALERTS: Rule(roles=_EVERYBODY, scopes=_WRITING),
    Action.ACKNOWLEDGE: _WRITE_OWN,
    Action.ALERT_TARGETS: Rule(roles=_EVERYBODY),
    Action.ALERTS_YAML: Rule(roles=_ADMINS),
    Action.ALERT_TEMPLATES: Rule(roles=_EVERYBODY),
    Action.ALERT_TEMPLATES_APPLY: Rule(roles=_EVERYBODY, scopes=_WRITING),
    Action.ALERT_TRIAL: Rule(roles=_EVERYBODY),
    Action.ALERT_RULES_LIST: _READ_OWN,
    Action.ALERT_RULES_VIEW: _READ_OWN,
    Action.ALERT_RULES_CREATE: _WRITE_OWN,
    Action.ALERT_RULES_UPDATE: _WRITE_OWN,
    Action.ALERT_RULES_DELETE: _WRITE_OWN,
    Action.ALERTS_LIST: _READ_OWN,
    Action.ALERTS_VIEW: _READ_OWN,
    Action.ALERTS_CREATE: _WRITE_OWN,
    Action.ALERTS_UPDATE: _WRITE_OWN,
    Action.ALERTS_DELETE: _WRITE_OWN,
    Action.ALERTS_HISTORY_LIST: _READ_OWN,
    Action.ALERTS_HISTORY_VIEW: _READ_OWN,
    Action.ALERTS_HISTORY_CREATE: _CLOSED,
    Action.ALERTS_HISTORY_UPDATE: _CLOSED,
    Action.ALERTS_HISTORY_DELETE: _WRITE_OWN,
    Action.QUIET_HOURS_LIST: _READ_OWN,
    Action.QUIET_HOURS_VIEW: _READ_OWN,
    Action.QUIET_HOURS_CREATE: _WRITE_OWN,
    Action.QUIET_HOURS_UPDATE: _WRITE_OWN,
    Action.QUIET_HOURS_DELETE: _WRITE_OWN,
    Action.SYSTEM_STATS_LIST: _READ_AS_MEMBER,
    Action.SYSTEM_STATS_VIEW: _CLOSED,  # rows are made when they are listed; Beszel shows none alone either
    Action.SYSTEM_STATS_CREATE: _CLOSED,
    Action.SYSTEM_STATS_UPDATE: _CLOSED,
    Action.SYSTEM_STATS_DELETE: _CLOSED,
    Action.CONTAINERS_LIST: _READ_AS_MEMBER,
    Action.CONTAINERS_VIEW: _CLOSED,  # ids are an engine's, so two systems may have the same
    Action.CONTAINERS_CREATE: _CLOSED,
    Action.CONTAINERS_UPDATE: _CLOSED,
    Action.CONTAINERS_DELETE: _CLOSED,
    Action.CONTAINER_STATS_LIST: _READ_AS_MEMBER,
    Action.CONTAINER_STATS_VIEW: _CLOSED,
    Action.CONTAINER_STATS_CREATE: _CLOSED,
    Action.CONTAINER_STATS_UPDATE: _CLOSED,
    Action.CONTAINER_STATS_DELETE: _CLOSED,
    Action.EVENTS_LIST: _READ_AS_MEMBER,
    Action.EVENTS_VIEW: _CLOSED,
    Action.EVENTS_CREATE: _CLOSED,
    Action.EVENTS_UPDATE: _CLOSED,
    Action.EVENTS_DELETE: _CLOSED,
}


def decide(actor: Actor, action: Action, *, member: bool | None = None, own: bool | None = None) -> Decision:
    """Whether `actor` may do `action`.

    `member`: whether the system of the record at hand is one that the actor reaches; `own`: whether the record belongs
    to the actor. None where there is no record at hand because a query narrows itself to those of the actor.
    """
    rule = RULES[action]
    if rule.is_public:
        return Decision.ALLOW
    if not rule.roles:
        return Decision.CLOSED
    if actor.role is None or not actor.is_authenticated:
        return Decision.UNAUTHENTICATED
    if actor.role not in rule.roles or actor.scope not in rule.scopes:
        return Decision.FORBIDDEN
    is_hidden = {"nothing": False, "member": member is False, "own": own is False and not actor.sees_everybody}
    return Decision.NOT_FOUND if is_hidden[rule.needs] else Decision.ALLOW


def require(actor: Actor, action: Action, *, member: bool | None = None) -> Actor:
    """The actor, if `decide` allows it; else raise `Unauthorized`, `NotFound` or `Forbidden`."""
    decision = decide(actor, action, member=member)
    if decision is Decision.UNAUTHENTICATED:
        raise Unauthorized
    if decision is Decision.NOT_FOUND:
        raise NotFound
    if decision is not Decision.ALLOW:
        raise Forbidden
    return actor
