"""The body of a webhook: our JSON, or the channel's own template of one. Pure."""

from typing import Any

import msgspec

from beszel_hub.notifications.http_client import Call
from beszel_hub.notifications.message import KEY_HEADER, Message, Step, fields_of, link_to
from beszel_protocol.targets import parse_url
from beszel_protocol.template import fill_json
from beszel_protocol.timestamps import format_timestamp


def to_call(url: str, message: Message, *, app_url: str, template: str) -> Call:
    """Raise ValueError for what is no URL."""
    body = fill_json(template, fields_of(message)) if template else msgspec.json.encode(_body(message, app_url))
    headers = {"Content-Type": "application/json", KEY_HEADER: message.key}
    return Call(url=parse_url(url), headers=headers, body=body)


def _body(message: Message, app_url: str) -> dict[str, Any]:
    return {
        "key": message.key,
        "title": message.title,
        "text": message.text,
        "severity": message.severity,
        "link": message.link,
        "alerts": [_step(step, app_url) for step in message.steps],
    }


def _step(step: Step, app_url: str) -> dict[str, Any]:
    """Under `id` the idempotency key of this one step, which is the same in every message that tells of it."""
    transition = step.transition
    return {
        "id": transition.id,
        "alert_id": transition.alert_id,
        "rule_id": transition.rule_id,
        "rule": transition.name,
        "system_id": transition.system_id,
        "system": transition.system_name,
        "target": transition.target,
        "severity": transition.severity,
        "kind": transition.kind,
        "value": transition.value,
        "peak": transition.peak,
        "threshold": transition.threshold,
        "since": format_timestamp(transition.since_ms),
        "at": format_timestamp(transition.at_ms),
        "text": transition.text,
        "facts": step.facts,
        "link": link_to(app_url, transition.system_id),
    }
