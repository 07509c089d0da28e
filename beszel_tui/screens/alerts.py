"""Alerts: what fires, what has fired, rules, quiet hours and channels; of all systems or of one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from beszel_protocol.feed import Alert
from beszel_tui.bindings.alerts import ALERTS
from beszel_tui.config import local_zone_name
from beszel_tui.errors import HubRefused
from beszel_tui.messages import LineChosen, TabClicked, ValueCopied
from beszel_tui.renderables.key_bar import Hint
from beszel_tui.renderables.tab_bar import TabBarView
from beszel_tui.screens.base import HubScreen
from beszel_tui.screens.form import FormScreen
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.state.alertbook import AlertBook, Channel, Kind, Quiet, Rule
from beszel_tui.state.alertforms import rule_form, set_form
from beszel_tui.state.alerts import AlertView, given_up, tab_of_target, told_text
from beszel_tui.state.alertsheets import ACTIVE, PANES
from beszel_tui.state.channelforms import channel_form
from beszel_tui.state.form import Form, Record
from beszel_tui.state.model import State
from beszel_tui.state.quietforms import quiet_form, snooze_form
from beszel_tui.state.sheet import Sheet
from beszel_tui.state.trialforms import trial_form, trial_text
from beszel_tui.widgets.bars import TabBar
from beszel_tui.widgets.sheet_panel import SheetPanel

if TYPE_CHECKING:
    from beszel_tui.client.alerts import AlertDesk

_PANES_OF: Final = {
    "mark": {"active"}, "acknowledge": {"active"}, "snooze": {"active"},
    "new": {"rules", "quiet", "channels"}, "new_set": {"rules"}, "edit": {"rules", "quiet", "channels"},
    "turn": {"rules", "channels"}, "try": {"rules", "channels"}, "retry": {"history"},
    "delete": {"history", "rules", "quiet", "channels"},
}  # fmt: skip
"""Where there is something to do that with; all of it changes something."""
_KINDS: Final[dict[str, Kind]] = {"rules": "rules", "quiet": "quiet", "channels": "channels", "history": "history"}


class AlertsScreen(HubScreen):
    CSS_PATH = "alerts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*ALERTS]
    AUTO_FOCUS = "SheetTable"

    def __init__(self, system_id: str | None = None, pane: str = ACTIVE.key) -> None:
        super().__init__()
        self.system_id = system_id
        """None: of all systems."""
        self._home_id = system_id
        self._pane = next((sheet for sheet in PANES if sheet.key == pane), ACTIVE)

    @property
    def panel(self) -> SheetPanel:
        return self.query_one(SheetPanel)

    @property
    def listing(self) -> SheetPanel:
        return self.panel

    @property
    def pane(self) -> Sheet:
        return self._pane

    @property
    def view(self) -> AlertView:
        return self.view_of(self.state)

    def view_of(self, state: State) -> AlertView:
        return AlertView(state, state.book or AlertBook(), self.hub_app.chart_look.zone, self.system_id)

    @property
    def _desk(self) -> "AlertDesk":
        return self.hub_app.bridge.source.alerts

    def compose_content(self) -> ComposeResult:
        yield TabBar(self._tab_bar_view(self.state), self.hub_app.look)
        yield SheetPanel(self.hub_app.look, self._pane, self.hub_app.orders)

    def on_mount(self) -> None:
        self.hub_app.bridge.watch_alerts(self, looks=True)

    def on_unmount(self) -> None:
        self.hub_app.bridge.watch_alerts(self, looks=False)

    def show_state(self, state: State) -> None:
        panel, look = self.panel, self.hub_app.look
        self.query_one(TabBar).show(self._tab_bar_view(state), look)
        panel.become(self._pane)
        panel.show(self.view_of(state), look, aged=not state.is_live, empty=self._why_unknown(state))
        self.vocabulary = panel.vocabulary

    def _tab_bar_view(self, state: State) -> TabBarView:
        number = len([alert for alert in state.alerts.values() if self.system_id in {None, alert.system}])
        titles = tuple(f"{pane.title} {number}" if pane is ACTIVE and number else pane.title for pane in PANES)
        of = "" if self.system_id is None else f"of {self.view_of(state).system_name(self.system_id)}"
        arrows = (self.hub_app.look.symbols.more_left, self.hub_app.look.symbols.more_right)
        note = state.book_problem or of
        return TabBarView(titles, PANES.index(self._pane), (), "", note, arrows)

    def _why_unknown(self, state: State) -> str:
        """Why the table is empty, if not because there is nothing."""
        is_known = state.alerts_loaded if self._pane is ACTIVE else state.book is not None
        if is_known:
            return ""
        return state.connection.reason or state.book_problem or "waiting for the hub…"

    def focus_content(self) -> None:
        self.panel.focus_table()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        panes = _PANES_OF.get(action)
        if action == "all":
            return self._home_id is not None
        return panes is None or (self._pane.key in panes and not self.hub_app.settings.read_only)

    def hints(self) -> list[Hint]:
        """What there is to do comes first: on a narrow terminal the rest has to go."""
        found = super().hints()
        keys = {key for binding in ALERTS if binding.action in _PANES_OF for key in binding.key.split(",")}
        return [hint for hint in found if hint.key in keys] + [hint for hint in found if hint.key not in keys]

    # What the cursor is on

    @property
    def _cursor(self) -> str:
        return self.panel.table.cursor_id or ""

    @property
    def _alert(self) -> Alert | None:
        return self.state.alerts.get(self._cursor)

    @property
    def _meant(self) -> list[Alert]:
        """Those that are marked, or the one under the cursor."""
        keys = [row.key for row in self.panel.rows if row.key in self.panel.table.marked] or [self._cursor]
        return [alert for key in keys if (alert := self.state.alerts.get(key))]

    def _clear_marks(self) -> None:
        if self.is_attached:
            self.panel.table.clear_marks()

    @property
    def _rule(self) -> Rule | None:
        return self.view.book.rule(self._cursor) if self._pane.key == "rules" else None

    @property
    def _quiet(self) -> Quiet | None:
        return next((quiet for quiet in self.view.book.quiet if quiet.id == self._cursor), None)

    @property
    def _channel(self) -> Channel | None:
        return next((channel for channel in self.view.book.channels if channel.id == self._cursor), None)

    # Actions: where to look

    def show_pane(self, key: str) -> None:
        self._pane = next(sheet for sheet in PANES if sheet.key == key)
        self.show_state(self.state)
        self.focus_content()
        self.call_after_refresh(self.show_keys)

    def action_tab(self, step: int) -> None:
        self.show_pane(PANES[(PANES.index(self._pane) + step) % len(PANES)].key)

    def action_tab_number(self, number: int) -> None:
        self.show_pane(PANES[number - 1].key)

    def action_all(self) -> None:
        self.system_id = self._home_id if self.system_id is None else None
        self.redraw()

    def action_back(self) -> None:
        if self.panel.table.marked:
            self.panel.table.clear_marks()
        elif self.panel.is_filtered:
            self.panel.clear_filter()
        else:
            self.hub_app.pop_screen()

    def action_open(self) -> None:
        if self._pane.key not in {"active", "history"}:
            self.action_edit()
            return
        past = next((past for past in self.view.book.history if past.id == self._cursor), None)
        found = self._alert or past
        if found is None or found.system not in self.state.systems:
            self.hub_app.say("this system is gone", severity="warning")
            return
        self.hub_app.leave_for_system(found.system, tab_of_target(found.target))

    # Actions: what to change

    def action_mark(self) -> None:
        self.panel.table.action_mark()

    def action_acknowledge(self) -> None:
        """Of several, those that somebody looks after already are left alone."""
        alerts = self._meant
        if self.panel.table.marked:
            alerts = [alert for alert in alerts if not alert.acknowledged]
        if not alerts:
            self.panel.table.clear_marks()
            return
        desk = self._desk

        def done(refused: list[str]) -> None:
            self._clear_marks()
            number = len(alerts) - len(refused)
            taken = alerts[0].name if len(alerts) == 1 else f"{number} of {len(alerts)} alerts"
            if number:
                self.hub_app.say(f"acknowledged: {taken}")
            if refused:
                self._failed(refused[0])
            self.hub_app.bridge.read_alerts()

        self.hub_app.bridge.ask(lambda: acknowledge_each(desk, alerts), done, self._failed)

    def action_snooze(self) -> None:
        if alerts := self._meant:
            self.hub_app.open_form(snooze_form(alerts, self.view), "quiet", stored=self._clear_marks)

    def action_new(self) -> None:
        if self.state.book is None:
            self.hub_app.say("a moment: the hub is still telling what it has", severity="warning")
            return
        view, zone_name = self.view, local_zone_name()
        forms: dict[str, Callable[[], Form]] = {
            "rules": lambda: rule_form(view),
            "quiet": lambda: quiet_form(view, zone_name),
            "channels": lambda: channel_form(view),
        }
        self._open_form(forms[self._pane.key](), _KINDS[self._pane.key], None)

    def action_new_set(self) -> None:
        if self.view.book.sets:
            self._open_form(set_form(self.view), "sets", None)

    def action_edit(self) -> None:
        if self.hub_app.settings.read_only:
            return
        view, rule, quiet, channel = self.view, self._rule, self._quiet, self._channel
        if rule is not None and self._may_change(rule):
            self._open_form(rule_form(view, rule), "rules", rule.id)
        elif quiet is not None:
            self._open_form(quiet_form(view, local_zone_name(), quiet), "quiet", quiet.id)
        elif channel is not None:
            self._open_form(channel_form(view, channel), "channels", channel.id)

    def action_turn(self) -> None:
        found = self._rule or self._channel
        if found is None or (isinstance(found, Rule) and not self._may_change(found)):
            return
        wanted, kind = not found.enabled, _KINDS[self._pane.key]
        said = f"{found.name} is {'on' if wanted else 'off'}"
        self._ask(lambda: self._desk.save(kind, found.id, {"enabled": wanted}), said)

    def action_try(self) -> None:
        if self._rule is not None:
            self._try_rule(self._rule)
            return
        channel = self._channel
        if channel is None:
            return
        name = channel.name
        self.hub_app.say(f"sending a message to {name}…")

        def tried(reason: str) -> None:
            if reason:
                self.hub_app.say(f"{name} did not take it: {reason}", severity="error")
            else:
                self.hub_app.say(f"{name} has taken it")
            self.hub_app.bridge.read_alerts()

        self.hub_app.bridge.ask(lambda: self._desk.try_channel(channel.id), tried, self._failed)

    def _try_rule(self, rule: Rule) -> None:
        view = self.view

        def send(records: list[Record], done: Callable[[str], None], failed: Callable[[str], None]) -> None:
            system_id, since_seconds = records[0]["system"], records[0]["since"]
            self.hub_app.bridge.ask(
                lambda: self._desk.try_rule(rule.id, system_id, since_seconds),
                lambda trial: done(trial_text(trial, view)),
                failed,
            )

        self.app.push_screen(FormScreen(trial_form(view, rule), send))

    def action_retry(self) -> None:
        """After a question, which has the room to say why not."""
        desk, book = self._desk, self.view.book
        messages = given_up(self._cursor, book)
        if not messages:
            self.hub_app.say("every channel has taken it, or is still to be asked")
            return

        async def tell() -> None:
            for message in messages:
                await desk.tell_again(message.id)

        why = f"{told_text(self._cursor, book)}."
        self.app.push_screen(
            QuestionScreen("Tell it again?", why, lambda: self._ask(tell, "it waits to be told again"))
        )

    def action_delete(self) -> None:
        rule, cursor, kind = self._rule, self._cursor, _KINDS[self._pane.key]
        row = next((row for row in self.panel.rows if row.key == cursor), None)
        if row is None or (rule is not None and not self._may_change(rule)):
            return
        consequence = {
            "rules": "What fires because of it ends, and nobody is told.",
            "quiet": "From now on alerts are told at that time.",
            "channels": "Nothing is sent there any more; where that was is forgotten.",
            "history": "It will not be known any more that this has happened.",
        }[kind]

        def agreed() -> None:
            self._ask(lambda: self._desk.delete(kind, cursor), f"deleted: {row.name}")

        self.app.push_screen(QuestionScreen(f"Delete {row.name}?", consequence, agreed))

    def _may_change(self, rule: Rule) -> bool:
        if self.view.book.may_change(rule):
            return True
        where = "in the hub's file of rules: change it there" if rule.origin == "file" else "for an administrator"
        self.hub_app.say(f"{rule.name} is {where}", severity="warning")
        return False

    def _open_form(self, form: Form, kind: Kind, record_id: str | None) -> None:
        self.hub_app.open_form(form, kind, record_id)

    def _ask(self, request: Callable[[], Awaitable[None]], said: str) -> None:
        def done(_answer: None) -> None:
            self.hub_app.say(said)
            self.hub_app.bridge.read_alerts()

        self.hub_app.bridge.ask(request, done, self._failed)

    def _failed(self, reason: str) -> None:
        self.hub_app.say(reason, severity="error")

    # Messages

    @on(TabClicked)
    def _tab_clicked(self, message: TabClicked) -> None:
        self.action_tab_number(message.index + 1)

    @on(LineChosen)
    def _line_chosen(self) -> None:
        self.action_open()

    @on(ValueCopied)
    def _value_copied(self, message: ValueCopied) -> None:
        self.hub_app.copy(message.text)


async def acknowledge_each(desk: "AlertDesk", alerts: Sequence[Alert]) -> list[str]:
    """Why some were not; one that is over by now is no reason to leave the others. Raises `ClientError`."""
    refused: list[str] = []
    for alert in alerts:
        try:
            await desk.acknowledge(alert.id)
        except HubRefused as error:
            refused.append(f"{alert.name}: {error}")
    return refused
