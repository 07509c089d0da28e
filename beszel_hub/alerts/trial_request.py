"""What is asked over the API when a rule is to be tried on the past."""

from typing import Annotated, Any, Final

import msgspec

from beszel_hub.alerts import queries
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.rules_collection import draft_rule
from beszel_hub.errors import BadRequest, NotFound
from beszel_hub.permissions import Actor

MAX_SINCE_SECONDS: Final = 7 * 86_400
_FIELDS: Final = frozenset({"name", "match", "severity"})
_NUMBERS: Final = frozenset({"for_seconds", "recover_seconds", "escalate_seconds"})


class TrialRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that there is, by its id, or one that there may be, in the fields of a record."""

    system: str
    rule: str = ""
    draft: dict[str, Any] | None = None
    since_seconds: Annotated[int, msgspec.Meta(ge=60, le=MAX_SINCE_SECONDS)] = 86_400

    def find_rule(self, actor: Actor) -> Rule:
        """Runs inside `Database.read`; raise `NotFound` or `BadRequest`."""
        return self._stored(actor) if self.draft is None else self._drafted(actor, self.draft)

    def _stored(self, actor: Actor) -> Rule:
        row = queries.find_rule(self.rule) if queries.sees_rule(actor, self.rule) else None
        if row is None:
            raise NotFound
        return queries.to_rule(row)

    def _drafted(self, actor: Actor, draft: dict[str, Any]) -> Rule:
        values: dict[str, Any] = {
            name: value for name, value in draft.items() if name in _FIELDS and isinstance(value, str)
        }
        values |= {name: value for name, value in draft.items() if name in _NUMBERS and isinstance(value, int | float)}
        escalate_value = draft.get("escalate_value")
        if isinstance(escalate_value, int | float):
            values["escalate_value"] = float(escalate_value)
        if "conditions" not in draft:
            raise BadRequest("A draft has conditions.")
        return draft_rule(actor, {"name": "Draft", **values, "system": self.system, "conditions": draft["conditions"]})
