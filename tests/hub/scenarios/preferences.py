"""Users' settings: everybody's own and nobody else's, administrators included."""

from tests.support.scenario import ABSENT, CLOSED, EMPTY, NOT_CREATED, RECORD, RECORDS, Answer, Scenario, expect

_SETTINGS = "/api/collections/user_settings/records"
_UMAS = Answer(status=200, shows=("settings of uma", "{settings}"))
_TAKEN = Answer(status=400, shows=('"user":{"code":"validation_not_unique"',), hides=("settings of uma",))
_MADE = Answer(status=200, shows=('"settings":{"chartTime":"1h"}',), hides=("settings of uma",))
_CHANGED = Answer(status=200, shows=('"settings":{"chartTime":"12h"}',))

SCENARIOS = (
    Scenario(
        name="list settings", route=RECORDS, method="GET", path=_SETTINGS,
        expect=expect(EMPTY, user=_UMAS, read_token=_UMAS, write_token=_UMAS),
    ),
    Scenario(
        name="view settings", route=RECORD, method="GET", path=f"{_SETTINGS}/{{settings}}", expect=expect(CLOSED)
    ),
    Scenario(
        name="create settings", route=RECORDS, method="POST", path=_SETTINGS, body={"settings": {"chartTime": "1h"}},
        expect=expect(
            NOT_CREATED, user=_TAKEN, write_token=_TAKEN, other=_MADE, readonly=_MADE, admin=_MADE,
        ),
    ),
    Scenario(
        name="create somebody else's settings", route=RECORDS, method="POST", path=_SETTINGS,
        body={"user": "{otto}", "settings": {}},
        expect=expect(NOT_CREATED, other=Answer(status=200, shows=('"user":"{otto}"',))),
    ),
    Scenario(
        name="change settings", route=RECORD, method="PATCH", path=f"{_SETTINGS}/{{settings}}",
        body={"user": "{otto}", "settings": {"chartTime": "12h"}},
        expect=expect(ABSENT, user=_CHANGED, write_token=_CHANGED),
    ),
    Scenario(
        name="delete settings", route=RECORD, method="DELETE", path=f"{_SETTINGS}/{{settings}}", expect=expect(CLOSED)
    ),
)  # fmt: skip
