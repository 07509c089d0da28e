"""The sensors of `/sys/class/hwmon` and what they are called; the kernel's `hwmon/sysfs-interface` has the layout."""

import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.device_files import DeviceFiles
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_agent.wildcards import allows
from beszel_protocol.hygiene import clean_text

MAX_SENSORS: Final = 256

_FIND_AGAIN_SECONDS: Final = 60
"""How long what was found holds while the directories list the same: a name may come to stand for another device."""
_SPARING_SECONDS: Final = 60
"""Between two readings of a device that may fall asleep when nobody asks it anything."""
_SUSPENDED: Final = "suspended"
_MAY_SLEEP: Final = "auto"
_NO_FAULT: Final = "0"


class Sensor(NamedTuple):
    """One attribute of a chip."""

    base: str
    """What it is called if no other is called so."""
    device: str
    """The device below, as the kernel names it; tells two of the same kind apart."""
    path: str
    fault_path: str | None = None
    power: str | None = None
    """The directory that says whether the device sleeps; reading the sensor would wake it."""


class SensorNames:
    """Keys of series. Who got one keeps it while the agent runs, whatever is plugged in or out around it."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def name(self, sensors: Iterable[Sensor]) -> dict[str, Sensor]:
        """The first of several that are called the same has the plain name, the others add that of their device."""
        named: dict[str, Sensor] = {}
        sensors = tuple(sensors)
        present = {_identity(sensor) for sensor in sensors}
        if len(self._owners) > MAX_SENSORS:
            self._owners = {key: owner for key, owner in self._owners.items() if owner in present}
        for sensor in sensors:
            key = next(key for key in self._candidates(sensor) if key not in named and self._may_have(key, sensor))
            self._owners[key] = _identity(sensor)
            named[key] = sensor
        return named

    def _may_have(self, key: str, sensor: Sensor) -> bool:
        return self._owners.get(key, _identity(sensor)) == _identity(sensor)

    def _candidates(self, sensor: Sensor) -> Iterator[str]:
        device, stem = as_word(sensor.device), sensor.path.rpartition("/")[2].partition("_")[0]
        is_sibling = self._owners.get(sensor.base, "").partition("\0")[0] == sensor.device
        yield sensor.base
        yield f"{sensor.base}_{stem if is_sibling else device}"
        yield f"{sensor.base}_{device}_{stem}"
        for number in itertools.count(2):
            yield f"{sensor.base}_{device}_{stem}_{number}"


class SensorBank:
    """The sensors of one kind that this host has at the moment."""

    def __init__(
        self,
        find: Callable[[], Iterable[Sensor]],
        directories: tuple[str, ...],
        files: DeviceFiles,
        rules: tuple[str, ...] | None = None,
    ) -> None:
        """`directories` are listed to see whether something came or went, `rules` the names that are wanted."""
        self._find, self._directories, self._rules = find, directories, rules
        self.files = files
        self._names = SensorNames()
        self._listing: tuple[frozenset[str], ...] = ()
        self._found_at = 0.0
        self._sensors: dict[str, Sensor] = {}
        self._kept: dict[str, tuple[float, str | None]] = {}
        self.refused = 0
        """How many the rules leave out."""

    def find(self, now: float) -> dict[str, Sensor]:
        listing = tuple(frozenset(list_names(directory)) for directory in self._directories)
        if listing != self._listing or now - self._found_at >= _FIND_AGAIN_SECONDS:
            named = self._names.name(list(self._find())[:MAX_SENSORS])
            self._sensors = {key: sensor for key, sensor in named.items() if allows(key, self._rules)}
            self.refused = len(named) - len(self._sensors)
            self._kept = {key: kept for key, kept in self._kept.items() if key in self._sensors}
            self._listing, self._found_at = listing, now
        return self._sensors

    def read(self, now: float) -> Iterator[tuple[str, str | None]]:
        """Each sensor with what it says, or None; those of a sleeping device and of a broken line are left out."""
        asleep: dict[str | None, bool] = {None: False}
        for key, sensor in self.find(now).items():
            power = sensor.power
            if power not in asleep:
                asleep[power] = power is not None and is_suspended(f"{power}/runtime_status")
            if asleep[power]:
                self._kept.pop(key, None)
                continue
            if sensor.fault_path is not None and self.files.read(sensor.fault_path) not in {None, _NO_FAULT}:
                continue
            yield key, self._read_sparingly(key, sensor, now)

    def _read_sparingly(self, key: str, sensor: Sensor, now: float) -> str | None:
        if sensor.power is None or read_text_or_none(f"{sensor.power}/control") != _MAY_SLEEP:
            return self.files.read(sensor.path)
        kept = self._kept.get(key)
        if kept is None or now - kept[0] >= _SPARING_SECONDS:
            kept = self._kept[key] = (now, self.files.read(sensor.path))
        return kept[1]


def find_sensors(paths: HostPaths, kind: str) -> Iterator[Sensor]:
    """Every `<kind><number>_input`, in an order that only depends on the devices; `kind` is `temp` or `fan`."""
    directory = paths.sys("class/hwmon")
    chips = [(_device_path(f"{directory}/{name}"), f"{directory}/{name}") for name in list_names(directory)]
    for device, chip in sorted(chips, key=lambda pair: natural(pair[0])):
        yield from _sensors_of(chip, device, kind)


def is_suspended(status_path: str) -> bool:
    """Whether the device whose `power/runtime_status` this is sleeps."""
    return read_text_or_none(status_path) == _SUSPENDED


def list_names(directory: str) -> list[str]:
    """What is in a directory; nothing if it cannot be listed."""
    try:
        return os.listdir(directory)  # noqa: PTH208 - names are all that is wanted, and it is read every few seconds
    except OSError:
        return []


def natural(text: str) -> list[tuple[int, str]]:
    """Sorts `nvme10` behind `nvme2`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def as_word(label: str) -> str:
    """`Package id 0` as `package_id_0`."""
    return "_".join(clean_text(label).lower().split())


def _sensors_of(chip: str, device: str, kind: str) -> Iterator[Sensor]:
    name = read_text_or_none(f"{chip}/name") or read_text_or_none(f"{chip}/device/name") or "hwmon"
    pattern = re.compile(rf"({kind}(\d+))_input", re.ASCII)
    # Drivers that were never moved to the present interface have their attributes on the device below.
    for directory in (chip, f"{chip}/device"):
        files = set(list_names(directory))
        found = [match for file in sorted(files, key=natural) if (match := pattern.fullmatch(file))]
        for match in found:
            stem = match[1]
            label = read_text_or_none(f"{directory}/{stem}_label") or ("" if kind == "temp" else stem)
            yield Sensor(
                base="_".join(filter(None, (as_word(name), as_word(label)))),
                device=device.rpartition("/")[2],
                path=f"{directory}/{match[0]}",
                fault_path=f"{directory}/{stem}_fault" if f"{stem}_fault" in files else None,
                power=_power(chip),
            )
        if found:
            return


def _device_path(chip: str) -> str:
    """Of the device below a chip, the same after every start; of a chip without one, its own."""
    return os.path.realpath(f"{chip}/device") if os.path.islink(f"{chip}/device") else chip  # noqa: PTH114


def _power(chip: str) -> str | None:
    directory = f"{chip}/device/power"
    return directory if read_text_or_none(f"{directory}/runtime_status") not in {None, "unsupported"} else None


def _identity(sensor: Sensor) -> str:
    return f"{sensor.device}\0{sensor.path.rpartition('/')[2]}"
