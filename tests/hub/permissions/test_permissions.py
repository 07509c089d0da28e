"""The table of permissions, spelled out once more by hand: a change to it must be made twice."""

import pytest

from beszel_hub.permissions import ANONYMOUS, RULES, Action, Actor, Decision, Role, Scope, Verb, decide

PUBLIC = {Action.HEALTH, Action.AUTH_METHODS, Action.AUTH_WITH_PASSWORD, Action.AGENT_CONNECT}
CLOSED = {
    Action.API_TOKENS_CREATE, Action.API_TOKENS_UPDATE,
    Action.SYSTEM_DETAILS_CREATE, Action.SYSTEM_DETAILS_UPDATE, Action.SYSTEM_DETAILS_DELETE,
    Action.METRICS_CREATE, Action.METRICS_UPDATE, Action.METRICS_DELETE,
    Action.SYSTEM_STATS_VIEW, Action.SYSTEM_STATS_CREATE, Action.SYSTEM_STATS_UPDATE, Action.SYSTEM_STATS_DELETE,
}  # fmt: skip
LOGIN_ONLY = {Action.USERS_CREATE, Action.USERS_UPDATE, Action.USERS_DELETE, Action.API_TOKENS_DELETE}
OF_WRITERS = {
    Action.SYSTEMS_CREATE, Action.SYSTEMS_UPDATE, Action.SYSTEMS_DELETE,
    Action.CHECKS_CREATE, Action.CHECKS_UPDATE, Action.CHECKS_DELETE,
}  # fmt: skip
WRITING = OF_WRITERS | LOGIN_ONLY
ADMIN_ONLY = {Action.USERS_CREATE, Action.USERS_DELETE}
NOT_READONLY = OF_WRITERS | ADMIN_ONLY
OF_A_SYSTEM = {
    Action.SERIES, Action.EXPORT, Action.EXPOSITION, Action.FEED,
    Action.SYSTEMS_LIST, Action.SYSTEMS_VIEW, Action.SYSTEMS_UPDATE, Action.SYSTEMS_DELETE,
    Action.SYSTEM_DETAILS_LIST, Action.SYSTEM_DETAILS_VIEW, Action.METRICS_LIST, Action.METRICS_VIEW,
    Action.SYSTEM_STATS_LIST, Action.TRAFFIC, Action.TOP, Action.FORECAST,
    Action.CHECKS_LIST, Action.CHECKS_VIEW, Action.CHECKS_CREATE, Action.CHECKS_UPDATE, Action.CHECKS_DELETE,
}  # fmt: skip
OWN = {
    Action.USERS_LIST, Action.USERS_VIEW, Action.USERS_UPDATE, Action.API_TOKENS_LIST, Action.API_TOKENS_VIEW,
    Action.API_TOKENS_DELETE,
}  # fmt: skip


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
