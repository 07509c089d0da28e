"""The conditions of a rule in its form: the fields are those of one, the others wait under numbered keys. Pure.

`at` is the condition whose fields one wants to see, `was` the one that they hold. A condition without a target is none.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from beszel_protocol.addresses import InvalidAddress, parse_address
from beszel_protocol.metrics import Unit
from beszel_tui.errors import FormError
from beszel_tui.state.alertbook import STATUS, Condition
from beszel_tui.state.alerts import AlertView, condition_text, label_of, unit_of
from beszel_tui.state.form import (
    Choices,
    FormField,
    Record,
    Values,
    read_number,
    read_seconds,
    write_number,
    write_seconds,
)

MAX_CONDITIONS: Final = 8
ALONE: Final = "alone"
_MATCHES: Final = ((ALONE, "this alone"), ("all", "all of several"), ("any", "any of several"))
_JOINED: Final = {"all": "all of these", "any": "any of these"}
_COMPARISONS: Final = (("above", "above"), ("below", "below"), ("absent", "not told"))
_AGGREGATES: Final = (
    ("mean", "mean of the window"), ("max", "highest"), ("min", "lowest"), ("last", "newest alone"),
    ("increase", "increase over the window"), ("forecast", "time until it is full"),
)  # fmt: skip
_NEEDS_WINDOW: Final = frozenset({"increase", "forecast"})
_BLANK: Final[Mapping[str, str]] = {
    "target": "", "comparison": "above", "value": "", "recover": "", "aggregate": "mean", "window": "1m",
}  # fmt: skip
"""A condition that is still to be filled in."""


def condition_fields(view: AlertView) -> tuple[FormField, ...]:
    targets = tuple(target.target for target in view.book.targets)

    def is_measured(values: Values) -> bool:
        return values["target"].strip() != STATUS

    def is_compared(values: Values) -> bool:
        return is_measured(values) and values["comparison"] != "absent"

    return (
        FormField("match", "When", _MATCHES),
        FormField("at", "Condition", offers=lambda values: _offers(values, view), is_shown=_is_several),
        FormField("target", "What", hint="cpu.usage_percent", suggestions=(STATUS, *targets)),
        FormField("comparison", "Is", _COMPARISONS, is_shown=is_measured),
        FormField("value", "Than", hint="80", is_shown=is_compared),
        FormField("recover", "Well again at", hint="where it stopped being so", is_shown=is_compared),
        FormField("aggregate", "Counted", _AGGREGATES, is_shown=is_compared),
        FormField("window", "Window", hint="10m", is_shown=is_measured),
    )


def conditions_values(conditions: Sequence[Condition], match: str, view: AlertView) -> dict[str, str]:
    """What stands in the fields, the first condition shown."""
    values = [_condition_values(condition, view) for condition in conditions]
    return {"match": match if len(values) > 1 else ALONE, **_stored(values, 1)}


def follow_conditions(key: str, values: Values) -> Values:
    """Another condition comes into the fields when it is asked for; those without a target are left out then."""
    if key == "match" and values["match"] == ALONE:
        return {**values, **_shown(values, 1)}
    return {**values, **_shown(values, int(values["at"]))} if key == "at" else values


def first_condition(values: Values) -> Values:
    """The fields of the one that counts for what there is only one of in a rule."""
    return next((values for _, values in _filled(values)), values)


def read_conditions(values: Values, view: AlertView) -> list[Record]:
    """The hub's `conditions`. Raises `FormError`, at the field or, of a condition that is not shown, at its number."""
    filled = _filled(values)
    if not filled:
        return [read_condition(values, view)]
    return [_read_one(number, condition, values, view, is_alone=len(filled) == 1) for number, condition in filled]


def conditions_text(values: Values, view: AlertView, lasting: str) -> str:
    """A line each, as far as they can be read."""
    if not _is_several(values):
        each = f", each {label_of(values['target'].strip(), view.book)} by itself" if "[*]" in values["target"] else ""
        sentence = _sentence(values, view, lasting)
        return sentence and sentence + each
    lines = [f"{_JOINED[values['match']]}:"]
    lines += [f"{number} {_sentence(held, view, lasting) or held['target']}" for number, held in _filled(values)]
    if not values["target"].strip():
        lines.append("“What” is empty: there is no such condition")
    return "\n".join(lines)


def read_condition(values: Values, view: AlertView) -> Record:
    """Raises `FormError`."""
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


def _is_several(values: Values) -> bool:
    return values["match"] != ALONE


def _slots(values: Values) -> list[dict[str, str]]:
    """Every place for a condition, filled in or not."""
    was = values["was"]
    return [
        {key: values.get(key if was == str(number) else f"{key}.{number}", blank) for key, blank in _BLANK.items()}
        for number in range(1, MAX_CONDITIONS + 1)
    ]


def _filled(values: Values) -> list[tuple[int, dict[str, str]]]:
    """Those that are to be stored, by their numbers."""
    slots = _slots(values)
    return [
        (number, held)
        for number, held in enumerate(slots if _is_several(values) else slots[:1], 1)
        if held["target"].strip()
    ]


def _shown(values: Values, wanted: int) -> dict[str, str]:
    """With the wanted one in the fields, and none without a target before it."""
    slots = _slots(values)
    before = sum(bool(held["target"].strip()) for held in slots[: wanted - 1])
    return _stored([held for held in slots if held["target"].strip()], before + 1)


def _stored(filled: Sequence[Mapping[str, str]], at: int) -> dict[str, str]:
    slots = [*filled, *[_BLANK] * (MAX_CONDITIONS - len(filled))]
    stored = {f"{key}.{number}": held[key] for number, held in enumerate(slots, 1) for key in _BLANK}
    return {**stored, **slots[at - 1], "at": str(at), "was": str(at)}


def _offers(values: Values, view: AlertView) -> Choices:
    """A choice for each condition, and for one more."""
    slots = _slots(values)
    last = max((number for number, held in enumerate(slots, 1) if held["target"].strip()), default=0)
    several = [
        (str(number), f"{number} of {last}: {_short(held, view)}") for number, held in enumerate(slots[:last], 1)
    ]
    return (*several, *([(str(last + 1), "one more")] * (last < MAX_CONDITIONS)))


def _short(values: Values, view: AlertView) -> str:
    try:
        return condition_text(Condition(**read_condition(values, view)), view.book)
    except FormError:
        return values["target"] or "taken out"


def _read_one(number: int, condition: Values, values: Values, view: AlertView, *, is_alone: bool) -> Record:
    try:
        record = read_condition(condition, view)
        if record["target"] == STATUS and not is_alone:
            raise FormError("target", "while a system is down nothing else is known of it: status stands alone")
    except FormError as error:
        if str(number) == values["was"]:
            raise
        raise FormError("at" if _is_several(values) else error.field, f"condition {number}: {error}") from error
    return record


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


def _read_recover(values: Values, comparison: str, value: float, unit: Unit) -> float:
    recover = read_number(values["recover"], "recover", unit)
    if recover > value if comparison == "above" else recover < value:
        raise FormError("recover", f"it cannot be well again {comparison} the threshold")
    return recover


def _sentence(values: Values, view: AlertView, lasting: str) -> str:
    try:
        condition = Condition(**read_condition(values, view))
    except FormError:
        return ""
    if condition.target == STATUS:
        return f"a system is down for {lasting or '0s'}"
    text = condition_text(condition, view.book)
    over = f" over {write_seconds(condition.window_seconds)}" if condition.window_seconds else ""
    return f"{text}{over}"
