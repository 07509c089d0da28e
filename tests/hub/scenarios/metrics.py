"""Stored readings: the `metrics` collection, and the series behind the charts.

The newest sample of uma-web has a CPU usage of 11.25 %, that of otto-db one of 99.75 %.
"""

from tests.support.scenario import (
    ABSENT,
    CLOSED,
    EMPTY,
    OTTO_ONLY,
    RECORD,
    RECORDS,
    UNAUTHENTICATED,
    Answer,
    Scenario,
    expect,
)

_METRICS = "/api/collections/metrics/records"
_SERIES = "/api/beszel/series"

_UMAS = Answer(status=200, shows=("11.25", "{uma_web}", '"totalItems":1'), hides=(*OTTO_ONLY, "99.75"))
_OTTOS = Answer(status=200, shows=("99.75", "{otto_db}", '"totalItems":1'), hides=("{uma_web}", "11.25"))
_BOTH = Answer(status=200, shows=("99.75", "11.25", '"totalItems":2'))
_SERIES_OF_UMA = Answer(
    status=200, shows=('"resolution_seconds":', '"cpu.usage_percent":{"mean":[', "11.25"), hides=("99.75",)
)
_SERIES_OF_OTTO = Answer(status=200, shows=("99.75",), hides=("11.25",))
_BAD_QUERY = Answer(
    status=400,
    shows=('"metric":{"code":"validation_unknown"', '"points":{', '"from":{', '"status":400'),
    hides=("11.25",),
)

SCENARIOS = (
    Scenario(
        name="list", route=RECORDS, method="GET", path=f"{_METRICS}?filter=type='cpu'",
        expect=expect(
            EMPTY, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS, other=_OTTOS,
            admin=_BOTH,
        ),
    ),
    Scenario(
        name="list somebody else's", route=RECORDS, method="GET",
        path=f"{_METRICS}?filter=type='cpu'%26%26(system='{{otto_db}}'||system.name='otto-db')",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(
        name="guess values of somebody else", route=RECORDS, method="GET",
        path=f"{_METRICS}?filter=type='cpu'%26%26value.usage_percent>90",
        expect=expect(EMPTY, other=_OTTOS, admin=_OTTOS),
    ),
    Scenario(name="view", route=RECORD, method="GET", path=f"{_METRICS}/000000000000000", expect=expect(ABSENT)),
    Scenario(
        name="create", route=RECORDS, method="POST", path=_METRICS, body={"system": "{uma_web}"}, expect=expect(CLOSED)
    ),
    Scenario(
        name="change", route=RECORD, method="PATCH", path=f"{_METRICS}/000000000000000", body={"type": "cpu"},
        expect=expect(CLOSED),
    ),
    Scenario(name="delete", route=RECORD, method="DELETE", path=f"{_METRICS}/000000000000000", expect=expect(CLOSED)),
    Scenario(
        name="series", route=_SERIES, method="GET", path=f"{_SERIES}?system={{uma_web}}&metric=cpu.usage_percent",
        expect=expect(
            UNAUTHENTICATED, user=_SERIES_OF_UMA, readonly=_SERIES_OF_UMA, read_token=_SERIES_OF_UMA,
            write_token=_SERIES_OF_UMA, limited_token=_SERIES_OF_UMA, admin=_SERIES_OF_UMA, other=ABSENT,
        ),
    ),
    Scenario(
        name="series of somebody else", route=_SERIES, method="GET",
        path=f"{_SERIES}?system={{otto_db}}&metric=cpu.usage_percent",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, other=_SERIES_OF_OTTO,
            admin=_SERIES_OF_OTTO,
        ),
    ),
    Scenario(
        name="series of a system that is none", route=_SERIES, method="GET",
        path=f"{_SERIES}?system=nosuchsystem&metric=cpu.usage_percent",
        expect=expect(ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED),
    ),
    Scenario(
        name="a series that makes no sense", route=_SERIES, method="GET",
        path=f"{_SERIES}?system={{uma_web}}&metric=cpu.colour&points=0&from=yesterday",
        expect=expect(
            _BAD_QUERY, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
        ),
    ),
)  # fmt: skip
