"""Every way to log in, for both collections of users; sessions, identities, and superusers as records."""

from collections.abc import Iterator

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

_PLAIN = "/api/collections/users"
_SUPER = "/api/collections/_superusers"
_SUPERUSERS = f"{_SUPER}/records"
_SESSIONS = "/api/collections/sessions/records"
_IDENTITIES = "/api/collections/_externalAuths/records"
_ADMINS = "/api/admins"
_NOBODY_ELSE = ("uma@", "otto@", "rea@")

_GONE = Answer(status=204)
_FORBIDDEN = Answer(status=403, shows=('"status":403',))
_NO_MAIL = Answer(status=403, shows=('"status":403',), hides=("otpId", "uma@"))
_WRONG = Answer(status=400, shows=("Failed to authenticate", '"data":{}'), hides=("uma@", "token"))
_ADA = Answer(status=200, shows=("ada@example.org", '"collectionName":"_superusers"'), hides=_NOBODY_ELSE)
_ADA_IN = Answer(status=200, shows=('"token":"ey', '"record":{', "ada@example.org"), hides=_NOBODY_ELSE)
_ADA_IN_OLD = Answer(status=200, shows=('"token":"ey', '"admin":{', "ada@example.org"), hides=_NOBODY_ELSE)
_OTHER_COLLECTION = Answer(status=403, shows=("another collection",))
_INVALID_TOKEN = Answer(status=400, shows=('"token":{"code":"validation_invalid_token"',))


def _of_a_collection(name: str) -> Iterator[Scenario]:
    """What both collections have alike; nothing here depends on who asks."""
    prefix = f"/api/collections/{name}"
    yield Scenario(
        name=f"ask for a code at {name}", route=f"{prefix}/request-otp", method="POST", path=f"{prefix}/request-otp",
        body={"email": "uma@example.org"}, expect=expect(_NO_MAIL),
    )  # fmt: skip
    yield Scenario(
        name=f"log in with a code at {name}", route=f"{prefix}/auth-with-otp", method="POST",
        path=f"{prefix}/auth-with-otp", body={"otpId": "x" * 15, "password": "123456"}, expect=expect(_FORBIDDEN),
    )  # fmt: skip
    yield Scenario(
        name=f"come from a provider at {name}", route=f"{prefix}/auth-with-oauth2", method="POST",
        path=f"{prefix}/auth-with-oauth2",
        body={"provider": "oidc", "code": "x", "codeVerifier": "x", "redirectURL": "https://client.example.org"},
        expect=expect(Answer(status=400, shows=("There is no such provider",))),
    )  # fmt: skip
    yield Scenario(
        name=f"ask for a new password at {name}", route=f"{prefix}/request-password-reset", method="POST",
        path=f"{prefix}/request-password-reset", body={"email": "uma@example.org"}, expect=expect(_NO_MAIL),
    )  # fmt: skip
    yield Scenario(
        name=f"set a new password at {name}", route=f"{prefix}/confirm-password-reset", method="POST",
        path=f"{prefix}/confirm-password-reset",
        body={"token": "no token", "password": "a new password", "passwordConfirm": "a new password"},
        expect=expect(_INVALID_TOKEN),
    )  # fmt: skip
    yield Scenario(
        name=f"ask for another address at {name}", route=f"{prefix}/request-email-change", method="POST",
        path=f"{prefix}/request-email-change", body={"newEmail": "new@example.org"},
        expect=expect(_FORBIDDEN, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED),
    )  # fmt: skip
    yield Scenario(
        name=f"take another address at {name}", route=f"{prefix}/confirm-email-change", method="POST",
        path=f"{prefix}/confirm-email-change", body={"token": "no token", "password": PASSWORD},
        expect=expect(_INVALID_TOKEN),
    )  # fmt: skip


SCENARIOS = (
    *_of_a_collection("users"),
    *_of_a_collection("_superusers"),
    Scenario(
        name="methods of superusers", route=f"{_SUPER}/auth-methods", method="GET", path=f"{_SUPER}/auth-methods",
        expect=expect(Answer(status=200, shows=('"password":{"enabled":true',))),
    ),
    Scenario(
        name="log in as superuser", route=f"{_SUPER}/auth-with-password", method="POST",
        path=f"{_SUPER}/auth-with-password", body={"identity": "ada@example.org", "password": PASSWORD},
        expect=expect(_ADA_IN),
    ),
    Scenario(
        name="log in as superuser without being one", route=f"{_SUPER}/auth-with-password", method="POST",
        path=f"{_SUPER}/auth-with-password", body={"identity": "uma@example.org", "password": PASSWORD},
        expect=expect(_WRONG),
    ),
    Scenario(
        name="log in as older clients do", route=f"{_ADMINS}/auth-with-password", method="POST",
        path=f"{_ADMINS}/auth-with-password", body={"identity": "ada@example.org", "password": PASSWORD},
        expect=expect(_ADA_IN_OLD),
    ),
    Scenario(
        name="refresh as older clients do", route=f"{_ADMINS}/auth-refresh", method="POST",
        path=f"{_ADMINS}/auth-refresh", expect=expect(
            _OTHER_COLLECTION, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            superuser=_ADA_IN_OLD,
        ),
    ),
    Scenario(
        name="refresh as superuser", route=f"{_SUPER}/auth-refresh", method="POST", path=f"{_SUPER}/auth-refresh",
        expect=expect(
            _OTHER_COLLECTION, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            superuser=_ADA_IN,
        ),
    ),
    Scenario(
        name="the page for a new password", route="/reset-password", method="GET", path="/reset-password?token=x",
        expect=expect(Answer(status=200, shows=("A new password", "<form>"), hides=("token=x",))),
    ),
    Scenario(
        name="ask for proof of an address", route=f"{_PLAIN}/request-verification", method="POST",
        path=f"{_PLAIN}/request-verification", body={"email": "uma@example.org"}, expect=expect(_NO_MAIL),
    ),
    Scenario(
        name="prove an address", route=f"{_PLAIN}/confirm-verification", method="POST",
        path=f"{_PLAIN}/confirm-verification", body={"token": "no token"}, expect=expect(_INVALID_TOKEN),
    ),
    Scenario(
        name="the page for a new address", route="/verify-email", method="GET", path="/verify-email?token=x",
        expect=expect(Answer(status=200, shows=("Your e-mail address", "<form>"), hides=("token=x",))),
    ),
    Scenario(
        name="the page for another address", route="/change-email", method="GET", path="/change-email?token=x",
        expect=expect(Answer(status=200, shows=("A new e-mail address", "<form>"), hides=("token=x",))),
    ),
    Scenario(
        name="come back from a provider", route="/api/oauth2-redirect", method="GET",
        path="/api/oauth2-redirect?state=nobody&code=x",
        expect=expect(Answer(status=200, shows=("was not completed",), hides=("nobody",))),
    ),
    Scenario(
        name="confirm the way back", route="/api/oauth2-redirect", method="POST",
        path="/api/oauth2-redirect?state=nobody&code=x",
        expect=expect(Answer(status=404, hides=("nobody",))),
    ),
    Scenario(
        name="log out", route="/api/beszel/log-out", method="POST", path="/api/beszel/log-out",
        expect=expect(
            _GONE, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            read_token=_FORBIDDEN, write_token=_FORBIDDEN, limited_token=_FORBIDDEN,
        ),
    ),
    Scenario(
        name="list superusers", route=RECORDS, method="GET", path=_SUPERUSERS,
        expect=expect(EMPTY, admin=_ADA, limited_token=_ADA),
    ),
    Scenario(
        name="view a superuser", route=RECORD, method="GET", path=f"{_SUPERUSERS}/{{ada}}",
        expect=expect(ABSENT, admin=_ADA, limited_token=_ADA),
    ),
    Scenario(
        name="view a user among superusers", route=RECORD, method="GET", path=f"{_SUPERUSERS}/{{uma}}",
        expect=expect(ABSENT),
    ),
    Scenario(
        name="make a superuser", route=RECORDS, method="POST", path=_SUPERUSERS,
        body={"email": "new@example.org", "password": "a new password", "role": "readonly"},
        expect=expect(NOT_CREATED, admin=Answer(status=200, shows=("new@example.org", '"role":"admin"'))),
    ),
    Scenario(
        name="rename a superuser", route=RECORD, method="PATCH", path=f"{_SUPERUSERS}/{{ada}}",
        body={"username": "adax"}, expect=expect(ABSENT, admin=Answer(status=200, shows=('"username":"adax"',))),
    ),
    Scenario(
        name="change a user as if a superuser", route=RECORD, method="PATCH", path=f"{_SUPERUSERS}/{{uma}}",
        body={"role": "admin"}, expect=expect(ABSENT),
    ),
    Scenario(
        name="delete the last superuser", route=RECORD, method="DELETE", path=f"{_SUPERUSERS}/{{ada}}",
        expect=expect(ABSENT, admin=Answer(status=400, shows=("validation_last_admin",))),
    ),
    Scenario(
        name="list sessions", route=RECORDS, method="GET", path=_SESSIONS,
        expect=expect(
            EMPTY,
            user=Answer(
                status=200, shows=("{uma_session}", '"current":true', '"totalItems":1'), hides=("{otto_session}",)
            ),
            other=Answer(status=200, shows=("{otto_session}", '"totalItems":1'), hides=("{uma_session}",)),
            readonly=Answer(status=200, shows=('"totalItems":1',), hides=("{uma_session}", "{otto_session}")),
            admin=Answer(status=200, shows=("{uma_session}", "{otto_session}", "{ada_session}")),
        ),
    ),
    Scenario(
        name="view a session", route=RECORD, method="GET", path=f"{_SESSIONS}/{{uma_session}}",
        expect=expect(
            ABSENT, user=Answer(status=200, shows=('"current":true', "192.0.2.7")),
            admin=Answer(status=200, shows=('"current":false',)),
        ),
    ),
    Scenario(
        name="invent a session", route=RECORDS, method="POST", path=_SESSIONS, body={"user": "{ada}"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="prolong a session", route=RECORD, method="PATCH", path=f"{_SESSIONS}/{{uma_session}}",
        body={"expires": "2099-01-01"}, expect=expect(CLOSED),
    ),
    Scenario(
        name="end a session", route=RECORD, method="DELETE", path=f"{_SESSIONS}/{{uma_session}}",
        expect=expect(ABSENT, user=_GONE, admin=_GONE),
    ),
    Scenario(
        name="list identities", route=RECORDS, method="GET", path=_IDENTITIES,
        expect=expect(
            EMPTY, user=Answer(status=200, shows=("{identity}", "uma-at-the-provider")),
            admin=Answer(status=200, shows=("{identity}",)),
        ),
    ),
    Scenario(
        name="view an identity", route=RECORD, method="GET", path=f"{_IDENTITIES}/{{identity}}",
        expect=expect(ABSENT, user=Answer(status=200, shows=("{identity}",)), admin=Answer(status=200)),
    ),
    Scenario(
        name="claim an identity", route=RECORDS, method="POST", path=_IDENTITIES,
        body={"recordRef": "{otto}", "provider": "oidc", "providerId": "uma-at-the-provider"}, expect=expect(CLOSED),
    ),
    Scenario(
        name="move an identity", route=RECORD, method="PATCH", path=f"{_IDENTITIES}/{{identity}}",
        body={"recordRef": "{otto}"}, expect=expect(CLOSED),
    ),
    Scenario(
        name="unlink an identity", route=RECORD, method="DELETE", path=f"{_IDENTITIES}/{{identity}}",
        expect=expect(ABSENT, user=_GONE, admin=_GONE),
    ),
)  # fmt: skip
