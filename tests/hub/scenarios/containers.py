"""Containers: both systems have one of the same id; no agent is connected, so that nobody learns more than that."""

from tests.support.scenario import (
    ABSENT,
    CLOSED,
    EMPTY,
    RECORD,
    RECORDS,
    UNAUTHENTICATED,
    Answer,
    Scenario,
    expect,
)
from tests.support.world import CONTAINER_ID

_LIST = "/api/collections/containers/records"
_STATS = "/api/collections/container_stats/records"
_LOGS = "/api/beszel/containers/logs"
_INFO = "/api/beszel/containers/info"
_FEED = "/api/beszel/feed"

_UMAS = Answer(
    status=200, shows=("container-of-uma-web", "{uma_web}", '"totalItems":1'), hides=("otto-db", "{otto_db}")
)
_OTTOS = Answer(status=200, shows=("container-of-otto-db", '"totalItems":1'), hides=("uma-web", "{uma_web}"))
_BOTH = Answer(status=200, shows=("container-of-uma-web", "container-of-otto-db", '"totalItems":2'))
_NOT_CONNECTED = Answer(status=503, shows=("The agent of this system is not connected.",), hides=("otto",))
_BAD = Answer(status=400, shows=("hexadecimal",))
_TURNED_AWAY = Answer(status=4401, hides=("container-of",))
_FEED_OF_UMA = Answer(status=0, shows=('"type":"containers"', "container-of-uma-web"), hides=("otto-db", "{otto_db}"))
_FEED_OF_OTTO = Answer(status=0, shows=('"type":"containers"', "container-of-otto-db"), hides=("uma-web",))
_FEED_OF_BOTH = Answer(status=0, shows=("container-of-uma-web", "container-of-otto-db"))
_NO_TOPIC = Answer(status=0, shows=('"code":"not_found"',), hides=("container-of",))


def _of_uma(route: str, path: str, name: str) -> Scenario:
    return Scenario(
        name=name, route=route, method="GET", path=path,
        expect=expect(
            UNAUTHENTICATED, user=_NOT_CONNECTED, readonly=_NOT_CONNECTED, read_token=_NOT_CONNECTED,
            write_token=_NOT_CONNECTED, limited_token=_NOT_CONNECTED, admin=_NOT_CONNECTED, other=ABSENT,
        ),
    )  # fmt: skip


def _same_for_all(route: str, path: str, name: str, answer: Answer) -> Scenario:
    return Scenario(
        name=name, route=route, method="GET", path=path,
        expect=expect(
            answer, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED
        ),
    )  # fmt: skip


SCENARIOS = (
    Scenario(
        name="list", route=RECORDS, method="GET", path=_LIST,
        expect=expect(
            EMPTY, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS, other=_OTTOS,
            admin=_BOTH,
        ),
    ),
    Scenario(
        name="list somebody else's", route=RECORDS, method="GET",
        path=f"{_LIST}?filter=system='{{otto_db}}'||system.name='otto-db'||name~'otto'",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(name="view", route=RECORD, method="GET", path=f"{_LIST}/{CONTAINER_ID}", expect=expect(CLOSED)),
    Scenario(name="create", route=RECORDS, method="POST", path=_LIST, body={"name": "x"}, expect=expect(CLOSED)),
    Scenario(
        name="change", route=RECORD, method="PATCH", path=f"{_LIST}/{CONTAINER_ID}", body={"name": "x"},
        expect=expect(CLOSED),
    ),
    Scenario(name="delete", route=RECORD, method="DELETE", path=f"{_LIST}/{CONTAINER_ID}", expect=expect(CLOSED)),
    Scenario(
        name="list statistics", route=RECORDS, method="GET", path=f"{_STATS}?filter=type='1m'", expect=expect(EMPTY)
    ),
    Scenario(name="view statistics", route=RECORD, method="GET", path=f"{_STATS}/{'0' * 15}", expect=expect(CLOSED)),
    Scenario(name="create statistics", route=RECORDS, method="POST", path=_STATS, body={}, expect=expect(CLOSED)),
    Scenario(
        name="change statistics", route=RECORD, method="PATCH", path=f"{_STATS}/{'0' * 15}", body={},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="delete statistics", route=RECORD, method="DELETE", path=f"{_STATS}/{'0' * 15}", expect=expect(CLOSED)
    ),
    _of_uma(_LOGS, f"{_LOGS}?system={{uma_web}}&container={CONTAINER_ID}", "logs"),
    _of_uma(_LOGS, f"{_LOGS}?system={{uma_web}}&container={CONTAINER_ID}&follow=1", "follow logs"),
    _of_uma(_INFO, f"{_INFO}?system={{uma_web}}&container={CONTAINER_ID * 5}", "inspect by the whole id"),
    Scenario(
        name="logs of somebody else's", route=_LOGS, method="GET",
        path=f"{_LOGS}?system={{otto_db}}&container={CONTAINER_ID}",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
            other=Answer(status=503), admin=Answer(status=503),
        ),
    ),
    _same_for_all(_LOGS, f"{_LOGS}?system={{uma_web}}&container=../../secrets", "logs of a path", _BAD),
    _same_for_all(_INFO, f"{_INFO}?system={{uma_web}}&container=web", "inspect a name", _BAD),
    _same_for_all(_INFO, f"{_INFO}?system=&container={CONTAINER_ID}", "inspect of no system", _BAD),
    _same_for_all(_INFO, f"{_INFO}?system=nosuchsystem&container={CONTAINER_ID}", "inspect of nothing", ABSENT),
    _same_for_all(_LOGS, f"{_LOGS}?system={{uma_web}}&container=0123456789ab", "logs of another id", ABSENT),
    Scenario(
        name="follow all", route=_FEED, method="WS", path=_FEED,
        frames=('{"type":"subscribe","topics":["containers"]}',),
        expect=expect(
            _FEED_OF_UMA, anonymous=_TURNED_AWAY, garbage=_TURNED_AWAY, expired=_TURNED_AWAY, other=_FEED_OF_OTTO,
            admin=_FEED_OF_BOTH,
        ),
    ),
    Scenario(
        name="follow somebody else's", route=_FEED, method="WS", path=_FEED,
        frames=('{"type":"subscribe","topics":["containers:{otto_db}"]}',),
        expect=expect(
            _NO_TOPIC, anonymous=_TURNED_AWAY, garbage=_TURNED_AWAY, expired=_TURNED_AWAY, other=_FEED_OF_OTTO,
            admin=_FEED_OF_OTTO,
        ),
    ),
)  # fmt: skip
