"""Ports and echoes of this very host; ping in a network namespace of its own, as its sysctl belongs to one."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest

from beszel_agent.checks.grants import PING_GROUPS, describe_ping_grant, missing_ping_grant
from beszel_agent.checks.network import Network
from beszel_agent.checks.ping import make_echo, read_echo
from beszel_agent.checks.probing import Prober
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.sample import CheckMetrics
from tests.support.programs import free_port
from tests.support.services import need_program

T = TypeVar("T")
TOKEN = bytes(range(16))

PROBE = """
import asyncio, sys, msgspec
from beszel_agent.checks.probing import Prober
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition
async def main():
    prober = Prober(HostPaths(), None)
    for target in sys.argv[1:]:
        check = CheckDefinition(name="p", kind="ping", target=target, allow_private=True, timeout_seconds=0.6)
        print(msgspec.json.encode(await prober.probe(check)).decode())
asyncio.run(main())
"""


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


def probe(kind: str, target: str, *, allow_private: bool = True) -> CheckMetrics:
    definition = CheckDefinition(name="c", kind=kind, target=target, allow_private=allow_private, timeout_seconds=2.0)
    return run(Prober(HostPaths(), None).probe(definition))


def test_a_port_that_takes_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = probe("tcp", f"127.0.0.1:{server.getsockname()[1]}")
    assert (result.up, result.severity, result.state) == (1, 0, "up")
    assert result.latency_ms is not None
    assert 0 < result.latency_ms < 2000


def test_a_port_that_takes_none() -> None:
    result = probe("tcp", f"127.0.0.1:{free_port()}")
    assert (result.up, result.severity, result.state, result.latency_ms) == (0, 2, "nothing listens there", None)


@pytest.mark.parametrize(("kind", "target"), [("tcp", "localhost:22"), ("tcp", "[::1]:22"), ("ping", "127.0.0.1")])
def test_private_targets_have_to_be_allowed(kind: str, target: str) -> None:
    result = probe(kind, target, allow_private=False)
    assert (result.up, result.severity) == (None, None)
    assert result.state == "refused: it leads to a private address, which this check is not allowed to"


def test_a_name_that_is_never_answered_costs_its_own_time_only() -> None:
    async def hang(host: str) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    definition = CheckDefinition(name="c", kind="tcp", target="dead.example:22", timeout_seconds=0.2)
    result = run(Prober(HostPaths(), None, Network(hang)).probe(definition))
    assert (result.up, result.state) == (0, "no answer within 0.2 s")


def ping_in_a_namespace(groups: str | None, *targets: str) -> list[dict[str, Any]]:
    unshare, ip = need_program("unshare"), need_program("ip")
    grant = "true" if groups is None else f"echo {groups} > /proc/{PING_GROUPS}"
    commands = f'{ip} link set lo up && {grant} && exec "$@"'
    argv = [unshare, "--user", "--map-root-user", "--net", "sh", "-c", commands, "sh", sys.executable, "-c", PROBE]
    finished = subprocess.run([*argv, *targets], capture_output=True, text=True, timeout=30, check=False)
    if "unshare" in finished.stderr:
        pytest.skip(f"no namespaces here: {finished.stderr}")
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_hosts_that_answer_an_echo() -> None:
    v4, v6, other = ping_in_a_namespace("0 0", "127.0.0.1", "::1", "192.168.55.55")
    for result in (v4, v6):
        assert (result["up"], result["state"]) == (1, "up")
        assert 0 < result["latency_ms"] < 600
    assert (other["up"], other["state"]) == (0, "there is no way to its network")


def test_without_the_grant_it_says_which_one() -> None:
    (result,) = ping_in_a_namespace(None, "127.0.0.1")
    assert "up" not in result
    assert 'needs the sysctl net.ipv4.ping_group_range="0 0"' in result["state"]


@pytest.mark.parametrize(
    ("text", "groups", "is_missing"),
    [
        ("1\t0\n", {0}, True),
        ("0\t2147483647\n", {1000}, False),
        ("100 200", {99, 201}, True),
        ("100 200", {99, 150}, False),
        ("", {0}, False),
        ("a b", {0}, False),
    ],
)
def test_who_may_send_echoes(text: str, groups: set[int], is_missing: bool, tmp_path: Path) -> None:
    grant = describe_ping_grant(text, groups, 1000)
    assert (grant is not None) is is_missing
    assert grant is None or '"1000 1000"' in grant
    assert missing_ping_grant(HostPaths(proc=str(tmp_path))) is None
    assert missing_ping_grant(HostPaths(system="darwin")) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_echoes(address: str) -> None:
    target = ip_address(address)
    request = make_echo(target, 7, TOKEN)
    reply = bytes([0 if target.version == 4 else 129]) + request[1:]
    assert read_echo(target, reply) == TOKEN
    assert read_echo(target, request) is None
    assert read_echo(target, reply[:-1]) is None
    assert read_echo(target, b"") is None


def test_an_echo_behind_its_header() -> None:
    target = ip_address("192.0.2.1")
    reply = b"\0" + make_echo(target, 1, TOKEN)[1:]
    assert read_echo(target, b"\x45" + bytes(19) + reply) == TOKEN
    assert read_echo(target, b"\x4f" + bytes(3)) is None
