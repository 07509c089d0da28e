"""Systems, their details, and what one needs to add one."""

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

_SYSTEMS = "/api/collections/systems/records"
_DETAILS = "/api/collections/system_details/records"

_UMAS = Answer(status=200, shows=(*UMA_ONLY, '"totalItems":1'), hides=OTTO_ONLY)
_OTTOS = Answer(status=200, shows=(*OTTO_ONLY, '"totalItems":1'), hides=UMA_ONLY)
_BOTH = Answer(status=200, shows=(*UMA_ONLY, *OTTO_ONLY, '"totalItems":2'))
_UMA_WEB = Answer(status=200, shows=UMA_ONLY, hides=OTTO_ONLY)
_OTTO_DB = Answer(status=200, shows=OTTO_ONLY, hides=UMA_ONLY)
_CREATED = Answer(status=200, shows=('"name":"nas"', '"status":"pending"'), hides=(*UMA_ONLY, *OTTO_ONLY))
_RENAMED = Answer(status=200, shows=('"name":"renamed"', "{uma_web}", '"users":["{rea}","{uma}"]'), hides=OTTO_ONLY)
_PAUSED = Answer(status=200, shows=('"status":"paused"', "{uma_web}"), hides=OTTO_ONLY)
_INVALID = Answer(status=400, shows=('"interval":{"code":', '"status":400'))
_GONE = Answer(status=204)
_KEY = Answer(status=200, shows=('"key":"ssh-ed25519 ', '"v":"', '"cu":false'))
_DETAILS_OF_UMA = Answer(status=200, shows=("host-of-uma-web", "{uma_web}"), hides=(*OTTO_ONLY, "host-of-otto-db"))
_DETAILS_OF_OTTO = Answer(status=200, shows=("host-of-otto-db", "{otto_db}"), hides=(*UMA_ONLY, "host-of-uma-web"))
_ALL_DETAILS = Answer(status=200, shows=("host-of-uma-web", "host-of-otto-db"))

SCENARIOS = (
    Scenario(
        name="list systems", route=RECORDS, method="GET", path=_SYSTEMS,
        expect=expect(
            EMPTY, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS, other=_OTTOS,
            admin=_BOTH,
        ),
    ),
    Scenario(
        name="ask for somebody else's", route=RECORDS, method="GET",
        path=f"{_SYSTEMS}?filter=name='otto-db'||users.id?='{{otto}}'",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(
        name="expand members", route=RECORDS, method="GET", path=f"{_SYSTEMS}?expand=users&filter=name='uma-web'",
        expect=expect(
            EMPTY,
            user=Answer(status=200, shows=("uma@",), hides=("rea@", "otto@", "ada@")),
            read_token=Answer(status=200, shows=("uma@",), hides=("rea@", "otto@", "ada@")),
            write_token=Answer(status=200, shows=("uma@",), hides=("rea@", "otto@", "ada@")),
            readonly=Answer(status=200, shows=("rea@",), hides=("uma@", "otto@", "ada@")),
            admin=Answer(status=200, shows=("uma@", "rea@"), hides=("otto@",)),
            limited_token=Answer(status=200, shows=("uma-web",), hides=("uma@", "rea@", "otto@")),
        ),
    ),
    Scenario(
        name="view", route=RECORD, method="GET", path=f"{_SYSTEMS}/{{uma_web}}",
        expect=expect(
            ABSENT, user=_UMA_WEB, readonly=_UMA_WEB, read_token=_UMA_WEB, write_token=_UMA_WEB,
            limited_token=_UMA_WEB, admin=_UMA_WEB,
        ),
    ),
    Scenario(
        name="view somebody else's", route=RECORD, method="GET", path=f"{_SYSTEMS}/{{otto_db}}",
        expect=expect(ABSENT, other=_OTTO_DB, admin=_OTTO_DB),
    ),
    Scenario(
        name="create", route=RECORDS, method="POST", path=_SYSTEMS, body={"name": "nas", "port": "45876"},
        expect=expect(NOT_CREATED, user=_CREATED, other=_CREATED, admin=_CREATED, write_token=_CREATED),
    ),
    Scenario(
        name="create without a name", route=RECORDS, method="POST", path=_SYSTEMS, body={"host": "192.0.2.9"},
        expect=expect(NOT_CREATED),
    ),
    Scenario(
        name="rename", route=RECORD, method="PATCH", path=f"{_SYSTEMS}/{{uma_web}}", body={"name": "renamed"},
        expect=expect(ABSENT, user=_RENAMED, write_token=_RENAMED, limited_token=_RENAMED, admin=_RENAMED),
    ),
    Scenario(
        name="rename somebody else's", route=RECORD, method="PATCH", path=f"{_SYSTEMS}/{{otto_db}}",
        body={"name": "mine now", "users": ["{uma}"]},
        expect=expect(
            ABSENT,
            other=Answer(status=200, shows=('"name":"mine now"',)),
            admin=Answer(status=200, shows=('"name":"mine now"', '"users":["{uma}"]')),
        ),
    ),
    Scenario(
        name="pause", route=RECORD, method="PATCH", path=f"{_SYSTEMS}/{{uma_web}}", body={"status": "paused"},
        expect=expect(ABSENT, user=_PAUSED, write_token=_PAUSED, limited_token=_PAUSED, admin=_PAUSED),
    ),
    Scenario(
        name="say that it is up", route=RECORD, method="PATCH", path=f"{_SYSTEMS}/{{uma_web}}", body={"status": "up"},
        expect=expect(
            ABSENT,
            user=Answer(status=200, shows=('"status":"pending"',)),
            write_token=Answer(status=200, shows=('"status":"pending"',)),
            limited_token=Answer(status=200, shows=('"status":"pending"',)),
            admin=Answer(status=200, shows=('"status":"pending"',)),
        ),
    ),
    Scenario(
        name="an impossible interval", route=RECORD, method="PATCH", path=f"{_SYSTEMS}/{{uma_web}}",
        body={"interval": 0.2},
        expect=expect(ABSENT, user=_INVALID, write_token=_INVALID, limited_token=_INVALID, admin=_INVALID),
    ),
    Scenario(
        name="delete", route=RECORD, method="DELETE", path=f"{_SYSTEMS}/{{uma_web}}",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE, limited_token=_GONE, admin=_GONE),
    ),
    Scenario(
        name="delete somebody else's", route=RECORD, method="DELETE", path=f"{_SYSTEMS}/{{otto_db}}",
        expect=expect(ABSENT, other=_GONE, admin=_GONE),
    ),
    Scenario(
        name="list details", route=RECORDS, method="GET", path=_DETAILS,
        expect=expect(
            EMPTY, user=_DETAILS_OF_UMA, readonly=_DETAILS_OF_UMA, read_token=_DETAILS_OF_UMA,
            write_token=_DETAILS_OF_UMA, limited_token=_DETAILS_OF_UMA, other=_DETAILS_OF_OTTO, admin=_ALL_DETAILS,
        ),
    ),
    Scenario(
        name="view details", route=RECORD, method="GET", path=f"{_DETAILS}/{{uma_web}}",
        expect=expect(
            ABSENT, user=_DETAILS_OF_UMA, readonly=_DETAILS_OF_UMA, read_token=_DETAILS_OF_UMA,
            write_token=_DETAILS_OF_UMA, limited_token=_DETAILS_OF_UMA, admin=_DETAILS_OF_UMA,
        ),
    ),
    Scenario(
        name="create details", route=RECORDS, method="POST", path=_DETAILS, body={"hostname": "x"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="change details", route=RECORD, method="PATCH", path=f"{_DETAILS}/{{uma_web}}", body={"hostname": "x"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="delete details", route=RECORD, method="DELETE", path=f"{_DETAILS}/{{uma_web}}", expect=expect(CLOSED)
    ),
    *(
        Scenario(
            name="key of the hub", route=path, method="GET", path=path,
            expect=expect(
                UNAUTHENTICATED, user=_KEY, other=_KEY, readonly=_KEY, admin=_KEY, read_token=_KEY, write_token=_KEY,
                limited_token=_KEY,
            ),
        )
        for path in ("/api/beszel/info", "/api/beszel/getkey")
    ),
    Scenario(
        name="update of a hub that does not look", route="/api/beszel/update", method="GET", path="/api/beszel/update",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
        ),
    ),
)  # fmt: skip
