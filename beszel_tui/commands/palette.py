"""What ctrl+p finds: systems, actions of the screen, commands and themes, all fuzzily."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from beszel_tui.commands.line import COMMANDS
from beszel_tui.commands.matching import fit_of
from beszel_tui.state.cells import shown_text
from beszel_tui.state.selectors import natural_key, status_note

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


class Entry(NamedTuple):
    text: str
    help: str
    run: Callable[[], object]
    discover: bool = True


class _EntryProvider(Provider):
    """Searches the entries of a subclass."""

    lead: ClassVar[float] = 0.0
    """What its entries have before those of others that fit as well."""

    @property
    def hub_app(self) -> "BeszelApp":
        return cast("BeszelApp", self.app)

    def entries(self) -> Iterator[Entry]:
        raise NotImplementedError

    async def discover(self) -> Hits:
        for entry in self.entries():
            if entry.discover:
                text = shown_text(entry.text)
                yield DiscoveryHit(Content(text), entry.run, text=text, help=entry.help)

    async def search(self, query: str) -> Hits:
        for entry in self.entries():
            text = shown_text(entry.text)
            fit = fit_of(query, text)
            if fit is not None:
                shown = Content(text)
                for place in fit.places:
                    shown = shown.stylize(self.match_style or "bold", place, place + 1)
                yield Hit(fit.score + self.lead, shown, entry.run, text=text, help=entry.help)


class SystemEntries(_EntryProvider):
    lead = 0.6

    def entries(self) -> Iterator[Entry]:
        state = self.hub_app.bridge.state
        for row in sorted(state.systems.values(), key=lambda row: natural_key(row.name)):
            note = status_note(row, state.hub_now_ms) or "up"
            yield Entry(
                row.name, f"open the system ({note})", partial(self.hub_app.open_system, row.id), discover=False
            )


class ActionEntries(_EntryProvider):
    """Every binding of the screen below the palette: the same list as footer and help."""

    lead = 0.3

    def entries(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.id and binding.tooltip and binding.id not in seen:
                seen.add(binding.id)
                key = binding.key_display or binding.key
                yield Entry(binding.tooltip, f"key {key}", partial(self.app.simulate_key, binding.key))


class CommandEntries(_EntryProvider):
    """The commands that need no argument, and those with a known one spelled out."""

    def entries(self) -> Iterator[Entry]:
        for command in COMMANDS:
            if not command.needs_argument:
                yield Entry(command.name, command.help, partial(self.hub_app.run_command, command.name), discover=False)
            for choice in command.choices(self.hub_app) if command.name != "open" else ():
                text = f"{command.name} {choice}"
                yield Entry(text, command.help, partial(self.hub_app.run_command, text), discover=False)
