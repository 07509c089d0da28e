"""Templates applied over the API: rules made of one, for whoever asks. Runs inside `Records.transact`."""

import functools

import msgspec

from beszel_hub.alerts import queries
from beszel_hub.alerts.forms import make_rule
from beszel_hub.alerts.rules_collection import RulesSource, draft_rule
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.clock import Clock
from beszel_hub.errors import invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Row
from beszel_hub.records.scribe import Scribe


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """With neither system nor tag the rules are for all systems, also for those that come later."""

    template: str
    system: str = ""
    tag: str = ""
    user: str | None = None
    """Empty for rules for everybody, which only administrators make."""


def apply_template(actor: Actor, scribe: Scribe, application: Application, clock: Clock) -> int:
    """How many rules were made; one whose name the owner has there already stays as it is."""
    template = TEMPLATES.get(application.template)
    if template is None:
        raise invalid_field("template", "validation_invalid_value", f"One of {', '.join(TEMPLATES)}.")
    source, made = RulesSource(clock), 0
    for declared in template.rules:
        rule = make_rule(declared, "", system_id=None, tag=None)
        values: Row = {
            name: value
            for name, value in queries.rule_columns(rule).items()
            if name not in {"id", "user_id", "system_id"}
        }
        values |= {"system": application.system, "tag": application.tag}
        if application.user is not None:
            values["user"] = application.user
        draft = draft_rule(actor, values)
        if draft.name not in queries.names_of_rules(draft.user_id, draft.system_id, draft.tag):
            scribe.create("alert_rules", functools.partial(source.create, actor, values))
            made += 1
    return made
