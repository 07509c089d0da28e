"""Who changed what: for administrators to read, for nobody to write."""

from tests.support.scenario import ABSENT, CLOSED, EMPTY, RECORD, RECORDS, Answer, Scenario, expect

_AUDIT = "/api/collections/audit_log/records"
_ENTRY = "{audit_entry}"

SCENARIOS = (
    Scenario(
        name="list the audit log", route=RECORDS, method="GET", path=_AUDIT,
        expect=expect(EMPTY, admin=Answer(status=200, shows=(_ENTRY, "uma@example.org", '"systems.update"'))),
    ),
    Scenario(
        name="view an entry", route=RECORD, method="GET", path=f"{_AUDIT}/{_ENTRY}",
        expect=expect(ABSENT, admin=Answer(status=200, shows=(_ENTRY,))),
    ),
    Scenario(
        name="invent an entry", route=RECORDS, method="POST", path=_AUDIT, body={"action": "x"}, expect=expect(CLOSED)
    ),
    Scenario(
        name="change an entry", route=RECORD, method="PATCH", path=f"{_AUDIT}/{_ENTRY}", body={"action": "x"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="delete an entry", route=RECORD, method="DELETE", path=f"{_AUDIT}/{_ENTRY}", expect=expect(CLOSED)
    ),
)  # fmt: skip
