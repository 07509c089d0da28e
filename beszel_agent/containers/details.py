"""The action `container_inspect`: how a container is configured, by a list of what may be told.

Nothing else leaves the host, whatever an engine adds to its answer: not the environment, nor command and arguments, nor
labels, nor the output of health checks, all of which hold secrets in practice. Names are those of the engine's API.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from beszel_agent.containers.client import NoSuchContainer
from beszel_agent.containers.documents import read_document
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.logs import NOT_ALLOWED, find_container, read_query
from beszel_agent.errors import EngineFailed, RequestRefused
from beszel_protocol.containers import InspectQuery
from beszel_protocol.hygiene import clean


class _Told(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Settings shared by all."""


class ToldHealth(_Told, frozen=True, kw_only=True):
    status: str | None = None
    failing_streak: int | None = None


class ToldState(_Told, frozen=True, kw_only=True):
    status: str | None = None
    paused: bool | None = None
    restarting: bool | None = None
    oom_killed: bool | None = msgspec.field(default=None, name="OOMKilled")
    dead: bool | None = None
    pid: int | None = None
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    health: ToldHealth | None = None


class ToldRestartPolicy(_Told, frozen=True, kw_only=True):
    name: str | None = None
    maximum_retry_count: int | None = None


class ToldLogConfig(_Told, frozen=True, kw_only=True):
    """Its options may hold tokens of a log service."""

    type: str | None = None


class ToldHostConfig(_Told, frozen=True, kw_only=True):
    network_mode: str | None = None
    restart_policy: ToldRestartPolicy | None = None
    log_config: ToldLogConfig | None = None
    auto_remove: bool | None = None
    privileged: bool | None = None
    readonly_rootfs: bool | None = None
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    pid_mode: str | None = None
    ipc_mode: str | None = None
    userns_mode: str | None = None
    cgroup_parent: str | None = None
    runtime: str | None = None
    memory: int | None = None
    memory_swap: int | None = None
    memory_reservation: int | None = None
    nano_cpus: int | None = None
    cpu_quota: int | None = None
    cpu_period: int | None = None
    cpu_shares: int | None = None
    cpuset_cpus: str | None = None
    pids_limit: int | None = None
    shm_size: int | None = None
    init: bool | None = None


class ToldHealthcheck(_Told, frozen=True, kw_only=True):
    """In nanoseconds."""

    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    retries: int | None = None


class ToldConfig(_Told, frozen=True, kw_only=True):
    hostname: str | None = None
    user: str | None = None
    image: str | None = None
    working_dir: str | None = None
    tty: bool | None = None
    stop_signal: str | None = None
    healthcheck: ToldHealthcheck | None = None


class ToldMount(_Told, frozen=True, kw_only=True):
    type: str | None = None
    name: str | None = None
    source: str | None = None
    destination: str | None = None
    driver: str | None = None
    mode: str | None = None
    rw: bool | None = msgspec.field(default=None, name="RW")


class ToldBinding(_Told, frozen=True, kw_only=True):
    host_ip: str | None = None
    host_port: str | None = None


class ToldNetwork(_Told, frozen=True, kw_only=True):
    ip_address: str | None = msgspec.field(default=None, name="IPAddress")
    global_ipv6_address: str | None = msgspec.field(default=None, name="GlobalIPv6Address")
    gateway: str | None = None
    mac_address: str | None = None
    aliases: list[str] | None = None


class ToldNetworkSettings(_Told, frozen=True, kw_only=True):
    ports: dict[str, list[ToldBinding] | None] | None = None
    networks: dict[str, ToldNetwork] | None = None


class ToldContainer(_Told, frozen=True, kw_only=True):
    id: str
    name: str | None = None
    created: str | None = None
    image: str | None = None
    platform: str | None = None
    driver: str | None = None
    restart_count: int | None = None
    state: ToldState | None = None
    host_config: ToldHostConfig | None = None
    config: ToldConfig | None = None
    mounts: list[ToldMount] | None = None
    network_settings: ToldNetworkSettings | None = None


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What the action answers."""

    container: ToldContainer


async def inspect_container(host: ContainerHost | None, params: Mapping[str, Any], *, enabled: bool) -> Inspection:
    """Raise `RequestRefused`."""
    if not enabled:
        raise NOT_ALLOWED
    query = read_query(params, InspectQuery)
    container, client = find_container(host, query.id)
    try:
        answer = await asyncio.to_thread(client.inspect_raw, container.full_id)
        return Inspection(container=clean(read_document(answer, ToldContainer)))
    except NoSuchContainer as error:
        raise RequestRefused("not_found", "no such container") from error
    except EngineFailed as error:
        raise RequestRefused("engine_failed", str(error)) from error
