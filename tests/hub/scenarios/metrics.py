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
_STATS = "/api/collections/system_stats/records"
_TRAFFIC = "/api/beszel/traffic"
_TOP = "/api/beszel/top"
_FORECAST = "/api/beszel/forecast"
_NOBODY = {"anonymous": UNAUTHENTICATED, "garbage": UNAUTHENTICATED, "expired": UNAUTHENTICATED}
_MINE_IN_TOP = Answer(
    status=200, shows=('"metric":"cpu.usage_percent"', "{uma_web}", "11.25"), hides=(*OTTO_ONLY, "99.75")
)
_OTTOS_IN_TOP = Answer(status=200, shows=("{otto_db}", "99.75"), hides=("{uma_web}", "11.25"))
_NO_ROWS_OF_OTTO = Answer(status=200, shows=('"totalItems":',), hides=OTTO_ONLY)

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
    Scenario(
        name="list by tier", route=RECORDS, method="GET", path=f"{_STATS}?filter=type='1m'",
        expect=expect(
            EMPTY, user=_NO_ROWS_OF_OTTO, readonly=_NO_ROWS_OF_OTTO, read_token=_NO_ROWS_OF_OTTO,
            write_token=_NO_ROWS_OF_OTTO, limited_token=_NO_ROWS_OF_OTTO,
            other=Answer(status=200, hides=("{uma_web}",)), admin=Answer(status=200),
        ),
    ),
    Scenario(
        name="view one of a tier", route=RECORD, method="GET", path=f"{_STATS}/000000000000000", expect=expect(CLOSED)
    ),
    Scenario(
        name="create one of a tier", route=RECORDS, method="POST", path=_STATS, body={"system": "{uma_web}"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="change one of a tier", route=RECORD, method="PATCH", path=f"{_STATS}/000000000000000",
        body={"type": "1m"}, expect=expect(CLOSED),
    ),
    Scenario(
        name="delete one of a tier", route=RECORD, method="DELETE", path=f"{_STATS}/000000000000000",
        expect=expect(CLOSED),
    ),
    Scenario(
        name="traffic", route=_TRAFFIC, method="GET", path=f"{_TRAFFIC}?system={{uma_web}}&reset_day=15",
        expect=expect(Answer(status=200, shows=('"months":[{', '"eth0"')), other=ABSENT, **_NOBODY),
    ),
    Scenario(
        name="traffic of nobody", route=_TRAFFIC, method="GET", path=f"{_TRAFFIC}?reset_day=32",
        expect=expect(Answer(status=400, shows=('"reset_day":', '"system":')), **_NOBODY),
    ),
    Scenario(
        name="the busiest", route=_TOP, method="GET", path=f"{_TOP}?metric=cpu.usage_percent",
        expect=expect(
            _MINE_IN_TOP, other=_OTTOS_IN_TOP, admin=Answer(status=200, shows=("11.25", "99.75")), **_NOBODY
        ),
    ),
    Scenario(
        name="the busiest by what is no order", route=_TOP, method="GET",
        path=f"{_TOP}?metric=cpu.usage_percent&by=colour&limit=0",
        expect=expect(Answer(status=400, shows=('"by":', '"limit":'), hides=("11.25",)), **_NOBODY),
    ),
    Scenario(
        name="forecast", route=_FORECAST, method="GET",
        path=f"{_FORECAST}?system={{uma_web}}&metric=disk[/].usage_percent",
        expect=expect(
            Answer(status=200, shows=('"limit":100.0', '"points":1', '"reached":null')), other=ABSENT, **_NOBODY
        ),
    ),
    Scenario(
        name="forecast without a limit", route=_FORECAST, method="GET",
        path=f"{_FORECAST}?system={{uma_web}}&metric=memory.used_bytes",
        expect=expect(Answer(status=400, shows=('"limit":',)), **_NOBODY),
    ),
)  # fmt: skip
