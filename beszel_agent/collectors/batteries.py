"""Charge and state of the batteries, from `/sys/class/power_supply`; the format is the kernel's `sysfs-class-power`."""

from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.device_files import DeviceFiles, parse_integer
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.hwmon import list_names, natural
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import BatteryMetrics, Metrics

_FIND_AGAIN_SECONDS: Final = 60
_MICRO: Final = 1_000_000
_STATES: Final = {
    "Charging": "charging",
    "Discharging": "discharging",
    "Empty": "empty",
    "Full": "full",
    "Not charging": "idle",
}

Read = Callable[[str], str | None]


class Battery(NamedTuple):
    """What does not change while it is in its slot."""

    directory: str
    name: str
    is_systems: bool
    """Feeds the host itself, not a mouse or a headset."""
    full_microwatt_hours: float


class BatteriesCollector:
    name: ClassVar[str] = "batteries"
    fields: ClassVar[tuple[str, ...]] = ("batteries",)
    # Every reading makes the firmware of many laptops ask the battery over its slow bus.
    pace_seconds: ClassVar[float] = 10

    def __init__(self, paths: HostPaths, config: Config) -> None:
        self._directory = paths.sys("class/power_supply")
        self._files = DeviceFiles(config.sensors_timeout)
        self._listing: frozenset[str] = frozenset()
        self._found_at = float("-inf")
        self._batteries: list[Battery] = []
        self.timeout_seconds = config.sensors_timeout

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.batteries_psutil import PsutilBatteriesCollector  # noqa: PLC0415

            return PsutilBatteriesCollector.probe(paths, config)
        directory = paths.sys("class/power_supply")
        if not any(_is_battery(f"{directory}/{name}") for name in list_names(directory)):
            raise Unavailable("no battery in /sys/class/power_supply")
        return cls(paths, config)

    def find(self, now: float) -> list[Battery]:
        """Those in their slots, the one that stands for the host first."""
        listing = frozenset(list_names(self._directory))
        if listing != self._listing or now - self._found_at >= _FIND_AGAIN_SECONDS:
            self._batteries = find_batteries(self._directory, self._files.read)
            self._listing, self._found_at = listing, now
        return self._batteries

    def shortfall(self) -> str | None:
        return self._files.shortfall()

    def collect(self, now: float) -> Metrics:
        batteries = self.find(now)
        found: dict[str, BatteryMetrics] = {}
        for battery in batteries:
            metrics = read_battery(battery.directory, self._files.read)
            if metrics is not None:
                found[battery.name] = metrics
        if batteries and not found:
            raise ReadingFailed(f"none of {len(batteries)} batteries tells its charge")
        return Metrics(batteries=found or None)


def find_batteries(directory: str, read: Read) -> list[Battery]:
    """The host's own before those of other devices, then the larger before the smaller, then by name."""
    found: list[Battery] = []
    for slot in sorted(list_names(directory), key=natural):
        path = f"{directory}/{slot}"
        if not _is_battery(path):
            continue
        model = read(f"{path}/model_name") or read(f"{path}/model") or slot
        name = clean_text(model).strip() or slot
        if any(battery.name == name for battery in found):
            name = f"{name} {slot}"
        found.append(Battery(path, name, read(f"{path}/scope") != "Device", _full_energy(path, read)))
    return sorted(found, key=lambda battery: (not battery.is_systems, -battery.full_microwatt_hours, battery.name))


def read_battery(path: str, read: Read) -> BatteryMetrics | None:
    """None if the slot is empty, or the battery tells neither charge nor state."""
    if read(f"{path}/present") == "0":
        return None
    charge = _charge(path, read)
    state = _STATES.get(read(f"{path}/status") or "")
    if charge is None and state is None:
        return None
    return BatteryMetrics(
        charge_percent=charge, state=state, power_watts=_power(path, read), health_percent=_health(path, read)
    )


def _is_battery(path: str) -> bool:
    return read_text_or_none(f"{path}/type") == "Battery"


def _charge(path: str, read: Read) -> float | None:
    told = parse_integer(read(f"{path}/capacity"))
    if told is not None and told >= 0:
        return min(100.0, told)  # one that was just charged may tell a little more
    for kind in ("energy", "charge"):
        now, full = parse_integer(read(f"{path}/{kind}_now")), parse_integer(read(f"{path}/{kind}_full"))
        if now is not None and full:
            return round(min(100.0, max(0.0, 100 * now / full)), 1)
    return None


def _power(path: str, read: Read) -> float | None:
    """Without a sign: drivers do not agree on one."""
    power: float | None = parse_integer(read(f"{path}/power_now"))
    if power is None:
        current, volts = parse_integer(read(f"{path}/current_now")), parse_integer(read(f"{path}/voltage_now"))
        power = None if current is None or volts is None else current * volts / _MICRO
    return None if power is None else round(abs(power) / _MICRO, 2)


def _health(path: str, read: Read) -> float | None:
    """At most 100: a new battery often holds a little more than it was made for."""
    for kind in ("energy", "charge"):
        full, design = parse_integer(read(f"{path}/{kind}_full")), parse_integer(read(f"{path}/{kind}_full_design"))
        if full is not None and full > 0 and design is not None and design > 0:
            return round(min(100.0, 100 * full / design), 1)
    return None


def _full_energy(path: str, read: Read) -> float:
    energy = parse_integer(read(f"{path}/energy_full"))
    if energy is not None:
        return energy
    charge = parse_integer(read(f"{path}/charge_full"))
    volts = parse_integer(read(f"{path}/voltage_min_design")) or parse_integer(read(f"{path}/voltage_now"))
    return (charge or 0) * (volts or 0) / _MICRO
