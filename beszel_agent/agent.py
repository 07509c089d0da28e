"""The agent put together: one sampler, one spool, one link."""

import asyncio
import functools
import gc
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from beszel_agent.backoff import Backoff
from beszel_agent.checks.board import CheckBoard
from beszel_agent.collectors import COLLECTORS
from beszel_agent.collectors.services import ServicesCollector
from beszel_agent.collectors.smart import SmartCollector
from beszel_agent.config import Config
from beszel_agent.container_reports import ContainerReports
from beszel_agent.datadir import DataDir, choose_data_dir, default_dirs
from beszel_agent.endpoint import Endpoint, make_endpoint
from beszel_agent.errors import ConfigError
from beszel_agent.health import StatusKeeper, status_dirs
from beszel_agent.host import read_boot, read_details, read_hostname
from beszel_agent.identity import load_identity
from beszel_agent.link import Credentials, Link
from beszel_agent.paths import HostPaths
from beszel_agent.processes.listing import list_processes
from beszel_agent.processes.names import CountsNames, WantedNames
from beszel_agent.runs import CollectorReport
from beszel_agent.sampler import Reading, start_sampler
from beszel_agent.services.detail import detail_service
from beszel_agent.services.roster import Turn
from beszel_agent.session import Duties
from beszel_agent.spool.interface import SpoolReport
from beszel_agent.spool.opening import open_spool
from beszel_agent.spool.recovery import SPOOL_DIR
from beszel_agent.verdicts import Change, Verdicts
from beszel_protocol.messages import Configuration, encode
from beszel_protocol.version import VERSION

if TYPE_CHECKING:
    from beszel_protocol.disks import DiskDetails

log = logging.getLogger(__name__)


class CollectorsResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the action `collectors` answers."""

    interval_seconds: float
    collectors: list[CollectorReport]
    spool: SpoolReport


class Agent:
    """Everything a running agent consists of. Raise `ConfigError` or `DataDirError` if it cannot be."""

    def __init__(self, config: Config, paths: HostPaths, environment: Mapping[str, str]) -> None:
        endpoint, token = _where_and_as_whom(config)
        self._data_dir = DataDir(choose_data_dir(config.data_dir, default_dirs())).claim()
        self._spool = open_spool(
            self._data_dir.path / SPOOL_DIR, read_boot(paths), config.spool_limit, time.time_ns() // 1_000_000
        )
        self._checks = CheckBoard(paths, config)
        self._sampler = start_sampler(COLLECTORS, paths, config, (self._checks,))
        self._verdicts = Verdicts()
        self._names = WantedNames(lambda: self._sampler.find(CountsNames))
        self._status = StatusKeeper(
            status_dirs(self._data_dir.path, environment),
            str(config.hub_url),
            read_boot(paths).id,
            spool_problem=lambda: self._spool.report().problem,
        )
        credentials = Credentials(
            token=token,
            trusted_keys=config.key,
            identity=load_identity(self._data_dir, paths),
            name=config.system_name or read_hostname(paths),
        )
        self._containers = ContainerReports(
            self._sampler,
            self._spool,
            wake=self._wake_link,
            changed=self._tell_containers,
            details_allowed=config.container_details,
        )
        duties = Duties(
            spool=self._spool,
            details=lambda: read_details(paths),
            containers=self._containers.inventory,
            interval_seconds=lambda: self._sampler.interval_seconds,
            ask_interval=self._sampler.ask_interval,
            configure=self._configure,
            actions={
                "collectors": self._report_collectors,
                "container_inspect": self._containers.inspect,
                "container_logs": self._containers.logs,
                "disk_detail": self._describe_disks,
                "processes": functools.partial(list_processes, paths),
                "service_detail": functools.partial(detail_service, paths, config),
            },
            actions_enabled=config.actions,
        )
        self._link = Link(
            endpoint, credentials, duties, paths, backoff=Backoff(random.random), on_change=self._status.tell
        )

    async def run(self) -> None:
        """Until cancelled."""
        # What was made so far lives as long as the agent; the collector of garbage need not look at it again.
        gc.collect()
        gc.freeze()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sampler.run(self._publish))
                tasks.create_task(self._spool.run(self._link.wake))
                tasks.create_task(self._checks.run())
                tasks.create_task(self._containers.run())
                tasks.create_task(self._link.run())
                tasks.create_task(self._status.run())
        finally:
            services = self._sampler.find(ServicesCollector)
            if services is not None:
                services.stop()
            self._data_dir.release()

    def _configure(self, configuration: Configuration) -> None:
        self._checks.replace(configuration.checks)
        self._names.replace(configuration.processes)

    def _publish(self, reading: Reading) -> None:
        self._names.hand_over()
        for change in self._verdicts.changes(reading.metrics):
            self._tell(change, reading)
        services = self._sampler.find(ServicesCollector)
        for turn in () if services is None else services.take_turns():
            self._tell(turn, reading)
        self._spool.append(
            lambda sequence: encode(reading.as_sample(sequence)), instant_ms=reading.instant_ms, boot_ms=reading.boot_ms
        )
        self._link.wake()

    def _wake_link(self) -> None:
        self._link.wake()

    def _tell_containers(self) -> None:
        self._link.tell_containers()

    def _tell(self, change: Change | Turn, reading: Reading) -> None:
        def make(sequence: int) -> bytes:
            return encode(change.as_event(sequence, instant_ms=reading.instant_ms, boot_ms=reading.boot_ms))

        self._spool.append(make, instant_ms=reading.instant_ms, boot_ms=reading.boot_ms)
        self._link.wake()  # it sends the newest record, and the sample comes next

    async def _describe_disks(self, params: Mapping[str, Any]) -> "DiskDetails":
        from beszel_agent.smart.detail import describe_disks  # noqa: PLC0415 - for whoever asks

        collector = self._sampler.find(SmartCollector)
        return await describe_disks(None if collector is None else collector.disks, params, time.monotonic)

    async def _report_collectors(self, params: Mapping[str, Any]) -> CollectorsResult:  # noqa: ARG002
        return CollectorsResult(
            interval_seconds=self._sampler.interval_seconds,
            collectors=self._sampler.reports(),
            spool=self._spool.report(),
        )


def run_agent(config: Config, environment: Mapping[str, str]) -> None:
    """Run until SIGTERM or SIGINT. Raise `ConfigError` or `DataDirError` at the start."""
    agent = Agent(config, HostPaths(), environment)
    log.info("beszel-agent %s streams to %s", VERSION, config.hub_url)
    asyncio.run(_run_until_signalled(agent.run))


async def _run_until_signalled(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(run())
    _end_on_signals(loop, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped")
    if threading.active_count() > 1:
        # A thread that asks a dead name server or disk cannot be ended, and nothing of ours is left to wait for it.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _end_on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[], object]) -> None:
    def end_soon(*_: object) -> None:
        loop.call_soon_threadsafe(end)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # the loops of Windows
            signal.signal(number, end_soon)


def missing_settings(config: Config) -> list[str]:
    """What is needed to be an agent at all and not there, each with the way to get it."""
    problems = []
    if config.hub_url is None:
        problems.append("HUB_URL is not set: an agent of this suite dials its hub and does not listen for one")
    if not config.key:
        problems.append("KEY is not set: it is the hub's public key, and `beszel-hub enrol` prints it")
    if not config.token:
        problems.append("TOKEN is not set: `beszel-hub enrol` prints it")
    if config.require_tls and config.hub_url is not None and not config.hub_url.secure:
        problems.append(f"REQUIRE_TLS is set and {config.hub_url} is not https://")
    return problems


def _where_and_as_whom(config: Config) -> tuple[Endpoint, str]:
    problems = missing_settings(config)
    if problems or config.hub_url is None or config.token is None:
        raise ConfigError(problems[0])
    if not config.hub_url.secure and not config.hub_url.is_loopback:
        log.warning("unencrypted: everybody on the way to %s can read the metrics; use https://", config.hub_url)
    return make_endpoint(config.hub_url, config.token, config), config.token
