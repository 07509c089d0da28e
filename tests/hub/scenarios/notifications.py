"""Channels and what they were told: everybody's own, of all for administrators; a target goes in and never out."""

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

_CHANNELS = "/api/collections/notification_channels/records"
_DELIVERIES = "/api/collections/notification_deliveries/records"
_UMAS = Answer(status=200, shows=("{uma_channel}", "hint-of-uma-channel"), hides=("otto-channel", '"url"'))
_OTTOS = Answer(status=200, shows=("{otto_channel}", "hint-of-otto-channel"), hides=("uma-channel", '"url"'))
_ALL = Answer(status=200, shows=("hint-of-uma-channel", "hint-of-otto-channel"), hides=('"url"',))
_UMAS_DELIVERY = Answer(status=200, shows=("reason-of-uma-channel",), hides=("otto-channel",))
_OTTOS_DELIVERY = Answer(status=200, shows=("reason-of-otto-channel",), hides=("uma-channel",))
_MADE = Answer(
    status=200,
    shows=('"hint":"new@example.org"', '"severity":"warning"', '"enabled":true', '"per_hour":60'),
    hides=('"url"',),
)
_LIMITED = Answer(status=400, shows=('"user":{"code":"validation_not_allowed"',))
_CHANGED = Answer(status=200, shows=('"name":"renamed"', '"hint":"https://moved.example.org/…"'), hides=("new-secret",))
_WRONG = Answer(status=400, shows=('"template":{"code":"validation_invalid_value"',))
_WRONG_SUBJECT = Answer(status=400, shows=('"subject_template":{"code":"validation_invalid_value"',))
_SUBJECT = Answer(status=200, shows=('"subject_template":"${system}"',))
_AGAIN = Answer(status=200, shows=('"status":"waiting"',))
_GONE = Answer(status=204)
_NEW = {"name": "new", "kind": "email", "url": "New <new@example.org>", "severity": "warning"}
_FORBIDDEN = Answer(status=403, shows=('"status":403',))
_NO_URL = Answer(status=400, shows=("Write a URL of Apprise",))
_NO_BEAT = Answer(status=200, shows=("HEARTBEAT_URL",))

_PATHS = {"uma": f"{_CHANNELS}/{{uma_channel}}", "otto": f"{_CHANNELS}/{{otto_channel}}"}

SCENARIOS = (
    Scenario(
        name="list channels", route=RECORDS, method="GET", path=_CHANNELS,
        expect=expect(EMPTY, user=_UMAS, read_token=_UMAS, write_token=_UMAS, other=_OTTOS, admin=_ALL),
    ),
    Scenario(
        name="filter channels by their targets", route=RECORDS, method="GET", path=f"{_CHANNELS}?filter=url~'https'",
        expect=expect(Answer(status=400)),
    ),
    Scenario(
        name="view a channel", route=RECORD, method="GET", path=_PATHS["uma"],
        expect=expect(ABSENT, user=_UMAS, read_token=_UMAS, write_token=_UMAS, admin=_UMAS),
    ),
    Scenario(
        name="make a channel", route=RECORDS, method="POST", path=_CHANNELS, body=_NEW,
        expect=expect(
            NOT_CREATED, user=_MADE, write_token=_MADE, other=_MADE, readonly=_MADE, admin=_MADE,
            limited_token=_LIMITED,
        ),
    ),
    Scenario(
        name="make a channel of somebody else", route=RECORDS, method="POST", path=_CHANNELS,
        body=_NEW | {"user": "{otto}"}, expect=expect(NOT_CREATED, other=_MADE),
    ),
    Scenario(
        name="make a channel for somebody else's system", route=RECORDS, method="POST", path=_CHANNELS,
        body=_NEW | {"systems": ["{otto_db}"]}, expect=expect(NOT_CREATED, other=_MADE, admin=_MADE),
    ),
    Scenario(
        name="change a channel", route=RECORD, method="PATCH", path=_PATHS["uma"],
        body={"name": "renamed", "url": "https://moved.example.org/new-secret", "user": "{otto}"},
        expect=expect(ABSENT, user=_CHANGED, write_token=_CHANGED, admin=_CHANGED),
    ),
    Scenario(
        name="give a webhook a body that is no JSON", route=RECORD, method="PATCH", path=_PATHS["otto"],
        body={"template": "${text}"}, expect=expect(ABSENT, other=_WRONG, admin=_WRONG),
    ),
    Scenario(
        name="give a channel a subject of two lines", route=RECORD, method="PATCH", path=_PATHS["otto"],
        body={"subject_template": "${system}\r\nBcc: all@example.org"},
        expect=expect(ABSENT, other=_WRONG_SUBJECT, admin=_WRONG_SUBJECT),
    ),
    Scenario(
        name="give a channel a subject", route=RECORD, method="PATCH", path=_PATHS["otto"],
        body={"subject_template": "${system}"}, expect=expect(ABSENT, other=_SUBJECT, admin=_SUBJECT),
    ),
    Scenario(
        name="delete a channel", route=RECORD, method="DELETE", path=_PATHS["otto"],
        expect=expect(ABSENT, other=_GONE, admin=_GONE),
    ),
    Scenario(
        name="list deliveries", route=RECORDS, method="GET", path=_DELIVERIES,
        expect=expect(
            EMPTY, user=_UMAS_DELIVERY, read_token=_UMAS_DELIVERY, write_token=_UMAS_DELIVERY, other=_OTTOS_DELIVERY,
            admin=Answer(status=200, shows=("reason-of-uma-channel", "reason-of-otto-channel")),
        ),
    ),
    Scenario(
        name="view a delivery", route=RECORD, method="GET", path=f"{_DELIVERIES}/{{otto_delivery}}",
        expect=expect(ABSENT, other=_OTTOS_DELIVERY, admin=_OTTOS_DELIVERY),
    ),
    Scenario(
        name="invent a delivery", route=RECORDS, method="POST", path=_DELIVERIES, body={"status": "waiting"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="try a delivery again", route=RECORD, method="PATCH", path=f"{_DELIVERIES}/{{uma_delivery}}",
        body={"status": "waiting"}, expect=expect(ABSENT, user=_AGAIN, write_token=_AGAIN, admin=_AGAIN),
    ),
    Scenario(
        name="delete a delivery", route=RECORD, method="DELETE", path=f"{_DELIVERIES}/{{uma_delivery}}",
        expect=expect(CLOSED),
    ),
    Scenario(
        name="test what is no channel", route="/api/beszel/test-notification", method="POST",
        path="/api/beszel/test-notification", body={"url": "nonsense"},
        expect=expect(
            _NO_URL, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            read_token=_FORBIDDEN, limited_token=_FORBIDDEN,
        ),
    ),
    Scenario(
        name="test somebody else's channel", route="/api/beszel/test-notification", method="POST",
        path="/api/beszel/test-notification", body={"channel": "doesnotexist001"},
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            read_token=_FORBIDDEN, limited_token=_FORBIDDEN,
        ),
    ),
    Scenario(
        name="ask for the heartbeat", route="/api/beszel/heartbeat-status", method="GET",
        path="/api/beszel/heartbeat-status",
        expect=expect(
            _FORBIDDEN, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            admin=_NO_BEAT, limited_token=_NO_BEAT,
        ),
    ),
    Scenario(
        name="try the heartbeat", route="/api/beszel/test-heartbeat", method="POST", path="/api/beszel/test-heartbeat",
        expect=expect(
            _FORBIDDEN, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            admin=_NO_BEAT, limited_token=_NO_BEAT,
        ),
    ),
    Scenario(
        name="ask for the hub's jobs", route="/api/beszel/jobs", method="GET", path="/api/beszel/jobs",
        expect=expect(
            _FORBIDDEN, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            admin=Answer(status=200, shows=('"name":"status"', '"last_error":""')),
            limited_token=Answer(status=200, shows=('"name":"status"',)),
        ),
    ),
)  # fmt: skip
