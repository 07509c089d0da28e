"""A service and a disk in full, as a host tells when it is asked; and how that is said."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from beszel_protocol.metrics import Unit
from beszel_protocol.services import ServiceDetail
from beszel_protocol.timestamps import parse_timestamp
from beszel_protocol.units import Style as UnitStyle
from beszel_protocol.units import format_value
from beszel_tui.state.looks import Clock
from beszel_tui.state.selectors import Level, age
from beszel_tui.state.sheet import Sheet, SheetRow

SUCCESS: Final = "success"


class Question(NamedTuple):
    """What can be asked about a line of a table."""

    kind: Literal["service", "disk"]
    name: str
    """Of a service; or the key of a disk, which is its serial number where it has one."""


class Fact(NamedTuple):
    label: str
    text: str
    level: Level | None = None


class Wording(NamedTuple):
    """How numbers and instants are said."""

    units: UnitStyle
    clock: Clock
    hub_now_ms: int


class DiskAttribute(
    msgspec.Struct, frozen=True, kw_only=True,
    rename={
        "name": "n", "value": "v", "worst": "w", "threshold": "t", "number": "rv", "raw": "rs", "failed": "wf",
    },
):  # fmt: skip
    """One line of a disk's own table, by the short names that Beszel gave them."""

    name: str
    id: int | None = None
    value: int | None = None
    """Counts down to the threshold."""
    worst: int | None = None
    threshold: int | None = None
    number: float | None = None
    raw: str | None = None
    failed: str | None = None
    """`now` or `past`, if it reached its threshold."""

    @property
    def level(self) -> Level | None:
        is_low = self.value is not None and self.threshold is not None and self.value <= self.threshold > 0
        if is_low or self.failed == "now":
            return "critical"
        return "warning" if self.failed else None


class DiskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """As the hub keeps it from the last time that the disk was read."""

    serial: str = ""
    model: str = ""
    firmware: str = ""
    type: str = ""
    state: str = ""
    capacity: float | None = None
    """Bytes."""
    temp: float | None = None
    """Degrees Celsius."""
    hours: float | None = None
    """With power."""
    cycles: float | None = None
    attributes: list[DiskAttribute] | None = None
    updated: str = ""
    """An instant."""


def question_of(sheet: Sheet, row: SheetRow) -> Question | None:
    """What a host knows more of than its samples tell."""
    if sheet.key == "services":
        return Question("service", row.key)
    key = row.told.get("key")
    if sheet.key == "health" and row.told.get("kind") == "disk" and isinstance(key, str):
        return Question("disk", key)
    return None


def service_facts(told: ServiceDetail, wording: Wording) -> list[Fact]:
    """The most telling first; what is not known is left out."""
    return [fact for fact in _service_facts(told, wording) if fact.text]


def disk_facts(told: DiskRecord, wording: Wording) -> list[Fact]:
    return [fact for fact in _disk_facts(told, wording) if fact.text]


def _service_facts(told: ServiceDetail, wording: Wording) -> Iterator[Fact]:
    is_failed, is_active = told.state == "failed", told.state == "active"
    sub_state = None if told.sub_state == told.state else told.sub_state
    yield Fact("state", _joined(told.state, sub_state), "critical" if is_failed else "good" if is_active else None)
    yield Fact("since", _instant(told.active_since if is_active else told.inactive_since, wording))
    is_bad = told.result not in {None, SUCCESS}
    status = None if told.exit_status is None else f"status {told.exit_status}"
    yield Fact("last result", _joined(told.result, status), "critical" if is_bad else None)
    yield Fact("restarts", _number(told.restarts), "warning" if told.restarts else None)
    yield Fact("main process", _number(told.main_pid))
    yield Fact("started", _instant(told.started_at, wording))
    yield Fact("processor time", _value(told.cpu_seconds, Unit.SECONDS, wording))
    peak, limit = told.memory_peak_bytes, told.memory_limit_bytes
    yield Fact(
        "memory",
        _joined(
            _value(told.memory_bytes, Unit.BYTES, wording),
            _value(peak, Unit.BYTES, wording, " at most"),
            _value(limit, Unit.BYTES, wording, " allowed"),
        ),
    )
    allowed = None if told.tasks_limit is None else f"{told.tasks_limit} allowed"
    yield Fact("tasks", _joined(_number(told.tasks), allowed) if told.tasks is not None else "")
    yield Fact("at boot", told.enabled or "")
    yield Fact("user", told.user or "")
    yield Fact("unit", told.unit or "")
    yield Fact("what it is", told.description or "")
    yield Fact("file", told.file or "")
    yield Fact("control group", told.group or "")


def _disk_facts(told: DiskRecord, wording: Wording) -> Iterator[Fact]:
    levels: dict[str, Level] = {"PASSED": "good", "WARNING": "warning", "FAILED": "critical"}
    yield Fact("verdict", told.state.lower(), levels.get(told.state))
    yield Fact("told", _instant(told.updated, wording))
    yield Fact("model", told.model)
    yield Fact("serial", told.serial)
    yield Fact("firmware", told.firmware)
    yield Fact("kind", told.type)
    yield Fact("size", _value(told.capacity, Unit.BYTES, wording))
    yield Fact("temperature", _value(told.temp, Unit.CELSIUS, wording))
    yield Fact("powered on", "" if told.hours is None else f"{told.hours:.0f} hours")
    yield Fact("power cycles", _number(told.cycles))


def _instant(text: str | None, wording: Wording) -> str:
    """With how long ago that is; nothing for what is no instant."""
    try:
        instant_ms = parse_timestamp(text or "")
        moment = wording.clock.at(instant_ms)
    except (ValueError, OverflowError):
        return ""
    return f"{moment:%Y-%m-%d} {wording.clock.text(moment)}, {age(wording.hub_now_ms - instant_ms)} ago"


def _value(value: float | None, unit: Unit, wording: Wording, after: str = "") -> str:
    return "" if value is None else format_value(value, unit, wording.units) + after


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
