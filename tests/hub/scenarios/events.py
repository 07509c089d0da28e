"""What happened on the hosts: a container of each system has died."""

from tests.support.scenario import CLOSED, EMPTY, RECORD, RECORDS, Answer, Scenario, expect

_EVENTS = "/api/collections/events/records"
_UMAS = Answer(
    status=200,
    shows=('"kind":"container_died"', "container-of-uma-web", '"totalItems":1'),
    hides=("otto-db", "{otto_db}"),
)
_OTTOS = Answer(status=200, shows=("container-of-otto-db", '"totalItems":1'), hides=("uma-web", "{uma_web}"))
_BOTH = Answer(status=200, shows=("container-of-uma-web", "container-of-otto-db", '"totalItems":2'))

SCENARIOS = (
    Scenario(
        name="list", route=RECORDS, method="GET", path=_EVENTS,
        expect=expect(
            EMPTY, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS, other=_OTTOS,
            admin=_BOTH,
        ),
    ),
    Scenario(
        name="list somebody else's", route=RECORDS, method="GET",
        path=f"{_EVENTS}?filter=system='{{otto_db}}'||attributes.exit_code=137%26%26subject~'otto'",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(name="view", route=RECORD, method="GET", path=f"{_EVENTS}/000000000000000", expect=expect(CLOSED)),
    Scenario(name="create", route=RECORDS, method="POST", path=_EVENTS, body={"kind": "x"}, expect=expect(CLOSED)),
    Scenario(
        name="change", route=RECORD, method="PATCH", path=f"{_EVENTS}/000000000000000", body={"kind": "x"},
        expect=expect(CLOSED),
    ),
    Scenario(name="delete", route=RECORD, method="DELETE", path=f"{_EVENTS}/000000000000000", expect=expect(CLOSED)),
)  # fmt: skip
