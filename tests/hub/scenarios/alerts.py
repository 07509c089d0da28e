"""Rules, Beszel's alerts, the history, quiet hours: what each caller sees and may change.

uma has a CPU alert on uma-web and otto one on otto-db, each with one record in the history and quiet hours.
"""

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

_RULES = "/api/collections/alert_rules/records"
_ALERTS = "/api/collections/alerts/records"
_HISTORY = "/api/collections/alerts_history/records"
_QUIET = "/api/collections/quiet_hours/records"
_USER_ALERTS = "/api/beszel/user-alerts"
_ACKNOWLEDGE = "/api/beszel/alerts/acknowledge"
_TARGETS = "/api/beszel/alerts/targets"
_YAML = "/api/beszel/alerts-yaml"

_TEMPLATES = "/api/beszel/alerts/templates"
_TRIAL = "/api/beszel/alerts/test"

_OF_UMA = ("alertofuma00001", "{uma_web}")
_OF_OTTO = ("alertofotto0001", "{otto_db}")
_UMAS = Answer(status=200, shows=(*_OF_UMA, '"totalItems":1'), hides=_OF_OTTO)
_OTTOS = Answer(status=200, shows=(*_OF_OTTO, '"totalItems":1'), hides=_OF_UMA)
_BOTH = Answer(status=200, shows=(*_OF_UMA, *_OF_OTTO, '"totalItems":2'))
_UMAS_ONE = Answer(status=200, shows=_OF_UMA, hides=_OF_OTTO)
_UMAS_QUIET = Answer(
    status=200, shows=("quietofuma00001", "nights of uma-web", '"totalItems":1'), hides=("otto-db", "quietofotto0001")
)
_OTTOS_QUIET = Answer(
    status=200, shows=("quietofotto0001", "nights of otto-db", '"totalItems":1'), hides=("uma-web", "quietofuma00001")
)
_ONE_QUIET = Answer(status=200, shows=("quietofuma00001", "Europe/Berlin"))
_UMAS_HISTORY = Answer(
    status=200, shows=("firedforuma0001", "cpu of uma-web", '"peak":97.5', '"totalItems":1'), hides=("otto-db",)
)
_OTTOS_HISTORY = Answer(status=200, shows=("firedforotto001", "cpu of otto-db", '"totalItems":1'), hides=("uma-web",))
_ONE_HISTORY = Answer(status=200, shows=("firedforuma0001", '"alert_id":"alertofuma00001"'))
_GONE = Answer(status=204)
_MADE = Answer(status=200, shows=('"name":"too busy"', '"severity":"critical"'), hides=_OF_OTTO)
_MADE_ALERT = Answer(status=200, shows=('"name":"Memory"', '"value":70', '"min":5', '"triggered":false'))
_CHANGED_RULE = Answer(status=200, shows=("alertofuma00001", '"severity":"critical"'))
_CHANGED_ALERT = Answer(status=200, shows=("alertofuma00001", '"value":91', '"min":10'))
_MADE_QUIET = Answer(status=200, shows=('"type":"weekly"', '"days":["mon","fri"]', '"timezone":"America/New_York"'))
_CHANGED_QUIET = Answer(status=200, shows=("quietofuma00001", '"note":"later"'))
_COUNTED = Answer(status=200, shows=('"success":true', '"count":1'))
_NONE_COUNTED = Answer(status=200, shows=('"success":true', '"count":0'))
_TWO_MADE = Answer(status=200, shows=('"count":2',))
_NO_SYSTEM = Answer(status=400, shows=("There is no such record.",), hides=("uma-web",))
_TRIED = Answer(status=200, shows=('"fired":0', '"resolutions":['))
_NEW_RULE = {
    "name": "too busy", "system": "{uma_web}", "severity": "critical",
    "conditions": [{"target": "cpu.usage_percent", "value": 90}],
}  # fmt: skip
_NEW_ALERT = {"user": "", "system": "{uma_web}", "name": "Memory", "value": 70, "min": 5}
_NEW_QUIET = {
    "system": "{uma_web}", "type": "weekly", "days": ["fri", "mon"], "timezone": "America/New_York",
    "start": "2026-01-01 22:00:00.000Z", "end": "2026-01-02 06:00:00.000Z",
}  # fmt: skip
_MANY = {"name": "Disk", "value": 90, "min": 10, "systems": ["{uma_web}"], "overwrite": False}

SCENARIOS = (
    Scenario(
        name="list rules", route=RECORDS, method="GET", path=_RULES,
        expect=expect(
            EMPTY, user=_UMAS, read_token=_UMAS, write_token=_UMAS, other=_OTTOS, admin=_BOTH, limited_token=_UMAS
        ),
    ),
    Scenario(
        name="view a rule", route=RECORD, method="GET", path=f"{_RULES}/alertofuma00001",
        expect=expect(
            ABSENT, user=_UMAS_ONE, read_token=_UMAS_ONE, write_token=_UMAS_ONE, admin=_UMAS_ONE,
            limited_token=_UMAS_ONE,
        ),
    ),
    Scenario(
        name="make a rule", route=RECORDS, method="POST", path=_RULES, body=_NEW_RULE,
        expect=expect(
            NOT_CREATED, user=_MADE, readonly=_MADE, write_token=_MADE, admin=_MADE, limited_token=_MADE
        ),
    ),
    Scenario(
        name="make a rule for all that one sees", route=RECORDS, method="POST", path=_RULES,
        body={**_NEW_RULE, "system": ""},
        expect=expect(NOT_CREATED, user=_MADE, other=_MADE, readonly=_MADE, write_token=_MADE, admin=_MADE),
    ),
    Scenario(
        name="make a rule for somebody else", route=RECORDS, method="POST", path=_RULES,
        body={**_NEW_RULE, "user": "{otto}"},
        expect=expect(NOT_CREATED),
    ),
    Scenario(
        name="change a rule", route=RECORD, method="PATCH", path=f"{_RULES}/alertofuma00001",
        body={"severity": "critical"},
        expect=expect(
            ABSENT, user=_CHANGED_RULE, write_token=_CHANGED_RULE, admin=_CHANGED_RULE, limited_token=_CHANGED_RULE
        ),
    ),
    Scenario(
        name="delete a rule", route=RECORD, method="DELETE", path=f"{_RULES}/alertofuma00001",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE, admin=_GONE, limited_token=_GONE),
    ),
    Scenario(
        name="list Beszel's alerts", route=RECORDS, method="GET", path=_ALERTS,
        expect=expect(EMPTY, user=_UMAS, read_token=_UMAS, write_token=_UMAS, other=_OTTOS),
    ),
    Scenario(
        name="view Beszel's alert", route=RECORD, method="GET", path=f"{_ALERTS}/alertofuma00001",
        expect=expect(ABSENT, user=_UMAS_ONE, read_token=_UMAS_ONE, write_token=_UMAS_ONE),
    ),
    Scenario(
        name="make Beszel's alert", route=RECORDS, method="POST", path=_ALERTS, body=_NEW_ALERT,
        expect=expect(
            NOT_CREATED, user=_MADE_ALERT, readonly=_MADE_ALERT, write_token=_MADE_ALERT, admin=_MADE_ALERT,
            limited_token=_MADE_ALERT,
        ),
    ),
    Scenario(
        name="make Beszel's alert on somebody else's system", route=RECORDS, method="POST", path=_ALERTS,
        body={**_NEW_ALERT, "system": "{otto_db}"},
        expect=expect(NOT_CREATED, other=_MADE_ALERT, admin=_MADE_ALERT),
    ),
    Scenario(
        name="change Beszel's alert", route=RECORD, method="PATCH", path=f"{_ALERTS}/alertofuma00001",
        body={"value": 91},
        expect=expect(ABSENT, user=_CHANGED_ALERT, write_token=_CHANGED_ALERT),
    ),
    Scenario(
        name="delete Beszel's alert", route=RECORD, method="DELETE", path=f"{_ALERTS}/alertofuma00001",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE),
    ),
    Scenario(
        name="list history", route=RECORDS, method="GET", path=_HISTORY,
        expect=expect(
            EMPTY, user=_UMAS_HISTORY, read_token=_UMAS_HISTORY, write_token=_UMAS_HISTORY, other=_OTTOS_HISTORY
        ),
    ),
    Scenario(
        name="view history", route=RECORD, method="GET", path=f"{_HISTORY}/firedforuma0001",
        expect=expect(ABSENT, user=_ONE_HISTORY, read_token=_ONE_HISTORY, write_token=_ONE_HISTORY),
    ),
    Scenario(
        name="make history", route=RECORDS, method="POST", path=_HISTORY, body={"name": "CPU"}, expect=expect(CLOSED)
    ),
    Scenario(
        name="change history", route=RECORD, method="PATCH", path=f"{_HISTORY}/firedforuma0001", body={"name": "CPU"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="delete history", route=RECORD, method="DELETE", path=f"{_HISTORY}/firedforuma0001",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE),
    ),
    Scenario(
        name="list quiet hours", route=RECORDS, method="GET", path=_QUIET,
        expect=expect(EMPTY, user=_UMAS_QUIET, read_token=_UMAS_QUIET, write_token=_UMAS_QUIET, other=_OTTOS_QUIET),
    ),
    Scenario(
        name="view quiet hours", route=RECORD, method="GET", path=f"{_QUIET}/quietofuma00001",
        expect=expect(ABSENT, user=_ONE_QUIET, read_token=_ONE_QUIET, write_token=_ONE_QUIET),
    ),
    Scenario(
        name="make quiet hours", route=RECORDS, method="POST", path=_QUIET, body=_NEW_QUIET,
        expect=expect(
            NOT_CREATED, user=_MADE_QUIET, readonly=_MADE_QUIET, write_token=_MADE_QUIET, admin=_MADE_QUIET,
            limited_token=_MADE_QUIET,
        ),
    ),
    Scenario(
        name="make quiet hours of somebody else's rule", route=RECORDS, method="POST", path=_QUIET,
        body={**_NEW_QUIET, "system": "", "rule": "alertofuma00001"},
        expect=expect(
            NOT_CREATED, user=_MADE_QUIET, write_token=_MADE_QUIET, admin=_MADE_QUIET, limited_token=_MADE_QUIET
        ),
    ),
    Scenario(
        name="make quiet hours for everything", route=RECORDS, method="POST", path=_QUIET,
        body={**_NEW_QUIET, "system": ""},
        expect=expect(
            NOT_CREATED, user=_MADE_QUIET, other=_MADE_QUIET, readonly=_MADE_QUIET, write_token=_MADE_QUIET,
            admin=_MADE_QUIET,
        ),
    ),
    Scenario(
        name="change quiet hours", route=RECORD, method="PATCH", path=f"{_QUIET}/quietofuma00001",
        body={"note": "later"},
        expect=expect(ABSENT, user=_CHANGED_QUIET, write_token=_CHANGED_QUIET),
    ),
    Scenario(
        name="delete quiet hours", route=RECORD, method="DELETE", path=f"{_QUIET}/quietofuma00001",
        expect=expect(ABSENT, user=_GONE, write_token=_GONE),
    ),
    Scenario(
        name="put user alerts", route=_USER_ALERTS, method="POST", path=_USER_ALERTS, body=_MANY,
        expect=expect(
            UNAUTHENTICATED, user=_COUNTED, readonly=_COUNTED, write_token=_COUNTED, admin=_COUNTED,
            limited_token=_COUNTED, other=ABSENT, read_token=CLOSED,
        ),
    ),
    Scenario(
        name="delete user alerts", route=_USER_ALERTS, method="DELETE", path=_USER_ALERTS,
        body={"name": "CPU", "systems": ["{uma_web}"]},
        expect=expect(
            UNAUTHENTICATED, user=_COUNTED, write_token=_COUNTED, readonly=_NONE_COUNTED, admin=_NONE_COUNTED,
            limited_token=_NONE_COUNTED, other=ABSENT, read_token=CLOSED,
        ),
    ),
    Scenario(
        name="acknowledge what is over", route=_ACKNOWLEDGE, method="POST", path=_ACKNOWLEDGE,
        body={"id": "firedforuma0001"},
        expect=expect(ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
                      read_token=CLOSED),
    ),
    Scenario(
        name="sets of rules", route=_TEMPLATES, method="GET", path=_TEMPLATES,
        expect=expect(
            Answer(status=200, shows=('"name":"host"', '"Disk nearly full"')),
            anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
        ),
    ),
    Scenario(
        name="apply a set of rules", route=_TEMPLATES, method="POST", path=_TEMPLATES,
        body={"template": "checks", "system": "{uma_web}"},
        expect=expect(
            _TWO_MADE, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            other=_NO_SYSTEM, read_token=CLOSED,
        ),
    ),
    Scenario(
        name="try a rule", route=_TRIAL, method="POST", path=_TRIAL,
        body={"system": "{uma_web}", "rule": "alertofuma00001"},
        expect=expect(ABSENT, user=_TRIED, write_token=_TRIED, read_token=_TRIED, admin=_TRIED,
                      limited_token=_TRIED, anonymous=UNAUTHENTICATED,
                      garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED),
    ),
    Scenario(
        name="try what may be a rule", route=_TRIAL, method="POST", path=_TRIAL,
        body={"system": "{uma_web}", "draft": {"conditions": [{"target": "cpu.usage_percent", "value": 90}]}},
        expect=expect(_TRIED, other=ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED,
                      expired=UNAUTHENTICATED),
    ),
    Scenario(
        name="rules for everybody as a file", route=_YAML, method="GET", path=_YAML,
        expect=expect(
            Answer(status=403, hides=("alertofuma00001", "rules:")),
            anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            admin=Answer(status=200, shows=("rules: []",), hides=("alertofuma00001", "alertofotto0001")),
        ),
    ),
    Scenario(
        name="what can be watched", route=_TARGETS, method="GET", path=_TARGETS,
        expect=expect(
            Answer(status=200, shows=('"target":"disk[*].usage_percent"', '"label":"Disk"', '"unit":"percent"')),
            anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
        ),
    ),
)  # fmt: skip
