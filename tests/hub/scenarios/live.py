"""What stays open: the live feed, the event stream, and the endpoint of agents."""

from tests.support.eventstream import with_options
from tests.support.scenario import OTTO_ONLY, UMA_ONLY, Answer, Scenario, expect
from tests.support.world import SYSTEM_IDS

_FEED = "/api/beszel/feed"
_AGENTS = "/api/beszel/agent-connect"

_TURNED_AWAY = Answer(status=4401, hides=(*UMA_ONLY, *OTTO_ONLY))
_UMAS = Answer(status=0, shows=('"type":"fleet"', *UMA_ONLY), hides=OTTO_ONLY)
_OTTOS = Answer(status=0, shows=('"type":"fleet"', *OTTO_ONLY), hides=UMA_ONLY)
_BOTH = Answer(status=0, shows=('"type":"fleet"', *UMA_ONLY, *OTTO_ONLY))
_NO_TOPIC = Answer(status=0, shows=('"code":"not_found"',), hides=("otto-db", '"type":"sample"'))
_EVENTS = "/api/realtime"
_SAMPLES_OF_OTTO = with_options("rt_metrics", system=SYSTEM_IDS["otto-db"])
_TOPICS = ("systems/*", "systems/{otto_db}", "users/*", "api_tokens/*", "metrics/*", "nope/*", _SAMPLES_OF_OTTO)
_NOTHING = Answer(status=200, hides=(*UMA_ONLY, *OTTO_ONLY, "record"))
_EVENTS_OF_UMA = Answer(status=200, shows=UMA_ONLY, hides=OTTO_ONLY)
_EVENTS_OF_OTTO = Answer(status=200, shows=OTTO_ONLY, hides=UMA_ONLY)

_ALERTS = Answer(status=0, shows=('"type":"alerts"',), hides=(*UMA_ONLY, *OTTO_ONLY))

SCENARIOS = (
    Scenario(
        name="alerts", route=_FEED, method="WS", path=_FEED, frames=('{"type":"subscribe","topics":["alerts"]}',),
        expect=expect(_ALERTS, anonymous=_TURNED_AWAY, garbage=_TURNED_AWAY, expired=_TURNED_AWAY),
    ),
    Scenario(
        name="events of everything", route=_EVENTS, method="GET", path=_EVENTS, listens=_TOPICS,
        expect=expect(
            _EVENTS_OF_UMA, anonymous=_NOTHING, garbage=_NOTHING, expired=_NOTHING, other=_EVENTS_OF_OTTO,
            admin=Answer(status=200, shows=(*UMA_ONLY, *OTTO_ONLY)),
        ),
    ),
    Scenario(
        name="guess by the filter of a subscription", route=_EVENTS, method="GET", path=_EVENTS,
        listens=(with_options("systems/*", filter="users.email ~ 'otto'"),),
        expect=expect(
            Answer(status=400, shows=('"status":400',)), admin=Answer(status=200, shows=OTTO_ONLY, hides=UMA_ONLY),
        ),
    ),
    Scenario(
        name="subscriptions of nobody", route=_EVENTS, method="POST", path=_EVENTS,
        body={"clientId": "nobody", "subscriptions": ["systems/*"]},
        expect=expect(Answer(status=404, shows=("Missing or invalid client id.",))),
    ),
    Scenario(
        name="subscriptions without a client", route=_EVENTS, method="POST", path=_EVENTS, body={},
        expect=expect(Answer(status=400, shows=('"clientId":{"code":"validation_required"',))),
    ),
    Scenario(
        name="fleet", route=_FEED, method="WS", path=_FEED, frames=('{"type":"subscribe","topics":["fleet"]}',),
        expect=expect(
            _UMAS, anonymous=_TURNED_AWAY, garbage=_TURNED_AWAY, expired=_TURNED_AWAY, other=_OTTOS, admin=_BOTH,
        ),
    ),
    Scenario(
        name="samples of somebody else", route=_FEED, method="WS", path=_FEED,
        frames=('{"type":"subscribe","topics":["system:{otto_db}","fleet"]}',),
        expect=expect(
            _NO_TOPIC, anonymous=_TURNED_AWAY, garbage=_TURNED_AWAY, expired=_TURNED_AWAY, other=_OTTOS, admin=_BOTH,
        ),
    ),
    Scenario(
        name="without the protocol of the link", route=_AGENTS, method="WS", path=_AGENTS,
        expect=expect(Answer(status=400, shows=("beszel.v1.json",), hides=(*UMA_ONLY, *OTTO_ONLY))),
    ),
    Scenario(
        name="garbage instead of a hello", route=_AGENTS, method="WS", path=_AGENTS, frames=("garbage",),
        subprotocol="beszel.v1.json",
        expect=expect(Answer(status=1007, hides=(*UMA_ONLY, *OTTO_ONLY))),
    ),
    Scenario(
        name="a token of the API is none of an agent", route=_AGENTS, method="WS", path=_AGENTS,
        frames=('{"type":"enrol","body":{},"proof":"","signature":""}',), subprotocol="beszel.v1.json",
        expect=expect(Answer(status=4403, shows=('"code":"protocol_error"',), hides=(*UMA_ONLY, *OTTO_ONLY))),
    ),
)  # fmt: skip
