"""The forms of rules: new, changed, from a template, for marked systems; read into the hub's fields. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import STATUS, Condition, Rule
from beszel_tui.state.alerts import AlertView, condition_text, unit_of
from beszel_tui.state.conditionforms import (
    ALONE,
    condition_fields,
    conditions_text,
    conditions_values,
    first_condition,
    follow_conditions,
    read_conditions,
)
from beszel_tui.state.form import (
    YES_NO,
    Form,
    FormField,
    Record,
    Values,
    read_number,
    read_seconds,
    required,
    write_number,
    write_seconds,
)
from beszel_tui.state.scopes import read_scope, scope_fields, scope_values

SEVERITY_CHOICES: Final = (("info", "info"), ("warning", "warning"), ("critical", "critical"))
_OWN: Final = "own"

TEMPLATES: Final[Mapping[str, tuple[str, Values]]] = {
    "busy": ("busy processor", {
        "name": "busy", "target": "cpu.usage_percent", "comparison": "above", "value": "80", "recover": "70",
        "aggregate": "mean", "window": "10m", "for": "0s", "severity": "warning",
    }),
    "memory": ("memory runs out", {
        "name": "memory", "target": "memory.usage_percent", "comparison": "above", "value": "90", "recover": "85",
        "aggregate": "mean", "window": "5m", "for": "0s", "severity": "warning",
    }),
    "disk": ("disk nearly full", {
        "name": "disk nearly full", "target": "disk[*].usage_percent", "comparison": "above", "value": "90",
        "recover": "", "aggregate": "last", "window": "0s", "for": "0s", "severity": "critical",
    }),
    "full": ("disk full within a day", {
        "name": "full within a day", "target": "disk[*].usage_percent", "comparison": "below", "value": "1d",
        "recover": "", "aggregate": "forecast", "window": "1h", "for": "0s", "severity": "warning",
    }),
    "down": ("system down", {
        "name": "down", "target": STATUS, "comparison": "above", "value": "0", "recover": "", "aggregate": "mean",
        "window": "1m", "for": "2m", "severity": "critical",
    }),
    "hot": ("too hot", {
        "name": "hot", "target": "temperature", "comparison": "above", "value": "80", "recover": "75",
        "aggregate": "mean", "window": "5m", "for": "0s", "severity": "warning",
    }),
    "gone": ("container gone", {
        "name": "container gone", "target": "containers[*].cpu_percent", "comparison": "absent", "value": "0",
        "recover": "", "aggregate": "mean", "window": "5m", "for": "0s", "severity": "critical",
    }),
    _OWN: ("something else", {}),
}  # fmt: skip


def rule_form(view: AlertView, rule: Rule | None = None, marked: Sequence[str] = ()) -> Form:
    """Of a rule, or of a new one, for the system that is looked at or those that are marked."""
    fields = (
        *([FormField("template", "Like", tuple((key, text) for key, (text, _) in TEMPLATES.items()))] * (rule is None)),
        FormField("name", "Name", hint="busy"),
        *scope_fields(view, marked),
        *condition_fields(view),
        FormField("for", "Lasting", hint="0s: at once"),
        FormField("calm", "Well for", hint="0s: at once"),
        FormField("severity", "Severity", SEVERITY_CHOICES),
        FormField("repeat", "Tell again", hint="never; or every 1h"),
        FormField("worse", "Critical beyond", hint="never; or 95", is_shown=_is_compared),
        FormField("escalate", "Critical after", hint="never; or 30m without an acknowledgement"),
        *([FormField("tells", "Tells", (("me", "me"), ("all", "everybody")))] * _chooses_owner(view, rule)),
        FormField("enabled", "On", YES_NO),
    )

    def read(values: Values) -> list[Record]:
        return _read_rule(values, view, rule, marked)

    return Form(
        title="New rule" if rule is None else f"Rule {rule.name}",
        fields=fields,
        values=_new_values(view, marked) if rule is None else _values_of(rule, view),
        read=read,
        preview=lambda values: _preview(values, view),
        follow=_follow,
    )


def set_form(view: AlertView) -> Form:
    """Of the rules of a set that the hub has ready."""
    sets = {found.name: found for found in view.book.sets}
    owner = [FormField("tells", "Tells", (("me", "me"), ("all", "everybody")))] * view.book.account.is_admin

    def read(values: Values) -> list[Record]:
        record: Record = {"template": values["set"]}
        if values["tells"] == "all":
            record["user"] = ""
        return [{**record, **scope} for scope in read_scope(values, view)]

    def preview(values: Values) -> str:
        found = sets.get(values["set"])
        return "" if found is None else f"{found.help}: {', '.join(found.rules)}"

    return Form(
        title="Rules that the hub has ready",
        fields=(FormField("set", "Set", tuple((name, name) for name in sets)), *scope_fields(view), *owner),
        values={"set": next(iter(sets), ""), "tells": "me", **scope_values(view, view.system_id or "", "")},
        read=read,
        preview=preview,
    )


def _chooses_owner(view: AlertView, rule: Rule | None) -> bool:
    """Who is told is decided when a rule is made."""
    return rule is None and view.book.account.is_admin


def _new_values(view: AlertView, marked: Sequence[str]) -> Values:
    return {
        "template": "busy",
        **conditions_values((), "", view),
        **TEMPLATES["busy"][1],
        "calm": "0s",
        "worse": "",
        **scope_values(view, view.system_id or "", "", marked),
        "repeat": "",
        "escalate": "",
        "tells": "me",
        "enabled": "yes",
    }


def _values_of(rule: Rule, view: AlertView) -> Values:
    first = rule.conditions[0] if rule.conditions else Condition(target=STATUS)
    return {
        "name": rule.name,
        **scope_values(view, rule.system, rule.tag),
        "for": write_seconds(rule.for_seconds),
        "calm": write_seconds(rule.recover_seconds),
        "severity": rule.severity,
        "repeat": write_seconds(rule.repeat_seconds) if rule.repeat_seconds else "",
        "escalate": write_seconds(rule.escalate_seconds) if rule.escalate_seconds else "",
        "worse": write_number(rule.escalate_value, unit_of(first.target, view.book, first.aggregate)),
        "enabled": "yes" if rule.enabled else "no",
        **conditions_values(rule.conditions, rule.match, view),
    }


def _follow(key: str, values: Values) -> Values:
    """A template fills in what it says, and leaves the rest."""
    return {**values, **TEMPLATES[values["template"]][1]} if key == "template" else follow_conditions(key, values)


def _is_compared(values: Values) -> bool:
    first = first_condition(values)
    return first["target"].strip() != STATUS and first["comparison"] != "absent"


def _read_rule(values: Values, view: AlertView, rule: Rule | None, marked: Sequence[str]) -> list[Record]:
    record: Record = {
        "name": required(values, "name", "a rule needs a name"),
        "conditions": (conditions := read_conditions(values, view)),
        "match": "all" if values["match"] == ALONE else values["match"],
        "for_seconds": read_seconds(values["for"] or "0", "for"),
        "recover_seconds": read_seconds(values["calm"] or "0", "calm"),
        "escalate_value": _read_worse(values, conditions[0], view),
        "severity": values["severity"],
        "repeat_seconds": read_seconds(values["repeat"], "repeat", least=60) if values["repeat"].strip() else 0,
        "escalate_seconds": read_seconds(values["escalate"], "escalate") if values["escalate"].strip() else 0,
        "enabled": values["enabled"] == "yes",
    }
    if rule is None and values.get("tells") == "all":
        record["user"] = ""
    return [{**record, **scope} for scope in read_scope(values, view, marked)]


def _read_worse(values: Values, first: Record, view: AlertView) -> float | None:
    if not values["worse"].strip() or not _is_compared(values):
        return None
    worse = read_number(values["worse"], "worse", unit_of(first["target"], view.book, first["aggregate"]))
    if worse < first["value"] if first["comparison"] == "above" else worse > first["value"]:
        raise FormError("worse", "what is worse lies beyond the threshold")
    return worse


def _preview(values: Values, view: AlertView) -> str:
    text = conditions_text(values, view, values["for"])
    try:
        conditions = read_conditions(values, view)
        worse = _read_worse(values, conditions[0], view)
    except FormError:
        return text
    if worse is None:
        return text
    return f"{text}\ncritical once {condition_text(Condition(**{**conditions[0], 'value': worse}), view.book)}"
