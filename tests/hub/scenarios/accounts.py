"""Users, logins and API tokens."""

from tests.support.runninghub import PASSWORD
from tests.support.scenario import (
    ABSENT,
    CLOSED,
    EMPTY,
    NOT_CREATED,
    RECORD,
    RECORDS,
    UNAUTHENTICATED,
    Answer,
    Scenario,
    expect,
)

_LOGIN = "/api/collections/users/auth-with-password"
_REFRESH = "/api/collections/users/auth-refresh"
_USERS = "/api/collections/users/records"
_TOKENS = "/api/collections/api_tokens/records"
_NOBODY_ELSE = ("ada@", "otto@", "rea@")

_UMA = Answer(status=200, shows=("uma@example.org", '"totalItems":1'), hides=_NOBODY_ELSE)
_ADA = Answer(status=200, shows=("ada@example.org", '"totalItems":1'), hides=("uma@", "otto@", "rea@"))
_UMA_VIEW = Answer(status=200, shows=("uma@example.org",), hides=_NOBODY_ELSE)
_ALL = Answer(status=200, shows=("ada@", "uma@", "otto@", "rea@", '"totalItems":4'))
_LOGGED_IN = Answer(status=200, shows=('"token":"ey', "uma@example.org", '"role":"user"'), hides=_NOBODY_ELSE)
_WRONG = Answer(status=400, shows=("Failed to authenticate", '"data":{}'), hides=("uma@", "token"))
_CHANGED = Answer(status=200, shows=('"username":"umax"',))
_ISSUED = Answer(status=200, shows=('"token":"ey', '"name":"x"', '"scope":"write"'))
_GONE = Answer(status=204)

SCENARIOS = (
    Scenario(
        name="methods", route="/api/collections/users/auth-methods", method="GET",
        path="/api/collections/users/auth-methods",
        expect=expect(Answer(status=200, shows=('"password":{"enabled":true', '"emailPassword":true'))),
    ),
    Scenario(
        name="log in", route=_LOGIN, method="POST", path=_LOGIN,
        body={"identity": "UMA@example.org", "password": PASSWORD}, expect=expect(_LOGGED_IN),
    ),
    Scenario(
        name="log in by user name", route=_LOGIN, method="POST", path=_LOGIN,
        body={"identity": "uma", "password": PASSWORD}, expect=expect(_LOGGED_IN),
    ),
    Scenario(
        name="wrong password", route=_LOGIN, method="POST", path=_LOGIN,
        body={"identity": "uma", "password": "wrong horse battery"}, expect=expect(_WRONG),
    ),
    Scenario(
        name="unknown user", route=_LOGIN, method="POST", path=_LOGIN,
        body={"identity": "nobody@example.org", "password": PASSWORD}, expect=expect(_WRONG),
    ),
    Scenario(
        name="no password", route=_LOGIN, method="POST", path=_LOGIN, body={"identity": "uma"},
        expect=expect(Answer(status=400, shows=('"password":{"code":"validation_required"',))),
    ),
    Scenario(
        name="refresh", route=_REFRESH, method="POST", path=_REFRESH,
        expect=expect(
            UNAUTHENTICATED,
            superuser=Answer(status=403, shows=("another collection",)),
            user=_LOGGED_IN,
            read_token=_LOGGED_IN,
            write_token=_LOGGED_IN,
            other=Answer(status=200, shows=('"token":"ey', "otto@example.org"), hides=("uma@",)),
            readonly=Answer(status=200, shows=('"token":"ey', "rea@example.org"), hides=("uma@",)),
            admin=Answer(status=200, shows=('"token":"ey', "ada@example.org"), hides=("uma@",)),
            limited_token=Answer(status=200, shows=('"token":"ey', "ada@example.org"), hides=("uma@",)),
        ),
    ),
    Scenario(
        name="list users", route=RECORDS, method="GET", path=_USERS,
        expect=expect(
            EMPTY, user=_UMA, read_token=_UMA, write_token=_UMA, admin=_ALL, limited_token=_ADA,
            other=Answer(status=200, shows=("otto@", '"totalItems":1'), hides=("uma@", "ada@", "rea@")),
            readonly=Answer(status=200, shows=("rea@", '"totalItems":1'), hides=("uma@", "ada@", "otto@")),
        ),
    ),
    Scenario(
        name="guess others by a filter", route=RECORDS, method="GET", path=f"{_USERS}?filter=email~'otto'",
        expect=expect(
            EMPTY, admin=Answer(status=200, shows=("otto@", '"totalItems":1'), hides=("uma@",)),
            other=Answer(status=200, shows=("otto@", '"totalItems":1'), hides=("uma@",)),
        ),
    ),
    Scenario(
        name="filter by a hidden field", route=RECORDS, method="GET", path=f"{_USERS}?filter=password_hash~'argon'",
        expect=expect(Answer(status=400, shows=('"status":400',), hides=("argon2",))),
    ),
    Scenario(
        name="sort by a hidden field", route=RECORDS, method="GET", path=f"{_USERS}?sort=token_key",
        expect=expect(Answer(status=400, shows=('"status":400',))),
    ),
    Scenario(
        name="view a user", route=RECORD, method="GET", path=f"{_USERS}/{{uma}}",
        expect=expect(
            ABSENT, user=_UMA_VIEW, read_token=_UMA_VIEW, write_token=_UMA_VIEW, admin=_UMA_VIEW,
        ),
    ),
    Scenario(
        name="create a user", route=RECORDS, method="POST", path=_USERS,
        body={"email": "new@example.org", "password": "a new password", "role": "user"},
        expect=expect(
            NOT_CREATED, admin=Answer(status=200, shows=("new@example.org", '"role":"user"'), hides=("a new password",))
        ),
    ),
    Scenario(
        name="create a user with a weak password and a taken address", route=RECORDS, method="POST", path=_USERS,
        body={"email": "uma@example.org", "password": "short"},
        expect=expect(
            NOT_CREATED, admin=Answer(status=400, shows=("Failed to create record", '"password":{"code"'))
        ),
    ),
    Scenario(
        name="create a user with a taken address", route=RECORDS, method="POST", path=_USERS,
        body={"email": "Uma@Example.org", "password": "a new password"},
        expect=expect(
            NOT_CREATED, admin=Answer(status=400, shows=('"email":{"code":"validation_not_unique"',))
        ),
    ),
    Scenario(
        name="rename a user", route=RECORD, method="PATCH", path=f"{_USERS}/{{uma}}", body={"username": "umax"},
        expect=expect(ABSENT, user=_CHANGED, admin=_CHANGED),
    ),
    Scenario(
        name="make a user an administrator", route=RECORD, method="PATCH", path=f"{_USERS}/{{uma}}",
        body={"role": "admin"},
        expect=expect(
            ABSENT, admin=Answer(status=200, shows=('"role":"admin"',)),
            user=Answer(status=400, shows=("Failed to update record", '"role":{"code":"validation_not_allowed"')),
        ),
    ),
    Scenario(
        name="change a password", route=RECORD, method="PATCH", path=f"{_USERS}/{{uma}}",
        body={"password": "a new password", "passwordConfirm": "a new password", "oldPassword": PASSWORD},
        expect=expect(
            ABSENT, admin=Answer(status=200, hides=("a new password",)),
            user=Answer(status=200, hides=("a new password",)),
        ),
    ),
    Scenario(
        name="change a password without the old one", route=RECORD, method="PATCH", path=f"{_USERS}/{{uma}}",
        body={"password": "a new password"},
        expect=expect(
            ABSENT, admin=Answer(status=200),
            user=Answer(status=400, shows=('"oldPassword":{"code":"validation_invalid_old_password"',)),
        ),
    ),
    Scenario(
        name="delete a user", route=RECORD, method="DELETE", path=f"{_USERS}/{{uma}}",
        expect=expect(ABSENT, admin=_GONE),
    ),
    Scenario(
        name="delete the last administrator", route=RECORD, method="DELETE", path=f"{_USERS}/{{ada}}",
        expect=expect(ABSENT, admin=Answer(status=400, shows=("validation_last_admin",))),
    ),
    Scenario(
        name="list API tokens", route=RECORDS, method="GET", path=_TOKENS,
        expect=expect(
            EMPTY,
            user=Answer(status=200, shows=("{read_token}", "{write_token}"), hides=("{limited_token}", '"token":')),
            read_token=Answer(status=200, shows=("{read_token}",), hides=("{limited_token}", '"token":')),
            write_token=Answer(status=200, shows=("{read_token}",), hides=("{limited_token}", '"token":')),
            admin=Answer(status=200, shows=("{limited_token}",), hides=("{read_token}", '"token":')),
            limited_token=Answer(status=200, shows=("{limited_token}",), hides=("{read_token}", '"token":')),
        ),
    ),
    Scenario(
        name="view an API token", route=RECORD, method="GET", path=f"{_TOKENS}/{{read_token}}",
        expect=expect(
            ABSENT, user=Answer(status=200, shows=("{read_token}",)), read_token=Answer(status=200),
            write_token=Answer(status=200),
        ),
    ),
    Scenario(
        name="create an API token", route=RECORDS, method="POST", path=_TOKENS, body={"name": "x", "scope": "write"},
        expect=expect(NOT_CREATED, **dict.fromkeys(("user", "other", "readonly", "admin"), _ISSUED)),
    ),
    Scenario(
        name="widen an API token", route=RECORD, method="PATCH", path=f"{_TOKENS}/{{read_token}}",
        body={"scope": "write"}, expect=expect(CLOSED),
    ),
    Scenario(
        name="revoke an API token", route=RECORD, method="DELETE", path=f"{_TOKENS}/{{read_token}}",
        expect=expect(ABSENT, user=_GONE),
    ),
    Scenario(
        name="a collection that does not exist", route=RECORDS, method="GET", path="/api/collections/nope/records",
        expect=expect(ABSENT),
    ),
)  # fmt: skip
