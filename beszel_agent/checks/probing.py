"""Makes one check: picks its kind, holds it to its time-out, and turns what comes of it into what a sample tells."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from beszel_agent.checks.network import Network
from beszel_agent.checks.outcome import Outcome, down, not_made, to_metrics
from beszel_agent.errors import CheckRefused, TargetDown
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.sample import CheckMetrics

Check: TypeAlias = Callable[[CheckDefinition], Awaitable[Outcome]]


class Prober:
    """The code of a kind is loaded with the first check of it, off the loop."""

    def __init__(self, paths: HostPaths, ca_file: str | None, network: Network | None = None) -> None:
        self._paths, self._ca_file = paths, ca_file
        self._network = network or Network()
        self._checks: dict[str, Check] = {}

    async def probe(self, definition: CheckDefinition) -> CheckMetrics:
        """Make a check that `problems_of` has nothing against. Raises nothing that a target can bring about."""
        try:
            async with asyncio.timeout(definition.timeout_seconds):
                check = await self._check_of(definition.kind)
                outcome = await check(definition)
        except TimeoutError:
            return down(f"no answer within {definition.timeout_seconds:g} s")
        except TargetDown as error:
            return down(str(error))
        except CheckRefused as error:
            return not_made(str(error))
        return to_metrics(outcome, time.time())

    async def _check_of(self, kind: str) -> Check:
        if kind not in self._checks:
            check = await asyncio.to_thread(_KINDS[kind], self._network, self._paths, self._ca_file)
            self._checks.setdefault(kind, check)
        return self._checks[kind]


def _make_http(network: Network, paths: HostPaths, ca_file: str | None) -> Check:  # noqa: ARG001
    from beszel_agent.checks.http import check_http  # noqa: PLC0415
    from beszel_agent.checks.tls import TlsContexts  # noqa: PLC0415

    tls = TlsContexts(ca_file)
    return lambda definition: check_http(definition, network, tls)


def _make_tcp(network: Network, paths: HostPaths, ca_file: str | None) -> Check:  # noqa: ARG001
    from beszel_agent.checks.tcp import check_tcp  # noqa: PLC0415

    return lambda definition: check_tcp(definition, network)


def _make_ping(network: Network, paths: HostPaths, ca_file: str | None) -> Check:  # noqa: ARG001
    from beszel_agent.checks.ping import check_ping  # noqa: PLC0415

    return lambda definition: check_ping(definition, network, paths)


def _make_dns(network: Network, paths: HostPaths, ca_file: str | None) -> Check:  # noqa: ARG001
    from beszel_agent.checks.dns import check_dns  # noqa: PLC0415

    return lambda definition: check_dns(definition, network, paths)


_KINDS: Final[Mapping[str, Callable[[Network, HostPaths, str | None], Check]]] = {
    "http": _make_http,
    "tcp": _make_tcp,
    "ping": _make_ping,
    "dns": _make_dns,
}
