"""Backups are for administrators; what is in one makes logins, so only a login gets at it."""

from tests.support.databases import IS_POSTGRESQL
from tests.support.scenario import ABSENT, CLOSED, UNAUTHENTICATED, Answer, Scenario, expect
from tests.support.world import BACKUP_KEY

_STRANGERS = {"anonymous": UNAUTHENTICATED, "garbage": UNAUTHENTICATED, "expired": UNAUTHENTICATED}
_HIDDEN = Answer(status=403, shows=('"status":403',), hides=(BACKUP_KEY,))
_DONE = Answer(status=204)
_MADE = Answer(status=400, shows=("pg_dump",)) if IS_POSTGRESQL else _DONE
_LISTED = Answer(status=200, shows=(f'"key":"{BACKUP_KEY}"', '"modified":"2', '"size":', '"restoring":false'))
_FETCHED = Answer(status=200, shows=("PK",))
_STORE = Answer(status=200, shows=('"tiers":{"hot"', '"name":"uma-web"', '"file_bytes":'))
_TOKEN = Answer(status=200, shows=('{"token":"ey',))

SCENARIOS = (
    Scenario(
        name="list backups", route="/api/backups", method="GET", path="/api/backups",
        expect=expect(_HIDDEN, **_STRANGERS, admin=_LISTED, limited_token=CLOSED),
    ),
    Scenario(
        name="make a backup", route="/api/backups", method="POST", path="/api/backups", body={"name": "mine.zip"},
        expect=expect(CLOSED, **_STRANGERS, admin=_MADE, limited_token=CLOSED),
    ),
    Scenario(
        name="make a backup somewhere else", route="/api/backups", method="POST", path="/api/backups",
        body={"name": "../mine.zip"},
        expect=expect(CLOSED, **_STRANGERS, admin=Answer(status=400), limited_token=CLOSED),
    ),
    Scenario(
        name="fetch a backup", route="/api/backups/{key}", method="GET", path=f"/api/backups/{BACKUP_KEY}",
        expect=expect(CLOSED, **_STRANGERS, admin=_FETCHED),
    ),
    Scenario(
        name="fetch a backup by a token that is none", route="/api/backups/{key}", method="GET",
        path=f"/api/backups/{BACKUP_KEY}?token=eyJhbGciOiJub25lIn0.eyJpZCI6ImFkYWFkYWFkYWFkYWFkYSJ9.",
        expect=expect(UNAUTHENTICATED),
    ),
    Scenario(
        name="fetch another file", route="/api/backups/{key}", method="GET", path="/api/backups/%2e%2e%2fsecret.key",
        expect=expect(ABSENT),
    ),
    Scenario(
        name="fetch the lock", route="/api/backups/{key}", method="GET", path="/api/backups/.lock",
        expect=expect(CLOSED, **_STRANGERS, admin=ABSENT),
    ),
    Scenario(
        name="delete a backup", route="/api/backups/{key}", method="DELETE", path=f"/api/backups/{BACKUP_KEY}",
        expect=expect(CLOSED, **_STRANGERS, admin=_DONE),
    ),
    Scenario(
        name="delete a backup that is not there", route="/api/backups/{key}", method="DELETE",
        path="/api/backups/none.zip", expect=expect(CLOSED, **_STRANGERS, admin=ABSENT),
    ),
    Scenario(
        name="put a backup back", route="/api/backups/{key}/restore", method="POST",
        path=f"/api/backups/{BACKUP_KEY}/restore", expect=expect(CLOSED, **_STRANGERS, admin=_MADE),
    ),
    Scenario(
        name="get a token for files", route="/api/files/token", method="POST", path="/api/files/token",
        expect=expect(_TOKEN, **_STRANGERS, read_token=CLOSED, write_token=CLOSED, limited_token=CLOSED),
    ),
    Scenario(
        name="see what the database takes", route="/api/beszel/store", method="GET", path="/api/beszel/store",
        expect=expect(
            Answer(status=403, hides=("uma-web", "otto-db")), **_STRANGERS, admin=_STORE, limited_token=CLOSED
        ),
    ),
)  # fmt: skip
