"""What a channel says of one step of an alert, or of many at once. Pure.

Names come from monitored hosts. They are texts of one line here; for services that understand markup they are also
defused.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

from beszel_hub.alerts.transition import Kind, Severity, Transition
from beszel_hub.notifications.channel import SEVERITIES
from beszel_protocol.hygiene import clean_text
from beszel_protocol.template import Value, fill_text
from beszel_protocol.timestamps import format_timestamp

KEY_HEADER: Final = "Idempotency-Key"
MAX_SHOWN: Final = 20
"""Steps that one message tells one by one; of the rest it tells the number."""
MAX_NAME_LENGTH: Final = 128
MAX_TEXT_LENGTH: Final = 1000
"""Of one step."""
MAX_BODY_LENGTH: Final = 16_000
MAX_FACTS: Final = 10
MAX_TITLE_LENGTH: Final = 200
"""Of one that a template says."""

_VERBS: Final[dict[Kind, str]] = {
    "fired": "{severity}", "recovered": "Recovered", "escalated": "Escalated", "repeated": "Still {severity}",
    "closed": "Closed", "summary": "Summary",
}  # fmt: skip


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A transition as one channel is told of it."""

    transition: Transition
    facts: tuple[str, ...] = ()
    """Lines that help at first sight, such as the busiest processes."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    """The idempotency key: the same however often the message is sent."""
    title: str
    text: str
    severity: Severity
    is_good_news: bool
    link: str
    """Empty without `APP_URL`, or if several systems are concerned and the hub itself is meant."""
    steps: tuple[Step, ...]


def compose(
    key: str, steps: Sequence[Step], *, app_url: str, template: str = "", subject_template: str = "",
    has_markup: bool = False,
) -> Message:  # fmt: skip
    """One message of at least one step; of the templates, if any, one says each step's text, the other the title."""
    steps = [_tame(step, defuse if has_markup else str) for step in steps]
    told = steps[:MAX_SHOWN]
    first = worst_of(steps).transition
    texts = [_text_of(step, key, app_url, template, is_alone=len(steps) == 1) for step in told]
    if len(steps) > len(told):
        texts.append(f"and {len(steps) - len(told)} more")
    systems = {step.transition.system_id for step in steps}
    message = Message(
        key=key,
        title=title_of(first) if len(steps) == 1 else _title_of_many(steps),
        text="\n".join(texts)[:MAX_BODY_LENGTH],
        severity=first.severity,
        is_good_news=all(step.transition.kind == "recovered" for step in steps),
        link=link_to(app_url, first.system_id if len(systems) == 1 else ""),
        steps=tuple(steps),
    )
    return msgspec.structs.replace(message, title=_fill_title(subject_template, message))


def _fill_title(template: str, message: Message) -> str:
    """One line whatever is filled in; where nothing is left the hub's own title."""
    filled = one_line(fill_text(template, fields_of(message)), MAX_TITLE_LENGTH) if template else ""
    return filled or message.title


def worst_of(steps: Sequence[Step]) -> Step:
    """The gravest; of several such the first, and one that lasts before one that is over."""

    def gravity(step: Step) -> tuple[bool, int]:
        return step.transition.kind != "recovered", SEVERITIES.index(step.transition.severity)

    return max(steps, key=gravity)


def title_of(transition: Transition) -> str:
    verb = _VERBS[transition.kind].format(severity=transition.severity).capitalize()
    return f"{verb}: {' · '.join(name for name in (transition.system_name, transition.name) if name)}"


def fields_of(message: Message) -> dict[str, Value]:
    """What a template of a whole message may name; the fields of one step are those of the gravest."""
    step = worst_of(message.steps)
    values = _fields_of_step(step, message.key, message.link)
    return values | {"title": message.title, "text": message.text, "count": len(message.steps)}


def link_to(app_url: str, system_id: str) -> str:
    if not app_url:
        return ""
    return f"{app_url}/system/{quote(system_id, safe='')}" if system_id else app_url


def one_line(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """Without line ends, control characters and what else a header or a title must not have."""
    return " ".join(clean_text(" ".join(text[: 2 * limit].split()), limit).split())


def defuse(text: str) -> str:
    """`text` without what chat services take for links, mentions or tags; it still reads the same to people."""
    for found, replacement in _DEFUSED:
        text = text.replace(found, replacement)
    return text


_DEFUSED: Final = (("<", "‹"), (">", "›"), ("@", "＠"), ("`", "'"), ("](", "] ("), ("://", ": //"))


def _tame(step: Step, defuse: Callable[[str], str]) -> Step:
    """Every text that a host or a user chose, cleaned."""
    transition = step.transition
    return Step(
        transition=msgspec.structs.replace(
            transition,
            name=defuse(one_line(transition.name, MAX_NAME_LENGTH)),
            system_name=defuse(one_line(transition.system_name, MAX_NAME_LENGTH)),
            target=defuse(one_line(transition.target)),
            text=defuse(one_line(transition.text)),
        ),
        facts=tuple(defuse(one_line(fact)) for fact in step.facts[:MAX_FACTS]),
    )


def _text_of(step: Step, key: str, app_url: str, template: str, *, is_alone: bool) -> str:
    transition = step.transition
    if template:
        values = _fields_of_step(step, key, link_to(app_url, transition.system_id))
        return fill_text(template, values)[:MAX_BODY_LENGTH]
    if not is_alone:
        return f"• {title_of(transition)} — {transition.text}"
    lines = [transition.text, *step.facts]
    if transition.kind in {"recovered", "escalated", "repeated"}:
        lines.append(f"since {_instant(transition.since_ms)}, for {_duration(transition.at_ms - transition.since_ms)}")
    return "\n".join(lines)


def _title_of_many(steps: Sequence[Step]) -> str:
    counts = Counter(step.transition.kind for step in steps)
    parts = [f"{count} {kind}" for kind, count in sorted(counts.items())]
    systems = {step.transition.system_id for step in steps if step.transition.system_id}
    return f"{len(steps)} alerts on {len(systems)} systems: {', '.join(parts)}"


def _fields_of_step(step: Step, key: str, link: str) -> dict[str, Value]:
    transition = step.transition
    return {
        "alert": transition.alert_id, "at": format_timestamp(transition.at_ms), "count": 1, "key": key,
        "kind": transition.kind, "link": link, "peak": transition.peak, "rule": transition.name,
        "severity": transition.severity, "since": format_timestamp(transition.since_ms),
        "system": transition.system_name, "target": transition.target, "text": transition.text,
        "threshold": transition.threshold, "title": title_of(transition),
        "value": transition.value,
    }  # fmt: skip


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _duration(span_ms: int) -> str:
    minutes = max(span_ms, 0) // 60_000
    if minutes < 1:
        return "less than a minute"
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = ((days, "d"), (hours, "h"), (minutes % 60 if not days else 0, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
