"""Several writes at once: each is decided as if it came by itself, and one that may not be undoes all."""

from tests.support.scenario import OTTO_ONLY, Answer, Scenario, expect

_BATCH = "/api/batch"
_SYSTEMS = "/api/collections/systems/records"
_CREATE = {"method": "POST", "url": f"{_SYSTEMS}?fields=name", "body": {"name": "nas", "host": "192.0.2.9"}}
_RENAME = {"method": "PATCH", "url": f"{_SYSTEMS}/{{uma_web}}", "body": {"name": "renamed"}}
_STEAL = {"method": "PATCH", "url": f"{_SYSTEMS}/{{otto_db}}", "body": {"users": ["{uma}"]}}
_REMOVE = {"method": "DELETE", "url": f"{_SYSTEMS}/{{uma_web}}"}


def _refused(index: int, status: int) -> Answer:
    return Answer(
        status=400, shows=("Batch transaction failed.", f'"requests":{{"{index}":', f'"status":{status}'),
        hides=("otto-db", "renamed"),
    )  # fmt: skip


_DONE = Answer(status=200, shows=('[{"status":200,"body":{"name":"nas"}}', '"name":"renamed"', '{"status":204'))
_NO_NEW_ONE = _refused(0, 400)
_NO_RECORD = _refused(1, 404)

SCENARIOS = (
    Scenario(
        name="create, rename, delete", route=_BATCH, method="POST", path=_BATCH,
        body={"requests": [_CREATE, _RENAME, _REMOVE]},
        expect=expect(_NO_NEW_ONE, user=_DONE, write_token=_DONE, admin=_DONE, other=_NO_RECORD),
    ),
    Scenario(
        name="one's own and somebody else's", route=_BATCH, method="POST", path=_BATCH,
        body={"requests": [_RENAME, _STEAL]},
        expect=expect(
            _refused(0, 404), user=_NO_RECORD, write_token=_NO_RECORD, limited_token=_NO_RECORD,
            admin=Answer(status=200, shows=("renamed", "otto-db")),
        ),
    ),
    Scenario(
        name="what is closed to everybody", route=_BATCH, method="POST", path=_BATCH,
        body={"requests": [{"method": "POST", "url": "/api/collections/metrics/records", "body": {}}]},
        expect=expect(_refused(0, 403)),
    ),
    Scenario(
        name="what is no batch", route=_BATCH, method="POST", path=_BATCH, body={"requests": []},
        expect=expect(Answer(status=400, shows=("Invalid batch request data.",), hides=OTTO_ONLY)),
    ),
)  # fmt: skip
