"""The GPU of NVIDIA's Jetson boards, which is no PCI device: load, temperature and power by sysfs.

Its memory is the host's and is told there.
"""

import re
from collections.abc import Iterator
from typing import ClassVar, Final, Self

from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.gpu.cards import read_number
from beszel_agent.gpu.clients import DrmClients
from beszel_agent.hwmon import list_names, natural
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import GpuMetrics

_KEY: Final = "gpu"
_DEVICE: Final = re.compile(r"[0-9a-f]+\.(gpu|gp10b|gv11b|ga10b|gb10b)|gpu\.0", re.ASCII)
_ZONES: Final = frozenset({"gpu-therm", "gpu-thermal", "gpu_therm", "gpu"})
_GPU_RAILS: Final = ("VDD_GPU", "VDD_GPU_SOC", "VDD_CPU_GPU_CV", "VDD_SYS_GPU", "GPU", "POM_5V_GPU")
_BOARD_RAILS: Final = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0", "VDD_MUX")
"""What feeds everything, on the boards that measure it."""


class JetsonReader:
    name: ClassVar[str] = "jetson"

    def __init__(self, paths: HostPaths, load_path: str) -> None:
        self._load_path = load_path
        self._temperature_path = _find_temperature(paths)
        rails = dict(_find_rails(paths))
        self._gpu_rail = next((rails[name] for name in _GPU_RAILS if name in rails), None)
        self._board_rail = next((rails[name] for name in _BOARD_RAILS if name in rails), None)
        model = read_text_or_none(paths.proc("device-tree/model"))
        self._model = clean_text(model).strip() if model is not None else None

    @classmethod
    def probe(cls, paths: HostPaths, clients: DrmClients) -> Self:
        path = next(_find_loads(paths), None)
        if path is None:
            raise Unavailable("no GPU of a Jetson board")
        return cls(paths, path)

    def read(self, now: float) -> dict[str, GpuMetrics]:
        load = read_number(self._load_path)
        if load is None or not 0 <= load <= 1000:
            raise ReadingFailed(f"{self._load_path} tells no load")
        millidegrees = read_number(self._temperature_path) if self._temperature_path is not None else None
        metrics = GpuMetrics(
            name=self._model,
            usage_percent=load / 10,
            temperature_celsius=None if not millidegrees else round(millidegrees / 1000, 1),
            power_watts=_watts(self._gpu_rail),
            package_power_watts=_watts(self._board_rail),
        )
        return {_KEY: metrics}


def _find_loads(paths: HostPaths) -> Iterator[str]:
    """The load is in thousandths."""
    for directory in ("class/devfreq", "devices/platform", "devices"):
        for name in sorted(list_names(paths.sys(directory)), key=natural):
            if _DEVICE.fullmatch(name):
                for path in (f"{directory}/{name}/device/load", f"{directory}/{name}/load"):
                    if read_text_or_none(paths.sys(path)) is not None:
                        yield paths.sys(path)


def _find_temperature(paths: HostPaths) -> str | None:
    directory = paths.sys("class/thermal")
    for name in sorted(list_names(directory), key=natural):
        if (read_text_or_none(f"{directory}/{name}/type") or "").lower() in _ZONES:
            return f"{directory}/{name}/temp"
    return None


def _find_rails(paths: HostPaths) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each measured rail by its name: one file in milliwatts, or two in millivolts and milliamperes."""
    hwmon = paths.sys("class/hwmon")
    for chip in sorted(list_names(hwmon), key=natural):
        for number in range(1, 4):
            label = read_text_or_none(f"{hwmon}/{chip}/in{number}_label")
            if label is not None:
                yield label, (f"{hwmon}/{chip}/in{number}_input", f"{hwmon}/{chip}/curr{number}_input")
    drivers = paths.sys("bus/i2c/drivers/ina3221x")
    for address in sorted(list_names(drivers)):
        for device in sorted(list_names(f"{drivers}/{address}")):
            if device.startswith("iio:device"):
                directory = f"{drivers}/{address}/{device}"
                for number in range(3):
                    label = read_text_or_none(f"{directory}/rail_name_{number}")
                    if label is not None:
                        yield label, (f"{directory}/in_power{number}_input",)


def _watts(rail: tuple[str, ...] | None) -> float | None:
    if rail is None:
        return None
    values = [read_number(path) for path in rail]
    known = [value for value in values if value is not None and value >= 0]
    if len(known) != len(values):
        return None
    return round(known[0] / 1e3 if len(known) == 1 else known[0] * known[1] / 1e6, 2)
