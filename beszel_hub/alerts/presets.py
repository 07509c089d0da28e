"""The eleven kinds of alert that Beszel knows, each as a rule."""

from typing import Final, NamedTuple

from beszel_hub.alerts.rule import STATUS, Comparison, Condition

MAX_MINUTES: Final = 60
_MEBI: Final = float(1 << 20)


class Preset(NamedTuple):
    target: str
    comparison: Comparison = "above"
    scale: float = 1.0
    """From Beszel's unit to that of the target."""


PRESETS: Final[dict[str, Preset]] = {
    "Status": Preset(STATUS),
    "CPU": Preset("cpu.usage_percent"),
    "Memory": Preset("memory.usage_percent"),
    "Disk": Preset("disk[*].usage_percent"),
    "Temperature": Preset("temperature"),
    "Bandwidth": Preset("bandwidth", scale=_MEBI),
    "GPU": Preset("gpus[*].usage_percent"),
    "LoadAvg1": Preset("cpu.load_average[0]"),
    "LoadAvg5": Preset("cpu.load_average[1]"),
    "LoadAvg15": Preset("cpu.load_average[2]"),
    "Battery": Preset("battery_percent", "below"),
}


class PresetRule(NamedTuple):
    """What of a rule a preset decides."""

    conditions: tuple[Condition, ...]
    for_seconds: int


def expand_preset(name: str, value: float, minutes: int) -> PresetRule:
    """Beszel's `value` and `min`; 0 minutes are one. Raises KeyError for a kind there is not."""
    preset = PRESETS[name]
    seconds = max(1, minutes) * 60
    if preset.target == STATUS:
        return PresetRule((Condition(target=STATUS),), seconds)
    condition = Condition(
        target=preset.target, comparison=preset.comparison, value=value * preset.scale, window_seconds=seconds
    )
    return PresetRule((condition,), 0)
