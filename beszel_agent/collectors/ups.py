"""Uninterruptible power supplies, asked of Network UPS Tools through its client `upsc`, which only this file starts."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import ClassVar, Final, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics, UpsMetrics

_COMMAND: Final = "upsc"
_ANSWER_SECONDS: Final = 5.0
_MAX_UPSES: Final = 16
_LIST_AGAIN_SECONDS: Final = 300
_LONGEST_REST_SECONDS: Final = 300.0
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": os.defpath, "NUT_QUIET_INIT_SSL": "true"}


class UpsCollector:
    name: ClassVar[str] = "ups"
    fields: ClassVar[tuple[str, ...]] = ("ups",)
    pace_seconds: ClassVar[float] = 15
    timeout_seconds: ClassVar[float] = 60

    def __init__(self, command: str, names: tuple[str, ...] | None) -> None:
        """`names` are those to ask for; None asks the host's own server which it has."""
        self._command, self._wanted = command, names
        self._names: tuple[str, ...] = names or ()
        self._listed_at = float("-inf")
        self._rest_seconds = self._rests_until = 0.0
        self._failure = ""

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if config.ups is not None and not config.ups:
            raise Unavailable("UPS is set and empty: none is asked for")
        command = shutil.which(_COMMAND)
        if command is None:
            raise Unavailable("there is no upsc; install nut-client to have a UPS read")
        return cls(command, config.ups)

    def collect(self, now: float) -> Metrics:
        if now < self._rests_until:
            raise ReadingFailed(self._failure)
        try:
            found = self._read(now)
        except ReadingFailed as error:
            # A client without a server costs a process at every attempt, so the attempts become rare.
            self._failure = str(error)
            self._rest_seconds = min(_LONGEST_REST_SECONDS, 2 * self._rest_seconds or self.pace_seconds)
            self._rests_until = now + self._rest_seconds
            raise
        self._rest_seconds = 0.0
        return Metrics(ups=found)

    def _read(self, now: float) -> dict[str, UpsMetrics]:
        if self._wanted is None and now - self._listed_at >= _LIST_AGAIN_SECONDS:
            self._names = tuple(run_upsc(self._command, "-l").split())
            self._listed_at = now
        found: dict[str, UpsMetrics] = {}
        reasons = ["the server has none"]
        for name in self._names[:_MAX_UPSES]:
            try:
                metrics = read_variables(parse_variables(run_upsc(self._command, "--", name)))
            except ReadingFailed as error:
                reasons.append(str(error))
                continue
            if metrics != UpsMetrics():
                found[clean_text(name)] = metrics
        if not found:
            self._listed_at = float("-inf")
            raise ReadingFailed(f"no UPS tells anything: {reasons[-1]}")
        return found


def run_upsc(command: str, *arguments: str) -> str:
    """What it prints. Raise `ReadingFailed` with what it complains of, also if it does not end in time."""
    try:
        finished = subprocess.run(  # noqa: S603 - argv of a fixed command, after `--` only names
            [command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReadingFailed(f"upsc {arguments[-1]}: no answer within {_ANSWER_SECONDS:g} s") from error
    if finished.returncode != 0:
        complaints = finished.stderr.decode("utf-8", "replace").split("\n")
        why = next((line for line in complaints if line.startswith("Error")), f"exit status {finished.returncode}")
        raise ReadingFailed(f"upsc {arguments[-1]}: {clean_text(why)}")
    return finished.stdout.decode("utf-8", "replace")


def parse_variables(text: str) -> dict[str, str]:
    """NUT's variables by name, from lines such as `battery.charge: 100`."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def read_variables(variables: Mapping[str, str]) -> UpsMetrics:
    status = clean_text(variables.get("ups.status", "")).strip() or None
    words = (status or "").split()
    return UpsMetrics(
        charge_percent=_at_most(100, _number(variables, "battery.charge")),
        load_percent=_at_most(100, _number(variables, "ups.load")),
        runtime_seconds=_number(variables, "battery.runtime"),
        power_watts=_power(variables),
        on_battery=1 if "OB" in words else 0 if "OL" in words else None,
        status=status,
    )


def _power(variables: Mapping[str, str]) -> float | None:
    watts = _number(variables, "ups.realpower")
    if watts is not None:
        return watts
    load, nominal = _number(variables, "ups.load"), _number(variables, "ups.realpower.nominal")
    return None if load is None or nominal is None else round(load * nominal / 100, 1)


def _number(variables: Mapping[str, str], name: str) -> float | None:
    """Drivers write `100`, `100.0` and `0100`; what is below zero is how some of them say that they do not know."""
    try:
        value = float(variables[name])
    except (KeyError, ValueError):
        return None
    return value if 0 <= value < 1e9 else None


def _at_most(largest: float, value: float | None) -> float | None:
    return None if value is None else min(largest, value)
