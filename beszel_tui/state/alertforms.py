"""The forms of rules: new, changed, from a template, for marked systems; read into the hub's fields. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from beszel_protocol.addresses import InvalidAddress, parse_address
from beszel_protocol.metrics import Unit
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import STATUS, Condition, Rule
from beszel_tui.state.alerts import AlertView, condition_text, label_of, unit_of
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
_COMPARISONS: Final = (("above", "above"), ("below", "below"), ("absent", "not told"))
_AGGREGATES: Final = (
    ("mean", "mean of the window"), ("max", "highest"), ("min", "lowest"), ("last", "newest alone"),
    ("increase", "increase over the window"), ("forecast", "time until it is full"),
)  # fmt: skip
_OWN: Final = "own"
_NEEDS_WINDOW: Final = frozenset({"increase", "forecast"})

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
    is_composite = rule is not None and len(rule.conditions) != 1
    fields = (
        *([FormField("template", "Like", tuple((key, text) for key, (text, _) in TEMPLATES.items()))] * (rule is None)),
        FormField("name", "Name", hint="busy"),
        *scope_fields(view, marked),
        *(() if is_composite else _condition_fields(view)),
        FormField("for", "Lasting", hint="0s: at once"),
        FormField("severity", "Severity", SEVERITY_CHOICES),
        FormField("repeat", "Tell again", hint="never; or every 1h"),
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
        preview=lambda values: _preview(values, view, rule),
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


def _condition_fields(view: AlertView) -> tuple[FormField, ...]:
    targets = tuple(target.target for target in view.book.targets)

    def is_measured(values: Values) -> bool:
        return values["target"].strip() != STATUS

    def is_compared(values: Values) -> bool:
        return is_measured(values) and values["comparison"] != "absent"

    return (
        FormField("target", "What", hint="cpu.usage_percent", suggestions=(STATUS, *targets)),
        FormField("comparison", "Is", _COMPARISONS, is_shown=is_measured),
        FormField("value", "Than", hint="80", is_shown=is_compared),
        FormField("recover", "Well again at", hint="where it stopped being so", is_shown=is_compared),
        FormField("aggregate", "Counted", _AGGREGATES, is_shown=is_compared),
        FormField("window", "Window", hint="10m", is_shown=is_measured),
    )


def _new_values(view: AlertView, marked: Sequence[str]) -> Values:
    return {
        "template": "busy",
        **TEMPLATES["busy"][1],
        **scope_values(view, view.system_id or "", "", marked),
        "repeat": "",
        "escalate": "",
        "tells": "me",
        "enabled": "yes",
    }


def _values_of(rule: Rule, view: AlertView) -> Values:
    values = {
        "name": rule.name,
        **scope_values(view, rule.system, rule.tag),
        "for": write_seconds(rule.for_seconds),
        "severity": rule.severity,
        "repeat": write_seconds(rule.repeat_seconds) if rule.repeat_seconds else "",
        "escalate": write_seconds(rule.escalate_seconds) if rule.escalate_seconds else "",
        "enabled": "yes" if rule.enabled else "no",
    }
    if len(rule.conditions) == 1:
        values |= _condition_values(rule.conditions[0], view)
    return values


def _condition_values(condition: Condition, view: AlertView) -> dict[str, str]:
    unit = unit_of(condition.target, view.book, condition.aggregate)
    return {
        "target": condition.target,
        "comparison": condition.comparison,
        "value": write_number(condition.value, unit),
        "recover": write_number(condition.recover_value, unit),
        "aggregate": condition.aggregate,
        "window": write_seconds(condition.window_seconds),
    }


def _follow(key: str, values: Values) -> Values:
    """A template fills in what it says, and leaves the rest."""
    return {**values, **TEMPLATES[values["template"]][1]} if key == "template" else values


def _read_rule(values: Values, view: AlertView, rule: Rule | None, marked: Sequence[str]) -> list[Record]:
    record: Record = {
        "name": required(values, "name", "a rule needs a name"),
        "for_seconds": read_seconds(values["for"] or "0", "for"),
        "severity": values["severity"],
        "repeat_seconds": read_seconds(values["repeat"], "repeat", least=60) if values["repeat"].strip() else 0,
        "escalate_seconds": read_seconds(values["escalate"], "escalate") if values["escalate"].strip() else 0,
        "enabled": values["enabled"] == "yes",
    }
    if rule is None or len(rule.conditions) == 1:
        record["conditions"] = [_read_condition(values, view)]
    if rule is None and values.get("tells") == "all":
        record["user"] = ""
    return [{**record, **scope} for scope in read_scope(values, view, marked)]


def _read_condition(values: Values, view: AlertView) -> Record:
    target = read_target(values["target"], view)
    if target == STATUS:
        return {"target": target}
    comparison, window = values["comparison"], read_seconds(values["window"], "window")
    if comparison == "absent":
        if not window:
            raise FormError("window", "not told for how long?")
        return {"target": target, "comparison": comparison, "window_seconds": window}
    aggregate = values["aggregate"]
    unit = unit_of(target, view.book, aggregate)
    if aggregate in _NEEDS_WINDOW and not window:
        raise FormError("window", "over how long? This needs a window")
    if aggregate == "forecast" and unit_of(target, view.book) is not Unit.PERCENT:
        raise FormError("aggregate", "only what is measured in percent can be forecast to be full")
    value = read_number(values["value"], "value", unit)
    record: Record = {
        "target": target, "comparison": comparison, "value": value, "aggregate": aggregate, "window_seconds": window,
    }  # fmt: skip
    if values["recover"].strip():
        record["recover_value"] = _read_recover(values, comparison, value, unit)
    return record


def _read_recover(values: Values, comparison: str, value: float, unit: Unit) -> float:
    recover = read_number(values["recover"], "recover", unit)
    if recover > value if comparison == "above" else recover < value:
        raise FormError("recover", f"it cannot be well again {comparison} the threshold")
    return recover


def read_target(text: str, view: AlertView) -> str:
    """Something that the hub says can be watched; one key may stand for its `[*]`. Raises `FormError`."""
    target = text.strip()
    if not target:
        raise FormError("target", "what is to be watched? cpu.usage_percent, disk[*].usage_percent, status …")
    known = {known.target.replace("[*]", "[]") for known in view.book.targets}
    if target == STATUS:
        return target
    try:
        pattern = parse_address(target).pattern
    except InvalidAddress as error:
        raise FormError("target", str(error)) from error
    if known.isdisjoint({pattern, pattern.removesuffix("[]")}):
        raise FormError("target", f"nothing that can be watched is called {target}")
    return target


def _preview(values: Values, view: AlertView, rule: Rule | None) -> str:
    if rule is not None and len(rule.conditions) != 1:
        return f"its {len(rule.conditions)} conditions stay as they are"
    try:
        record = _read_condition(values, view)
    except FormError:
        return ""
    condition = Condition(**record)
    if condition.target == STATUS:
        return f"a system is down for {values['for'] or '0s'}"
    text = condition_text(condition, view.book)
    over = f" over {write_seconds(condition.window_seconds)}" if condition.window_seconds else ""
    each = f", each {label_of(condition.target, view.book)} by itself" if "[*]" in condition.target else ""
    return f"{text}{over}{each}"
