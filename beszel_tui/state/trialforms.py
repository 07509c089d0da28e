"""The form that tries a rule on the past of a system, and what the hub answers in words. Pure."""

from typing import Final

from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.state.alertbook import Rule, Trial
from beszel_tui.state.alerts import AlertView, rule_text
from beszel_tui.state.form import Form, FormField, Record, Values, read_seconds, required, write_seconds
from beszel_tui.state.scopes import read_system
from beszel_tui.state.selectors import natural_key

LONGEST_SECONDS: Final = 7 * 86_400
"""As far back as a hub looks."""
MAX_STEPS_SHOWN: Final = 20


def trial_form(view: AlertView, rule: Rule) -> Form:
    """On which system, and how far back."""
    names = tuple(sorted((row.name for row in view.state.systems.values()), key=natural_key))
    known = rule.system or view.system_id or ""

    def read(values: Values) -> list[Record]:
        return [
            {
                "system": read_system(required(values, "system", "on which system?"), view, "system"),
                "since": read_seconds(values["since"], "since", least=60, most=LONGEST_SECONDS),
            }
        ]

    return Form(
        title=f"Try {rule.name} on the past",
        fields=(
            FormField("system", "System", hint="web-1", suggestions=names),
            FormField("since", "Since", hint=write_seconds(LONGEST_SECONDS)),
        ),
        values={"system": view.system_name(known) if known else next(iter(names), ""), "since": "1d"},
        read=read,
        preview=lambda _values: rule_text(rule, view.book),
    )


def trial_text(trial: Trial, view: AlertView) -> str:
    """How often it would have fired, and what would have been said."""
    if not trial.samples:
        return "There are no samples of that time."
    if not trial.fired:
        return "\n".join([f"It would not have fired. {trial.samples} samples were looked at.", *trial.gaps])
    times = "once" if trial.fired == 1 else f"{trial.fired} times"
    lines = [f"{view.date(parse_timestamp(step.at))}  {step.text}" for step in trial.steps[:MAX_STEPS_SHOWN]]
    more = len(trial.steps) - len(lines)
    return "\n".join([f"It would have fired {times}.", *lines, *([f"… and {more} more"] if more else []), *trial.gaps])
