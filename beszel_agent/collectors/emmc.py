"""Wear of eMMC memory, from `/sys/class/block/mmcblk*/device`; the fields are those of JEDEC's extended CSD."""

from typing import ClassVar, Final, Self

from beszel_agent.collector import ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths, list_names, read_number_or_none, read_text_or_none
from beszel_agent.severity import CONCERN, FAILED, SOUND, Finding, in_words, worst
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import SmartMetrics

_SECTOR_BYTES: Final = 512
_EXCEEDED: Final = 11
"""Of the steps of a tenth in which the lifetime is told: past its end."""
_SPARE_STATES: Final = {
    1: Finding(SOUND, "sound"),
    2: Finding(CONCERN, "80 % of the reserved blocks are used"),
    3: Finding(FAILED, "90 % of the reserved blocks are used"),
}


class EmmcCollector(ToldOnce):
    name: ClassVar[str] = "emmc"
    fields: ClassVar[tuple[str, ...]] = ("smart",)
    pace_seconds: ClassVar[float] = 60

    def __init__(self, paths: HostPaths, names: list[str]) -> None:
        self._paths, self._names = paths, names

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        names = [name for name in list_names(paths.sys("class/block")) if _tells_wear(paths, name)]
        if not names:
            raise Unavailable("no eMMC memory that tells its wear")
        return cls(paths, names)

    def collect(self, now: float) -> Metrics:
        return Metrics(smart=dict(read_emmc(self._paths, name) for name in self._names))


def read_emmc(paths: HostPaths, name: str) -> tuple[str, SmartMetrics]:
    """Its key and what it tells."""

    def attribute(field: str) -> str | None:
        return read_text_or_none(paths.sys(f"class/block/{name}/device/{field}"))

    wear_percent = parse_life_time(attribute("life_time") or "")
    spare = _SPARE_STATES.get(_hexadecimal(attribute("pre_eol_info") or "") or 0)
    findings = [spare] if spare is not None and spare.severity else []
    if wear_percent is not None and wear_percent > 100:
        findings.append(Finding(CONCERN, "past its rated life"))
    sectors = read_number_or_none(paths.sys(f"class/block/{name}/size"))
    metrics = SmartMetrics(
        severity=worst(findings) if spare is not None or findings else None,
        state=in_words(findings, "sound" if spare is not None else "unknown"),
        device=f"/dev/{name}",
        model=attribute("name"),
        type="emmc",
        total_bytes=None if sectors is None else sectors * _SECTOR_BYTES,
        wear_percent=wear_percent,
    )
    return attribute("serial") or name, metrics


def parse_life_time(text: str) -> float | None:
    """The worse of the estimates for the two kinds of memory, each in steps of a tenth; 110 is past the end."""
    steps = [step for word in text.split() if (step := _hexadecimal(word)) and step <= _EXCEEDED]
    return float(10 * max(steps)) if steps else None


def _tells_wear(paths: HostPaths, name: str) -> bool:
    """Of the whole device, not of its partitions and boot areas."""
    is_whole = name.startswith("mmcblk") and name.removeprefix("mmcblk").isdigit()
    return is_whole and read_text_or_none(paths.sys(f"class/block/{name}/device/life_time")) is not None


def _hexadecimal(word: str) -> int | None:
    try:
        return int(word, 16)
    except ValueError:
        return None
