"""What is done to several systems of the fleet at once, each with its form or question."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from beszel_protocol.feed import FleetRow
from beszel_tui.screens.dialog import BoxForm, Done, Failed, Field
from beszel_tui.screens.fleet import called
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.state.cells import shown_text

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp

_MAX_NAMED: Final = 8


def ask_tags(app: "BeszelApp", rows: Sequence[FleetRow], done: Callable[[], None]) -> None:
    """For one system all its tags; for several those to put on, and with a minus those to take off."""
    is_one = len(rows) == 1
    before = " ".join(rows[0].tags or ()) if is_one else ""
    what = f"Tags of {called(rows)}" if is_one else f"Of {called(rows)}: prod puts a tag on, -old takes one off"

    def send(values: Mapping[str, str], sent: Done, failed: Failed) -> None:
        del failed  # each system's failure is said by itself
        words = values["tags"].split()
        for row in rows:
            tags = words if is_one else changed_tags(row.tags or (), words)
            order = partial(app.bridge.source.set_tags, row.id, tags)
            app.bridge.ask(order, lambda _: None, lambda reason: app.say(reason, severity="error"))
        sent()
        done()

    app.push_screen(BoxForm("Tags", (Field("tags", "Tags", before, hint="prod web"),), send, what))


def changed_tags(before: Sequence[str], words: Sequence[str]) -> list[str]:
    """Each once, in the order in which they came."""
    gone = {word[1:] for word in words if word.startswith("-")}
    added = [word for word in words if not word.startswith("-")]
    return [tag for tag in dict.fromkeys((*before, *added)) if tag not in gone]


def ask_delete(app: "BeszelApp", rows: Sequence[FleetRow], done: Callable[[], None]) -> None:
    names = ", ".join(shown_text(row.name, 40) for row in rows[:_MAX_NAMED])
    more = f" and {len(rows) - _MAX_NAMED} more" if len(rows) > _MAX_NAMED else ""

    def agreed() -> None:
        for row in rows:
            order = partial(app.bridge.source.delete_system, row.id)
            app.bridge.ask(order, lambda _: None, lambda reason: app.say(reason, severity="error"))
        app.say(f"deleting {called(rows)}")
        done()

    whose = "it" if len(rows) == 1 else "them"
    consequence = f"What is stored of {whose} goes too, and cannot be brought back."
    app.push_screen(QuestionScreen(f"Delete {names}{more}?", consequence, agreed))
