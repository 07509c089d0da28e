"""Tokens of agents, the agents that they bound, teams, and the file of systems."""

from tests.support.scenario import (
    ABSENT,
    CLOSED,
    EMPTY,
    NOT_CREATED,
    OTTO_ONLY,
    RECORD,
    RECORDS,
    UMA_ONLY,
    UNAUTHENTICATED,
    Answer,
    Scenario,
    expect,
)

_FINGERPRINTS = "/api/collections/fingerprints/records"
_UNIVERSAL = "/api/collections/universal_tokens/records"
_TEAMS = "/api/collections/teams/records"
_TOKEN = "/api/beszel/universal-token"
_CONFIG = "/api/beszel/config-yaml"
_NEW = "a-token-of-my-own-choice"

_OF_UMA = Answer(status=200, shows=("{uma_web}", "{uma_agent}"), hides=("{otto_db}", "{otto_agent}"))
_OF_UMA_MASKED = Answer(status=200, shows=("{uma_web}", '"token":""'), hides=("{otto_db}", "{uma_agent}"))
_OF_OTTO = Answer(status=200, shows=("{otto_db}", "{otto_agent}"), hides=("{uma_web}", "{uma_agent}"))
_OF_ALL = Answer(status=200, shows=("{uma_agent}", "{otto_agent}", '"totalItems":2'))
_ROTATED = Answer(status=200, shows=(_NEW, '"fingerprint":""'), hides=("{uma_agent}", "{otto_agent}"))
_GONE = Answer(status=204)
_FORBIDDEN = Answer(status=403, shows=('"status":403',))
_MINE = Answer(status=200, shows=("{uma_universal}", '"totalItems":1'), hides=("{otto_universal}",))
_OTTOS = Answer(status=200, shows=("{otto_universal}", '"totalItems":1'), hides=("{uma_universal}",))
_ISSUED = Answer(status=200, shows=(_NEW,), hides=("{uma_universal}", "{otto_universal}"))
_INACTIVE = Answer(status=200, shows=('"active":false',), hides=("{uma_universal}", "{otto_universal}"))
_ENABLED = Answer(status=200, shows=(f'"token":"{_NEW}"', '"active":true', '"permanent":true'))
_TEAM = Answer(status=200, shows=('"name":"web"', '"totalItems":1'))
_MADE_TEAM = Answer(status=200, shows=('"name":"db"',))

SCENARIOS = (
    Scenario(
        name="list fingerprints", route=RECORDS, method="GET", path=f"{_FINGERPRINTS}?sort=created",
        expect=expect(
            EMPTY, user=_OF_UMA, write_token=_OF_UMA, limited_token=_OF_UMA, read_token=_OF_UMA_MASKED,
            other=_OF_OTTO, admin=_OF_ALL,
        ),
    ),
    Scenario(
        name="list fingerprints with their systems", route=RECORDS, method="GET",
        path=f"{_FINGERPRINTS}?expand=system&fields=token,expand.system.name",
        expect=expect(
            EMPTY,
            user=Answer(status=200, shows=("uma-web", "{uma_agent}"), hides=OTTO_ONLY),
            write_token=Answer(status=200, shows=("uma-web",), hides=OTTO_ONLY),
            limited_token=Answer(status=200, shows=("uma-web",), hides=OTTO_ONLY),
            read_token=Answer(status=200, shows=("uma-web",), hides=(*OTTO_ONLY, "{uma_agent}")),
            other=Answer(status=200, shows=("otto-db",), hides=UMA_ONLY),
            admin=Answer(status=200, shows=("otto-db", "uma-web")),
        ),
    ),
    Scenario(
        name="guess a token by a filter", route=RECORDS, method="GET", path=f"{_FINGERPRINTS}?filter=token~'a'",
        expect=expect(Answer(status=400, shows=('"status":400',))),
    ),
    Scenario(
        name="view a fingerprint", route=RECORD, method="GET", path=f"{_FINGERPRINTS}/{{uma_web}}",
        expect=expect(
            ABSENT, user=_OF_UMA, write_token=_OF_UMA, limited_token=_OF_UMA, read_token=_OF_UMA_MASKED, admin=_OF_UMA
        ),
    ),
    Scenario(
        name="rotate a token", route=RECORD, method="PATCH", path=f"{_FINGERPRINTS}/{{uma_web}}",
        body={"token": _NEW, "fingerprint": ""},
        expect=expect(ABSENT, user=_ROTATED, write_token=_ROTATED, limited_token=_ROTATED, admin=_ROTATED),
    ),
    Scenario(
        name="take a short token", route=RECORD, method="PATCH", path=f"{_FINGERPRINTS}/{{uma_web}}",
        body={"token": "short"},
        expect=expect(
            ABSENT,
            **dict.fromkeys(
                ("user", "write_token", "limited_token", "admin"),
                Answer(status=400, shows=('"token":{"code":"validation_min_text_constraint"',)),
            ),
        ),
    ),
    Scenario(
        name="claim a fingerprint", route=RECORD, method="PATCH", path=f"{_FINGERPRINTS}/{{uma_web}}",
        body={"fingerprint": "mine now"},
        expect=expect(
            ABSENT,
            **dict.fromkeys(
                ("user", "write_token", "limited_token", "admin"),
                Answer(status=400, shows=('"fingerprint":{"code":"validation_not_allowed"',)),
            ),
        ),
    ),
    Scenario(
        name="give somebody else's system a token", route=RECORDS, method="POST", path=_FINGERPRINTS,
        body={"system": "{otto_db}", "token": _NEW},
        expect=expect(
            NOT_CREATED,
            user=Answer(status=400, shows=("validation_missing_rel_records",)),
            other=Answer(status=400, shows=("validation_not_unique",)),
        ),
    ),
    Scenario(
        name="shut an agent out", route=RECORD, method="DELETE", path=f"{_FINGERPRINTS}/{{uma_web}}",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE, limited_token=_GONE, admin=_GONE),
    ),
    Scenario(
        name="list universal tokens", route=RECORDS, method="GET", path=_UNIVERSAL,
        expect=expect(
            EMPTY, user=_MINE, write_token=_MINE, other=_OTTOS,
            read_token=Answer(status=200, shows=('"token":""',), hides=("{uma_universal}",)),
        ),
    ),
    Scenario(
        name="view a universal token", route=RECORD, method="GET", path=f"{_UNIVERSAL}/{{uma_universal_id}}",
        expect=expect(
            ABSENT, user=Answer(status=200, shows=("{uma_universal}",)),
            write_token=Answer(status=200, shows=("{uma_universal}",)),
            read_token=Answer(status=200, shows=('"token":""',), hides=("{uma_universal}",)),
        ),
    ),
    Scenario(
        name="make a universal token", route=RECORDS, method="POST", path=_UNIVERSAL, body={"token": _NEW},
        expect=expect(NOT_CREATED, user=_ISSUED, other=_ISSUED, admin=_ISSUED, write_token=_ISSUED),
    ),
    Scenario(
        name="prolong a universal token", route=RECORD, method="PATCH", path=f"{_UNIVERSAL}/{{uma_universal_id}}",
        body={"expires": ""}, expect=expect(CLOSED),
    ),
    Scenario(
        name="end a universal token", route=RECORD, method="DELETE", path=f"{_UNIVERSAL}/{{uma_universal_id}}",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE),
    ),
    Scenario(
        name="show the universal token", route=_TOKEN, method="GET", path=_TOKEN,
        expect=expect(
            UNAUTHENTICATED, readonly=_FORBIDDEN, read_token=_FORBIDDEN, limited_token=_FORBIDDEN, admin=_INACTIVE,
            user=Answer(status=200, shows=("{uma_universal}", '"active":true'), hides=("{otto_universal}",)),
            write_token=Answer(status=200, shows=("{uma_universal}", '"active":true')),
            other=Answer(status=200, shows=("{otto_universal}", '"active":true'), hides=("{uma_universal}",)),
        ),
    ),
    Scenario(
        name="enable a universal token", route=_TOKEN, method="GET",
        path=f"{_TOKEN}?token={_NEW}&enable=1&permanent=1", is_change=True,
        expect=expect(
            UNAUTHENTICATED, readonly=_FORBIDDEN, read_token=_FORBIDDEN, limited_token=_FORBIDDEN, admin=_ENABLED,
            user=_ENABLED, write_token=_ENABLED, other=_ENABLED,
        ),
    ),
    Scenario(
        name="take somebody else's universal token", route=_TOKEN, method="GET",
        path=f"{_TOKEN}?token={{otto_universal}}&enable=1", is_change=True,
        expect=expect(
            UNAUTHENTICATED, readonly=_FORBIDDEN, read_token=_FORBIDDEN, limited_token=_FORBIDDEN,
            admin=Answer(status=400), user=Answer(status=400), write_token=Answer(status=400),
            other=Answer(status=200, shows=("{otto_universal}", '"permanent":false')),
        ),
    ),
    Scenario(
        name="every system as a file", route=_CONFIG, method="GET", path=_CONFIG,
        expect=expect(
            UNAUTHENTICATED, user=_FORBIDDEN, other=_FORBIDDEN, readonly=_FORBIDDEN, read_token=_FORBIDDEN,
            write_token=_FORBIDDEN, limited_token=_FORBIDDEN,
            admin=Answer(status=200, shows=("uma-web", "{uma_agent}", "otto-db", "otto@example.org")),
        ),
    ),
    Scenario(
        name="list teams", route=RECORDS, method="GET", path=_TEAMS,
        expect=expect(EMPTY, other=_TEAM, admin=_TEAM),
    ),
    Scenario(
        name="view a team", route=RECORD, method="GET", path=f"{_TEAMS}/{{team}}",
        expect=expect(
            ABSENT, **dict.fromkeys(("other", "admin"), Answer(status=200, shows=('"name":"web"',)))
        ),
    ),
    Scenario(
        name="make a team", route=RECORDS, method="POST", path=_TEAMS,
        body={"name": "db", "tags": ["db"], "users": ["{uma}"]}, expect=expect(NOT_CREATED, admin=_MADE_TEAM),
    ),
    Scenario(
        name="join a team", route=RECORD, method="PATCH", path=f"{_TEAMS}/{{team}}", body={"users": ["{uma}"]},
        expect=expect(ABSENT, admin=Answer(status=200, shows=('"users":["{uma}"]',))),
    ),
    Scenario(
        name="delete a team", route=RECORD, method="DELETE", path=f"{_TEAMS}/{{team}}",
        expect=expect(ABSENT, admin=_GONE),
    ),
)  # fmt: skip
