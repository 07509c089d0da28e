"""Who is logged in as psutil tells it, on systems other than Linux."""

from typing import ClassVar, Self

import psutil

from beszel_agent.collector import NeverWaits
from beszel_agent.collectors.logins import login_metrics
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics


class PsutilLoginsCollector(NeverWaits):
    name: ClassVar[str] = "logins"
    fields: ClassVar[tuple[str, ...]] = ("logins",)
    pace_seconds: ClassVar[float] = 60

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls()

    def collect(self, now: float) -> Metrics:
        return Metrics(logins=login_metrics(session.name for session in psutil.users()))
