"""Checks that agents make: members define those of their systems, and only administrators aim at private addresses."""

from tests.support.scenario import (
    ABSENT,
    EMPTY,
    NOT_CREATED,
    RECORD,
    RECORDS,
    Answer,
    Scenario,
    expect,
)

_CHECKS = "/api/collections/checks/records"
_UMAS = Answer(status=200, shows=("uma-check", '"totalItems":2'), hides=("otto-check", "{otto_db}"))
_OTTOS = Answer(status=200, shows=("otto-check", '"totalItems":1'), hides=("uma-check", "{uma_web}"))
_ALL = Answer(status=200, shows=("uma-check", "otto-check", '"totalItems":3'))
_UMAS_CHECK = Answer(
    status=200,
    shows=('"name":"uma-check"', "{uma_web}", '"allow_private":false', '"interval":60', '"enabled":true'),
    hides=("otto-check", "{otto_db}"),
)
_MADE = Answer(
    status=200,
    shows=('"name":"new"', '"method":"GET"', '"follow_redirects":true', '"verify_certificate":true', '"timeout":10'),
)
_MADE_PRIVATE = Answer(status=200, shows=('"name":"new"', '"allow_private":true'))
_ONLY_ADMINS = Answer(status=400, shows=("Failed to create record", '"allow_private":{"code":"validation_not_allowed"'))
_CHANGED = Answer(status=200, shows=('"name":"renamed"', '"interval":5'))
_FROZEN = Answer(status=400, shows=('"validation_not_allowed"', "Failed to update record"), hides=("192.168.7.7",))
_AIMED = Answer(status=200, shows=("192.168.7.7",))
_OPENED = Answer(status=200, shows=('"allow_private":true',))
_CLOSED_AGAIN = Answer(status=200, shows=('"allow_private":false',))
_NOT_OPENED = Answer(status=400, shows=('"allow_private":{"code":"validation_not_allowed"',))
_GONE = Answer(status=204)

_NEW = {"system": "{uma_web}", "name": "new", "kind": "http", "target": "https://example.org/"}
_TAKEN = Answer(status=400, shows=('"name":{"code":"validation_not_unique"',))
_BAD = Answer(status=400, shows=('"target":{"code":', '"expected_status":{"code":'))


def _writers(answer: Answer) -> dict[str, Answer]:
    """Those who may write what belongs to uma-web."""
    return {"user": answer, "write_token": answer, "limited_token": answer, "admin": answer}


SCENARIOS = (
    Scenario(
        name="list checks", route=RECORDS, method="GET", path=_CHECKS,
        expect=expect(
            EMPTY, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS, other=_OTTOS,
            admin=_ALL,
        ),
    ),
    Scenario(
        name="ask for somebody else's checks", route=RECORDS, method="GET",
        path=f"{_CHECKS}?filter=system.name='otto-db'||name='otto-check'",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(
        name="view a check", route=RECORD, method="GET", path=f"{_CHECKS}/{{uma_check}}",
        expect=expect(
            ABSENT, user=_UMAS_CHECK, readonly=_UMAS_CHECK, read_token=_UMAS_CHECK, write_token=_UMAS_CHECK,
            limited_token=_UMAS_CHECK, admin=_UMAS_CHECK,
        ),
    ),
    Scenario(
        name="create a check", route=RECORDS, method="POST", path=_CHECKS, body=_NEW,
        expect=expect(NOT_CREATED, **_writers(_MADE)),
    ),
    Scenario(
        name="create a check of somebody else's system", route=RECORDS, method="POST", path=_CHECKS,
        body={**_NEW, "system": "{otto_db}"},
        expect=expect(NOT_CREATED, other=_MADE, admin=_MADE),
    ),
    Scenario(
        name="create a check of private addresses", route=RECORDS, method="POST", path=_CHECKS,
        body={**_NEW, "allow_private": True},
        expect=expect(
            NOT_CREATED, user=_ONLY_ADMINS, write_token=_ONLY_ADMINS, limited_token=_MADE_PRIVATE, admin=_MADE_PRIVATE
        ),
    ),
    Scenario(
        name="create a check of a name that is taken", route=RECORDS, method="POST", path=_CHECKS,
        body={**_NEW, "name": "uma-check"},
        expect=expect(NOT_CREATED, **_writers(_TAKEN)),
    ),
    Scenario(
        name="create a check that no agent would make", route=RECORDS, method="POST", path=_CHECKS,
        body={**_NEW, "target": "file:///etc/shadow", "expected_status": "all"},
        expect=expect(NOT_CREATED, **_writers(_BAD)),
    ),
    Scenario(
        name="change a check", route=RECORD, method="PATCH", path=f"{_CHECKS}/{{uma_check}}",
        body={"name": "renamed", "interval": 5, "target": "https://other.example/"},
        expect=expect(ABSENT, **_writers(_CHANGED)),
    ),
    Scenario(
        name="change somebody else's check", route=RECORD, method="PATCH", path=f"{_CHECKS}/{{otto_check}}",
        body={"name": "renamed", "interval": 5},
        expect=expect(ABSENT, other=_CHANGED, admin=_CHANGED),
    ),
    Scenario(
        name="let a check go to private addresses", route=RECORD, method="PATCH", path=f"{_CHECKS}/{{uma_check}}",
        body={"allow_private": True},
        expect=expect(ABSENT, user=_NOT_OPENED, write_token=_NOT_OPENED, limited_token=_OPENED, admin=_OPENED),
    ),
    Scenario(
        name="aim a check of private addresses elsewhere", route=RECORD, method="PATCH",
        path=f"{_CHECKS}/{{private_check}}", body={"target": "192.168.7.7:22"},
        expect=expect(ABSENT, user=_FROZEN, write_token=_FROZEN, limited_token=_AIMED, admin=_AIMED),
    ),
    Scenario(
        name="turn a check of private addresses into another", route=RECORD, method="PATCH",
        path=f"{_CHECKS}/{{private_check}}", body={"kind": "http", "target": "http://192.168.7.7/", "keyword": "a"},
        expect=expect(ABSENT, user=_FROZEN, write_token=_FROZEN, limited_token=_AIMED, admin=_AIMED),
    ),
    Scenario(
        name="rename and pace a check of private addresses", route=RECORD, method="PATCH",
        path=f"{_CHECKS}/{{private_check}}",
        body={"name": "renamed", "interval": 5, "timeout": 3, "enabled": False, "target": "10.0.0.1:22"},
        expect=expect(ABSENT, **_writers(_CHANGED)),
    ),
    Scenario(
        name="keep a check from private addresses", route=RECORD, method="PATCH",
        path=f"{_CHECKS}/{{private_check}}", body={"allow_private": False, "target": "db.example.org:22"},
        expect=expect(ABSENT, **_writers(_CLOSED_AGAIN)),
    ),
    Scenario(
        name="delete a check", route=RECORD, method="DELETE", path=f"{_CHECKS}/{{uma_check}}",
        expect=expect(ABSENT, **_writers(_GONE)),
    ),
    Scenario(
        name="delete somebody else's check", route=RECORD, method="DELETE", path=f"{_CHECKS}/{{otto_check}}",
        expect=expect(ABSENT, other=_GONE, admin=_GONE),
    ),
)  # fmt: skip
