"""The table of permissions, spelled out once more by hand: a change to it must be made twice."""

import pytest

from beszel_hub.actions import Action, Verb
from beszel_hub.permissions import ANONYMOUS, RULES, Actor, Decision, Role, Scope, decide

PUBLIC = {
    Action.HEALTH, Action.AUTH_METHODS, Action.AUTH_WITH_PASSWORD, Action.AUTH_WITH_OTP, Action.AUTH_WITH_OAUTH2,
    Action.REQUEST_OTP, Action.REQUEST_PASSWORD_RESET, Action.CONFIRM_PASSWORD_RESET, Action.OAUTH2_REDIRECT,
    Action.WEB_VIEW, Action.RESET_PAGE, Action.VERIFY_PAGE, Action.CHANGE_PAGE, Action.REQUEST_VERIFICATION,
    Action.CONFIRM_VERIFICATION, Action.CONFIRM_EMAIL_CHANGE,
    Action.AGENT_CONNECT,
    Action.REALTIME, Action.FIRST_RUN, Action.CREATE_FIRST_USER,
}  # fmt: skip
CLOSED = {
    Action.API_TOKENS_UPDATE, Action.SESSIONS_CREATE, Action.SESSIONS_UPDATE, Action.EXTERNAL_AUTHS_CREATE,
    Action.EXTERNAL_AUTHS_UPDATE, Action.UNIVERSAL_TOKENS_UPDATE, Action.AUDIT_LOG_CREATE, Action.AUDIT_LOG_UPDATE,
    Action.AUDIT_LOG_DELETE,
    Action.SYSTEM_DETAILS_CREATE, Action.SYSTEM_DETAILS_UPDATE, Action.SYSTEM_DETAILS_DELETE,
    Action.NOTIFICATION_DELIVERIES_CREATE, Action.NOTIFICATION_DELIVERIES_DELETE,
    Action.METRICS_CREATE, Action.METRICS_UPDATE, Action.METRICS_DELETE,
    Action.SYSTEM_STATS_VIEW, Action.SYSTEM_STATS_CREATE, Action.SYSTEM_STATS_UPDATE, Action.SYSTEM_STATS_DELETE,
    Action.USER_SETTINGS_VIEW, Action.USER_SETTINGS_DELETE,
    Action.SMART_DEVICES_CREATE, Action.SMART_DEVICES_UPDATE, Action.SYSTEMD_SERVICES_VIEW,
    Action.SYSTEMD_SERVICES_CREATE, Action.SYSTEMD_SERVICES_UPDATE, Action.SYSTEMD_SERVICES_DELETE,
    Action.CONTAINERS_VIEW, Action.CONTAINERS_CREATE, Action.CONTAINERS_UPDATE, Action.CONTAINERS_DELETE,
    Action.CONTAINER_STATS_VIEW, Action.CONTAINER_STATS_CREATE, Action.CONTAINER_STATS_UPDATE,
    Action.CONTAINER_STATS_DELETE,
    Action.EVENTS_VIEW, Action.EVENTS_CREATE, Action.EVENTS_UPDATE, Action.EVENTS_DELETE,
    Action.ALERTS_HISTORY_CREATE, Action.ALERTS_HISTORY_UPDATE,
}  # fmt: skip
ADMIN_WRITES = {
    Action.USERS_CREATE, Action.USERS_DELETE, Action.SUPERUSERS_CREATE, Action.SUPERUSERS_UPDATE,
    Action.SUPERUSERS_DELETE, Action.TEAMS_CREATE, Action.TEAMS_UPDATE, Action.TEAMS_DELETE, Action.CONFIG_YAML,
    Action.BACKUPS_DOWNLOAD, Action.BACKUPS_DELETE, Action.BACKUPS_RESTORE,
}  # fmt: skip
LOGIN_ONLY = {
    Action.USERS_UPDATE, Action.API_TOKENS_CREATE, Action.API_TOKENS_DELETE, Action.LOG_OUT,
    Action.REQUEST_EMAIL_CHANGE, Action.FILES_TOKEN,
    Action.SESSIONS_LIST, Action.SESSIONS_VIEW, Action.SESSIONS_DELETE,
    Action.EXTERNAL_AUTHS_LIST, Action.EXTERNAL_AUTHS_VIEW, Action.EXTERNAL_AUTHS_DELETE,
} | ADMIN_WRITES  # fmt: skip
MEMBER_WRITES = {
    Action.SMART_DEVICES_DELETE, Action.SMART_REFRESH,
    Action.CHECKS_CREATE, Action.CHECKS_UPDATE, Action.CHECKS_DELETE,
    Action.SYSTEMS_CREATE, Action.SYSTEMS_UPDATE, Action.SYSTEMS_DELETE, Action.FINGERPRINTS_CREATE,
    Action.FINGERPRINTS_UPDATE, Action.FINGERPRINTS_DELETE, Action.UNIVERSAL_TOKENS_CREATE,
    Action.UNIVERSAL_TOKENS_DELETE, Action.UNIVERSAL_TOKEN,
}  # fmt: skip
OF_NOTIFICATIONS = {
    Action.NOTIFICATION_CHANNELS_CREATE, Action.NOTIFICATION_CHANNELS_UPDATE, Action.NOTIFICATION_CHANNELS_DELETE,
    Action.NOTIFICATION_DELIVERIES_UPDATE,
}  # fmt: skip
OF_ALERTS = {
    Action.ACKNOWLEDGE, Action.ALERTS_HISTORY_DELETE,
    Action.ALERT_RULES_CREATE, Action.ALERT_RULES_UPDATE, Action.ALERT_RULES_DELETE,
    Action.ALERTS_CREATE, Action.ALERTS_UPDATE, Action.ALERTS_DELETE,
    Action.QUIET_HOURS_CREATE, Action.QUIET_HOURS_UPDATE, Action.QUIET_HOURS_DELETE,
}  # fmt: skip
"""Everybody has alerts of their own, also who may only look."""
WRITING = (
    OF_ALERTS
    | OF_NOTIFICATIONS
    | {Action.USER_ALERTS, Action.ALERT_TEMPLATES_APPLY, Action.TEST_NOTIFICATION, Action.TEST_HEARTBEAT}
    | {Action.BACKUPS_CREATE}
    | {Action.USER_SETTINGS_CREATE, Action.USER_SETTINGS_UPDATE}
    | MEMBER_WRITES
    | LOGIN_ONLY
)
ADMIN_ONLY = {
    Action.SUPERUSERS_LIST, Action.SUPERUSERS_VIEW, Action.AUDIT_LOG_LIST, Action.AUDIT_LOG_VIEW,
    Action.HEARTBEAT_STATUS, Action.TEST_HEARTBEAT, Action.JOBS, Action.STORE, Action.BACKUPS_LIST,
    Action.BACKUPS_CREATE, Action.ALERTS_YAML,
} | ADMIN_WRITES  # fmt: skip
NOT_READONLY = {
    Action.FINGERPRINTS_LIST, Action.FINGERPRINTS_VIEW, Action.UNIVERSAL_TOKENS_LIST, Action.UNIVERSAL_TOKENS_VIEW,
} | MEMBER_WRITES | ADMIN_ONLY  # fmt: skip
OF_A_SYSTEM = {
    Action.PROCESSES, Action.SERVICE_DETAIL, Action.SMART_REFRESH,
    Action.SMART_DEVICES_LIST, Action.SMART_DEVICES_VIEW, Action.SMART_DEVICES_DELETE, Action.SYSTEMD_SERVICES_LIST,
    Action.SERIES, Action.EXPORT, Action.EXPOSITION, Action.FEED, Action.REALTIME_METRICS,
    Action.SYSTEMS_LIST, Action.SYSTEMS_VIEW, Action.SYSTEMS_UPDATE, Action.SYSTEMS_DELETE,
    Action.SYSTEM_DETAILS_LIST, Action.SYSTEM_DETAILS_VIEW, Action.METRICS_LIST, Action.METRICS_VIEW,
    Action.SYSTEM_STATS_LIST, Action.TRAFFIC, Action.TOP, Action.FORECAST,
    Action.FINGERPRINTS_LIST, Action.FINGERPRINTS_VIEW, Action.FINGERPRINTS_CREATE, Action.FINGERPRINTS_UPDATE,
    Action.FINGERPRINTS_DELETE,
    Action.CONTAINER_LOGS, Action.CONTAINER_INSPECT, Action.CONTAINERS_LIST, Action.EVENTS_LIST,
    Action.CHECKS_LIST, Action.CHECKS_VIEW, Action.CHECKS_CREATE, Action.CHECKS_UPDATE, Action.CHECKS_DELETE,
    Action.CONTAINER_STATS_LIST,
}  # fmt: skip
OWN = {
    Action.USERS_LIST, Action.USERS_VIEW, Action.USERS_UPDATE, Action.API_TOKENS_LIST, Action.API_TOKENS_VIEW,
    Action.API_TOKENS_DELETE, Action.SESSIONS_LIST, Action.SESSIONS_VIEW, Action.SESSIONS_DELETE,
    Action.EXTERNAL_AUTHS_LIST, Action.EXTERNAL_AUTHS_VIEW, Action.EXTERNAL_AUTHS_DELETE, Action.TEAMS_LIST,
    Action.TEAMS_VIEW, Action.UNIVERSAL_TOKENS_LIST, Action.UNIVERSAL_TOKENS_VIEW, Action.UNIVERSAL_TOKENS_DELETE,
    Action.USER_SETTINGS_LIST, Action.USER_SETTINGS_UPDATE,
    Action.NOTIFICATION_CHANNELS_LIST, Action.NOTIFICATION_CHANNELS_VIEW, Action.NOTIFICATION_CHANNELS_UPDATE,
    Action.NOTIFICATION_CHANNELS_DELETE, Action.NOTIFICATION_DELIVERIES_LIST, Action.NOTIFICATION_DELIVERIES_VIEW,
    Action.NOTIFICATION_DELIVERIES_UPDATE,
    Action.ALERT_RULES_LIST, Action.ALERT_RULES_VIEW, Action.ALERTS_LIST, Action.ALERTS_VIEW,
    Action.ALERTS_HISTORY_LIST, Action.ALERTS_HISTORY_VIEW, Action.QUIET_HOURS_LIST, Action.QUIET_HOURS_VIEW,
} | OF_ALERTS  # fmt: skip


def actor(role: Role, scope: Scope = "full") -> Actor:
    return Actor(user_id="x" * 15, role=role, scope=scope)


def expected(action: Action, role: Role, scope: Scope) -> Decision:
    if action in PUBLIC:
        return Decision.ALLOW
    if action in CLOSED:
        return Decision.CLOSED
    is_forbidden = (
        (action in ADMIN_ONLY and role != "admin")
        or (action in NOT_READONLY and role == "readonly")
        or (action in WRITING and scope == "read")
        or (action in LOGIN_ONLY and scope != "full")
    )
    return Decision.FORBIDDEN if is_forbidden else Decision.ALLOW


@pytest.mark.parametrize("action", list(Action))
def test_every_role_and_scope(action: Action) -> None:
    roles: tuple[Role, ...] = ("admin", "user", "readonly")
    scopes: tuple[Scope, ...] = ("full", "write", "read")
    for role in roles:
        for scope in scopes:
            assert decide(actor(role, scope), action) is expected(action, role, scope), (role, scope)


@pytest.mark.parametrize("action", list(Action))
def test_nobody_does_anything_without_a_token_but_what_is_public(action: Action) -> None:
    decision = decide(ANONYMOUS, action, member=True, own=True)
    assert (decision is Decision.ALLOW) is (action in PUBLIC)
    half = Actor(user_id="x" * 15, role=None, scope="full")
    assert (decide(half, action) is Decision.ALLOW) is (action in PUBLIC)


@pytest.mark.parametrize("action", sorted(OF_A_SYSTEM))
def test_what_belongs_to_a_system_needs_that_system(action: Action) -> None:
    for role in ("admin", "user"):
        someone = Actor(user_id="x" * 15, role="admin" if role == "admin" else "user", scope="full")
        assert decide(someone, action, member=False) is Decision.NOT_FOUND
        assert decide(someone, action, member=True) is Decision.ALLOW


@pytest.mark.parametrize("action", sorted(OWN))
def test_what_is_ones_own_is_hidden_from_others(action: Action) -> None:
    assert decide(actor("user"), action, own=False) is Decision.NOT_FOUND
    assert decide(actor("user"), action, own=True) is Decision.ALLOW
    assert decide(actor("admin"), action, own=False) is Decision.ALLOW


def test_tables_of_this_test_are_whole() -> None:
    needs = {action: rule.needs for action, rule in RULES.items()}
    assert {action for action, need in needs.items() if need == "member"} == OF_A_SYSTEM
    assert {action for action, need in needs.items() if need == "own"} == OWN
    assert set(RULES) == set(Action)


@pytest.mark.parametrize(
    ("role", "system_ids", "is_member", "reached"),
    [
        ("user", None, True, True),
        ("user", None, False, False),
        ("admin", None, False, True),
        ("admin", {"one"}, False, True),
        ("admin", {"two"}, True, False),
        ("user", {"one"}, False, False),
        ("user", {"one"}, True, True),
        ("user", set(), True, False),
    ],
)
def test_a_token_only_narrows(role: Role, system_ids: set[str] | None, is_member: bool, reached: bool) -> None:
    limited = Actor(
        user_id="x" * 15, role=role, scope="write", system_ids=None if system_ids is None else frozenset(system_ids)
    )
    assert limited.reaches("one", is_member=is_member) is reached


def test_actions_of_a_collection() -> None:
    assert Action.of("systems", Verb.DELETE) is Action.SYSTEMS_DELETE
    with pytest.raises(ValueError, match="nope"):
        Action.of("nope", Verb.LIST)
