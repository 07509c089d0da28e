"""How things are written and drawn, as a person likes it: each preference once, with the values it can have."""

from datetime import UTC, datetime, tzinfo
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from beszel_protocol.units import ByteFamily, Style

SymbolsName: TypeAlias = Literal["braille", "block", "ascii"]
Times: TypeAlias = Literal["local", "utc"]
Layout: TypeAlias = Literal["table", "cards"]


class LookChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has said about it, in a file or on the screen; None: nothing."""

    symbols: SymbolsName | None = None
    sizes: Literal["binary", "decimal"] | None = None
    rates: ByteFamily | None = None
    degrees: Literal["celsius", "fahrenheit"] | None = None
    times: Times | None = None
    clock: Literal["24h", "12h"] | None = None
    layout: Layout | None = None
    groups: Literal["none", "tags"] | None = None


class Clock(NamedTuple):
    """How an instant is told."""

    zone: tzinfo | None = None
    """None: the terminal's."""
    is_twelve: bool = False
    """Twelve hours twice a day."""

    def at(self, instant_ms: int) -> datetime:
        return datetime.fromtimestamp(instant_ms / 1000, UTC).astimezone(self.zone)

    def text(self, moment: datetime, *, seconds: bool = True) -> str:
        return clock_text(moment, is_twelve=self.is_twelve, seconds=seconds)


def clock_text(moment: datetime, *, is_twelve: bool, seconds: bool) -> str:
    """`14:05:33`, or `2:05:33pm` on a clock of twelve hours, whatever the locale."""
    rest = f":{moment:%M:%S}" if seconds else f":{moment:%M}"
    if not is_twelve:
        return f"{moment:%H}{rest}"
    return f"{moment.hour % 12 or 12}{rest}{'am' if moment.hour < 12 else 'pm'}"


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    symbols: SymbolsName = "braille"
    sizes: str = "binary"
    rates: ByteFamily = ByteFamily.BINARY
    degrees: str = "celsius"
    times: Times = "local"
    clock: str = "24h"
    layout: Layout = "table"
    groups: str = "none"

    @property
    def units(self) -> Style:
        return Style(sizes=ByteFamily(self.sizes), rates=self.rates, fahrenheit=self.degrees == "fahrenheit")

    @property
    def hours(self) -> Clock:
        return Clock(UTC if self.times == "utc" else None, self.clock == "12h")


def merge(*said: LookChoices) -> Looks:
    """Who comes first has the last word."""
    values: dict[str, object] = {}
    for choices in reversed(said):
        values |= {key: value for key in Looks.__struct_fields__ if (value := getattr(choices, key)) is not None}
    return Looks(**values)  # type: ignore[arg-type]


ChoicesT = TypeVar("ChoicesT", bound=LookChoices)


def choose(choices: ChoicesT, key: str, value: str) -> ChoicesT:
    """With another value for one of them; raises msgspec.ValidationError if it cannot have that."""
    return msgspec.convert(msgspec.to_builtins(choices) | {key: value}, type(choices))


class Preference(NamedTuple):
    """A line of the settings: what can be chosen, in the order in which the key goes through it."""

    key: str
    label: str
    values: tuple[tuple[str, str], ...]
    """Each as it is kept, and as it is told."""

    def shown(self, looks: Looks) -> str:
        return dict(self.values).get(str(getattr(looks, self.key)), "")

    def after(self, looks: Looks, step: int) -> str:
        """The next value, round and round."""
        kept = [value for value, _ in self.values]
        return kept[(kept.index(str(getattr(looks, self.key))) + step) % len(kept)]


PREFERENCES: Final[tuple[Preference, ...]] = (
    Preference(
        "symbols", "Curves and signs",
        (("braille", "braille dots"), ("block", "block characters"), ("ascii", "ASCII only")),
    ),
    Preference("sizes", "Sizes", (("binary", "powers of 1024"), ("decimal", "powers of 1000"))),
    Preference(
        "rates", "Rates",
        (("binary", "bytes, powers of 1024"), ("decimal", "bytes, powers of 1000"), ("bits", "bits")),
    ),
    Preference("degrees", "Temperatures", (("celsius", "Celsius"), ("fahrenheit", "Fahrenheit"))),
    Preference("times", "Times", (("local", "of this terminal"), ("utc", "UTC"))),
    Preference("clock", "Clock", (("24h", "24 hours"), ("12h", "am and pm"))),
    Preference("layout", "Fleet", (("table", "a line a system"), ("cards", "a card a system"))),
    Preference("groups", "Groups", (("none", "none"), ("tags", "by tag"))),
)  # fmt: skip
BY_KEY: Final = {preference.key: preference for preference in PREFERENCES}
