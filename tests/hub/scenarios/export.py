"""Exports of stored history, and what Prometheus scrapes.

Systems that are not up have no readings in a scrape; in this world none has an agent.
"""

from tests.support.scenario import ABSENT, OTTO_ONLY, UMA_ONLY, UNAUTHENTICATED, Answer, Scenario, expect

_EXPORT = "/api/beszel/export"
_METRICS = "/api/beszel/metrics"
_CPU = f"{_EXPORT}?format=jsonl&metric=cpu.usage_percent"

_UMAS = Answer(status=200, shows=("11.25", "{uma_web}"), hides=(*OTTO_ONLY, "99.75"))
_OTTOS = Answer(status=200, shows=("99.75", "{otto_db}"), hides=(*UMA_ONLY, "11.25"))
_BOTH = Answer(status=200, shows=("11.25", "99.75"))
_UMAS_SCRAPE = Answer(status=200, shows=('beszel_system_up{system="uma-web"',), hides=OTTO_ONLY)
_OTTOS_SCRAPE = Answer(status=200, shows=('beszel_system_up{system="otto-db"',), hides=UMA_ONLY)

SCENARIOS = (
    Scenario(
        name="everything one sees", route=_EXPORT, method="GET", path=_CPU,
        expect=expect(
            UNAUTHENTICATED, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS,
            other=_OTTOS, admin=_BOTH,
        ),
    ),
    Scenario(
        name="somebody else's system", route=_EXPORT, method="GET", path=f"{_CPU}&system={{otto_db}}",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, other=_OTTOS,
            admin=_OTTOS,
        ),
    ),
    Scenario(
        name="one's own system beside somebody else's", route=_EXPORT, method="GET",
        path=f"{_CPU}&system={{otto_db}},{{uma_web}}",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, admin=_BOTH
        ),
    ),
    Scenario(
        name="going on behind somebody else's system", route=_EXPORT, method="GET",
        path=f"{_CPU}&after={{otto_db}},1,cpu.usage_percent",
        expect=expect(
            UNAUTHENTICATED, user=_UMAS, readonly=_UMAS, read_token=_UMAS, write_token=_UMAS, limited_token=_UMAS,
            other=_OTTOS, admin=_BOTH,
        ),
    ),
    Scenario(
        name="scrape", route=_METRICS, method="GET", path=_METRICS,
        expect=expect(
            UNAUTHENTICATED, user=_UMAS_SCRAPE, readonly=_UMAS_SCRAPE, read_token=_UMAS_SCRAPE,
            write_token=_UMAS_SCRAPE, limited_token=_UMAS_SCRAPE, other=_OTTOS_SCRAPE,
            admin=Answer(status=200, shows=("uma-web", "otto-db")),
        ),
    ),
)  # fmt: skip
