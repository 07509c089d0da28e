"""What a client of the event stream asks to hear: its text, which also names its events, and the meaning. Pure."""

from typing import Final
from urllib.parse import parse_qs

import msgspec

from beszel_hub.live.sse import is_event_name

MAX_LENGTH: Final = 2500
MAX_SUBSCRIPTIONS: Final = 200
"""Of one stream."""
MAX_SUBSCRIPTIONS_OF_USER: Final = 600
METRICS_TOPIC: Final = "rt_metrics"
"""A system's newest sample, every second; Beszel's name for it."""
LOGIN_TOPIC: Final = "@oauth2"
"""Where PocketBase's clients wait for somebody who signs in at a provider."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of one client."""

    text: str
    """As the client wrote it: the name of its events."""
    topic: str
    """Of a record the collection's name or id; else the whole topic."""
    record_id: str = ""
    """`*` for every record of the collection; empty if the topic is none of records."""
    query: dict[str, str] = {}
    """What the client would have written behind the `?` of a request."""

    @property
    def system_id(self) -> str | None:
        """The system whose samples are wanted."""
        return self.query.get("system", "") if self.topic == METRICS_TOPIC else None


class _Options(msgspec.Struct, frozen=True):
    query: dict[str, str | int | float | bool | None] = {}


def parse_subscription(text: str) -> Subscription:
    """Raise ValueError if it is too long, no single line, or has options that are none.

    `collection/id`, `collection/*`, `collection` (the same, as older clients write it) or a topic of its own, all with
    `?options=` and JSON with a `query` behind.
    """
    if len(text) > MAX_LENGTH or not is_event_name(text):
        raise ValueError("a subscription is one line of text")
    topic, _, parameters = text.partition("?")
    query = _read_options(parameters)
    collection, slash, record_id = topic.partition("/")
    if slash and collection and record_id:
        return Subscription(text=text, topic=collection, record_id=record_id, query=query)
    is_collection = bool(topic) and topic not in {METRICS_TOPIC, LOGIN_TOPIC} and not slash
    return Subscription(text=text, topic=topic, record_id="*" if is_collection else "", query=query)


def _read_options(parameters: str) -> dict[str, str]:
    try:
        options = parse_qs(parameters, max_num_fields=5).get("options", ["{}"])[0]
        query = msgspec.json.decode(options, type=_Options).query
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("the options of a subscription are JSON") from error
    return {name: _to_text(value) for name, value in query.items()}


def _to_text(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
