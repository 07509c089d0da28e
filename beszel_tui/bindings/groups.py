"""All keys by what they belong to, in the order of the help page."""

from typing import Final

from beszel_tui.bindings.alerts import ALERTS
from beszel_tui.bindings.containers import CONTAINER_LINES, CONTAINERS
from beszel_tui.bindings.enrolment import ENROLMENT, ENROLMENT_NAME
from beszel_tui.bindings.everywhere import APP, QUESTION
from beszel_tui.bindings.fleet import CARDS, FLEET, SYSTEM_LINES
from beszel_tui.bindings.forms import BOX_CHOICE, BOX_FORM, CHOICE, FORM
from beszel_tui.bindings.past import TIME
from beszel_tui.bindings.reading import LOGS, PANE, READER, SEARCH
from beszel_tui.bindings.settings import SECRET, SETTINGS, THEMES
from beszel_tui.bindings.system import DETAIL, SHEET, SYSTEM
from beszel_tui.bindings.tables import FILTER, TABLE

GROUPS: Final = {
    "This table": TABLE,
    "A system's line": SYSTEM_LINES,
    "A system's card": CARDS,
    "A container's line": CONTAINER_LINES,
    "Fleet": FLEET,
    "System": SYSTEM,
    "Time": TIME,
    "A system's tables": SHEET,
    "Containers": CONTAINERS,
    "This text": PANE,
    "Logs and configuration": READER,
    "Logs": LOGS,
    "A service or disk": DETAIL,
    "Add a system": ENROLMENT,
    "Name of a new system": ENROLMENT_NAME,
    "Settings": SETTINGS,
    "A small form": BOX_FORM,
    "A choice in a small form": BOX_CHOICE,
    "A new token": SECRET,
    "Search line": SEARCH,
    "Themes": THEMES,
    "Alerts": ALERTS,
    "A form": FORM,
    "A choice in a form": CHOICE,
    "A question": QUESTION,
    "Filter line": FILTER,
    "Everywhere": APP,
}
"""For the help page and the test that holds every binding to the rule above."""
