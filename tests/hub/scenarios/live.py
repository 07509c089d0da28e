"""The WebSockets: the live feed, and the endpoint of agents."""

from tests.support.scenario import OTTO_ONLY, UMA_ONLY, Answer, Scenario, expect

_FEED = "/api/beszel/feed"
_AGENTS = "/api/beszel/agent-connect"

_TURNED_AWAY = Answer(status=4401, hides=(*UMA_ONLY, *OTTO_ONLY))
_UMAS = Answer(status=0, shows=('"type":"fleet"', *UMA_ONLY), hides=OTTO_ONLY)
_OTTOS = Answer(status=0, shows=('"type":"fleet"', *OTTO_ONLY), hides=UMA_ONLY)
_BOTH = Answer(status=0, shows=('"type":"fleet"', *UMA_ONLY, *OTTO_ONLY))
_NO_TOPIC = Answer(status=0, shows=('"code":"not_found"',), hides=("otto-db", '"type":"sample"'))

SCENARIOS = (
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
