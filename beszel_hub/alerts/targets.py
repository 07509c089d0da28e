"""What a rule can watch: series of samples, and those made of several; each compiled to a quick reader.

A target names one series, or with `*` in a key all of them that match: `disk[*].usage_percent` is every filesystem by
itself, `container_down[web-*]` every container whose name begins so.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from beszel_hub.alerts.derived import DERIVED, Derived, Keys, Read, ReadBeside, Readings
from beszel_hub.alerts.rule import STATUS, InvalidRule
from beszel_hub.alerts.surroundings import Surroundings
from beszel_protocol.addresses import MAX_ADDRESS_LENGTH, Address, InvalidAddress, Step, parse_address
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import MAX_PROCESS_PATTERN_LENGTH
from beszel_protocol.metrics import Metric, Unit, shape_of
from beszel_protocol.sample import Metrics, catalogue

WILDCARD: Final = "*"
MAX_KEYS: Final = 512
"""Of one target on one system; a host that tells more is not watched beyond."""
FIRST_DAY: Final = "1"
_BY_NAME: Final = "processes.by_name["
"""Its keys are patterns themselves, which agents apply."""
LAST_DAY: Final = 31


class Target(NamedTuple):
    """Compiled by `compile_target`."""

    text: str
    label: str
    unit: Unit
    read: Read
    name: Callable[[Keys], str]
    """The text of the target that `read` gave these keys for."""
    read_one: Callable[[Metrics], float | None] | None = None
    """A quicker way for a target without wildcards."""
    read_beside: ReadBeside | None = None
    """For what is in no sample."""
    only: Keys | None = None
    """The keys of a target that stands for one series; None if it stands for as many as there are."""
    is_flag: bool = False
    needs: tuple[str, ...] = ()
    """Patterns of the catalogue, and fields, that it is read from."""
    keys_of: Callable[[Address], Keys | None] | None = None
    """Of a series the keys that `read` gives it, None if it is another; only for targets that are series themselves."""


@lru_cache(maxsize=4096)
def compile_target(text: str) -> Target:
    """Raise `InvalidRule` for what is no series, or none that its declaration lets alarm."""
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        raise InvalidRule("target", f"{error}.") from error
    derived = DERIVED.get(address[0].name) if len(address) == 1 else None
    if derived is not None:
        return _compile_derived(text, address[0], derived)
    metric = address.metric
    if metric is None:
        raise InvalidRule("target", f"There is no metric {text!r}.")
    if not metric.alarm:
        raise InvalidRule("target", f"{metric.label} is not to be watched: {text!r}.")
    return _compile_series(text, address, metric)


def watchable() -> dict[str, tuple[str, Unit]]:
    """Label and unit of everything a rule can watch, by target with wildcards."""
    series = {
        pattern.replace("[]", "[*]"): (metric.label, metric.unit)
        for pattern, metric in catalogue().items()
        if metric.alarm
    }
    return series | {name: (derived.label, derived.unit) for name, derived in DERIVED.items()}


def needs_of(targets: Iterable[str]) -> frozenset[str]:
    """Patterns of the catalogue, and fields, that these targets are read from."""
    return frozenset(need for target in targets if target != STATUS for need in compile_target(target).needs)


def reset_day_of(target: str) -> int | None:
    """On which day of the month the traffic that this target counts begins; None if it counts none."""
    step = parse_address(target)[0]
    derived = DERIVED.get(step.name)
    return None if derived is None or derived.keyed != "by day" else int(step.key or FIRST_DAY)


def process_name_of(target: str) -> str | None:
    """The pattern of names of processes that this target counts; None for any other target."""
    if not target.startswith(_BY_NAME):
        return None
    return parse_address(target)[-1].key


def keys_in(target: str, name: str) -> Keys | None:
    """The keys that `target` gives what has this name; None if it does not stand for it. Raise `InvalidAddress`."""
    compiled, found = compile_target(target), parse_address(name)
    if compiled.keys_of is not None:
        return compiled.keys_of(found)
    step, (first, *rest) = parse_address(target)[0], found
    derived = DERIVED[step.name]
    if rest or first.name != step.name:
        return None
    if derived.keyed == "never":
        return ()
    default = FIRST_DAY if derived.keyed == "by day" else ""
    key = first.key or default
    pattern = step.key or default if derived.keyed == "by day" else step.key
    return (key,) if _matcher(pattern)(key) else None


def counts_events(target: str) -> bool:
    derived = DERIVED.get(target.partition("[")[0])
    return derived is not None and derived.event is not None


def counted_event_of(name: str) -> tuple[str, str] | None:
    """Kind and subject of the events that what has this name counts; None for anything else."""
    if not counts_events(name) or len(name) > MAX_ADDRESS_LENGTH:
        return None
    step = parse_address(name)[0]
    event = DERIVED[step.name].event
    return None if event is None or step.key is None else (event, step.key)


def judges_containers(target: str) -> bool:
    """Whether it goes by what engines say of containers, which is in no sample."""
    derived = DERIVED.get(target.partition("[")[0])
    return derived is not None and derived.read_beside is not None and derived.is_flag


def _compile_series(text: str, address: Address, metric: Metric) -> Target:
    is_wild = not text.startswith(_BY_NAME) and any(WILDCARD in (step.key or "") for step in address)
    find = _finder(tuple(address), Metrics, is_literal=text.startswith(_BY_NAME))
    _check_process_name(process_name_of(text))

    def name(keys: Keys) -> str:
        if not is_wild:
            return text
        rest = iter(keys)
        return str(Address(step._replace(key=next(rest)) if WILDCARD in (step.key or "") else step for step in address))

    return Target(
        text, metric.label, metric.unit, find, name, None if is_wild else _first_of(find, address),
        only=None if is_wild else (),
        needs=(address.pattern,), keys_of=_key_finder(address, is_literal=text.startswith(_BY_NAME)),
    )  # fmt: skip


def _key_finder(target: Address, *, is_literal: bool) -> Callable[[Address], Keys | None]:
    wild = [not is_literal and WILDCARD in (step.key or "") for step in target]
    matchers = [(step.key or "").__eq__ if is_literal else _matcher(step.key) for step in target]
    pattern = target.pattern

    def keys_of(found: Address) -> Keys | None:
        if found.pattern != pattern:
            return None
        texts = [step.key or "" for step in found]
        if not all(
            step.key is None or matches(text) for step, matches, text in zip(found, matchers, texts, strict=True)
        ):
            return None
        return tuple(text for text, is_wild in zip(texts, wild, strict=True) if is_wild)

    return keys_of


def _check_process_name(name: str | None) -> None:
    if name is not None and (not name.strip(WILDCARD) or name != clean_text(name, MAX_PROCESS_PATTERN_LENGTH)):
        raise InvalidRule("target", f"Name the processes to count, in up to {MAX_PROCESS_PATTERN_LENGTH} characters.")


def _compile_derived(text: str, step: Step, derived: Derived) -> Target:
    key, is_flag = step.key, derived.is_flag
    if derived.keyed == "never" and key not in {None, WILDCARD}:
        raise InvalidRule("target", f"There is one {derived.label} only, not {text!r}.")
    if derived.keyed == "by day":
        key = key or FIRST_DAY
        if not (key.isascii() and key.isdecimal() and 1 <= int(key) <= LAST_DAY):
            raise InvalidRule("target", f"A month begins on one of its days, from 1 to {LAST_DAY}, not {key!r}.")
    is_wild = key is None or WILDCARD in key
    matches = _matcher(None if key is None or derived.keyed == "never" else key)

    def name(keys: Keys) -> str:
        return str(Address((Step(step.name, keys[0]),))) if keys and derived.keyed == "by name" else text

    def read(metrics: Metrics) -> Readings:
        if derived.read is not None:
            yield from ((keys, value) for keys, value in derived.read(metrics) if not keys or matches(keys[0]))

    def read_beside(around: Surroundings, window_ms: int) -> Readings:
        if derived.read_beside is not None:
            found = derived.read_beside(around, window_ms)
            yield from ((keys, value) for keys, value in found if matches(keys[0]))

    return Target(
        text, derived.label, derived.unit, read, name, None,
        read_beside=None if derived.read_beside is None else read_beside, is_flag=is_flag,
        only=() if derived.keyed == "never" else None if is_wild else (key or "",), needs=derived.needs,
    )  # fmt: skip


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    """Of a key by its pattern, in which `*` stands for anything; without one every key matches."""
    if pattern is None or pattern == WILDCARD:
        return lambda _: True
    if WILDCARD not in pattern:
        return pattern.__eq__
    form = re.compile(".*".join(map(re.escape, pattern.split(WILDCARD))), re.DOTALL)
    return lambda key: form.fullmatch(key) is not None


def _first_of(find: Read, address: Address) -> Callable[[Metrics], float | None]:
    """The two commonest shapes, without a generator."""
    names = [step.name for step in address if step.key is None]
    if len(address) == len(names) == 2:
        first, second = names

        def read_pair(metrics: Metrics) -> float | None:
            part = getattr(metrics, first)
            value: float | None = None if part is None else getattr(part, second)
            return value

        return read_pair
    return lambda metrics: next((value for _, value in find(metrics)), None)


def _finder(steps: tuple[Step, ...], struct: type[msgspec.Struct], *, is_literal: bool) -> Callable[[Any], Readings]:
    """Follows one step, then the rest."""
    (name, key), rest = steps[0], steps[1:]
    shape = shape_of(struct)[name]
    is_wild = not is_literal and key is not None and WILDCARD in key
    matches = _matcher(key)
    below = _leaf if not rest else _finder(rest, shape.struct or struct, is_literal=is_literal)

    def find(node: Any) -> Readings:
        value = getattr(node, name)
        if value is None:
            return
        if shape.container is None:
            yield from below(value)
            return
        for found_key, item in _items(value, None if is_wild else key, shape.key_field):
            if not is_wild:
                yield from below(item)
            elif matches(found_key):
                yield from (((found_key, *keys), reading) for keys, reading in below(item))

    return find


def _leaf(value: Any) -> Readings:
    yield (), value


def _items(value: Any, key: str | None, key_field: str | None) -> Iterator[tuple[str, Any]]:
    """Of a dictionary or a list the item that the key names, or all of them."""
    if isinstance(value, dict):
        if key is None:
            yield from value.items()
        elif key in value:
            yield key, value[key]
        return
    for index, item in enumerate(value):
        found = str(index) if key_field is None else str(getattr(item, key_field))
        if key is None or key == found:
            yield found, item
