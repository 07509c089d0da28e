"""Names are resolved once, judged, and connected to as judged."""

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from ipaddress import ip_address
from typing import Any, TypeVar

import pytest

from beszel_agent.checks.network import Network, is_own, resolve
from beszel_agent.errors import CheckRefused, TargetDown
from beszel_protocol.reach import IpAddress, Reach
from tests.support.programs import free_port

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


class Names:
    """A resolver whose every answer is scripted; the last is repeated."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize(
    ("answer", "allow_private", "found"),
    [
        (["1.1.1.1"], False, ["1.1.1.1"]),
        (["10.0.0.1"], False, "private"),
        (["10.0.0.1"], True, ["10.0.0.1"]),
        (["::ffff:10.0.0.1"], False, "private"),
        (["::ffff:10.0.0.1"], True, ["10.0.0.1"]),
        (["fe80::1%lo"], False, "private"),
        (["127.0.0.1", "::1"], False, "private"),
        (["169.254.169.254"], False, "no check may"),
        (["169.254.169.254"], True, "no check may"),
        (["0.1.2.3"], True, "no check may"),
        (["::ffff:169.254.169.254"], True, "no check may"),
        (["224.0.0.1"], True, "no check may"),
        (["10.0.0.1", "1.1.1.1", "169.254.169.254"], False, ["1.1.1.1"]),
        (["10.0.0.1", "169.254.169.254"], False, "private"),
        ([f"1.1.1.{last}" for last in range(9)], False, ["1.1.1.0", "1.1.1.1", "1.1.1.2", "1.1.1.3"]),
    ],
)
def test_addresses_of_a_name(answer: list[str], allow_private: bool, found: list[str] | str) -> None:
    finding = Network(Names(answer)).find("name.example", allow_private=allow_private)
    if isinstance(found, list):
        assert [str(address) for address in run(finding)] == found
        return
    with pytest.raises(CheckRefused, match=found) as refused:
        run(finding)
    assert not any(address in str(refused.value) for address in answer)  # a secret of the network


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_addresses_need_no_resolver(host: str) -> None:
    names = Names([])
    with pytest.raises(CheckRefused):
        run(Network(names).find(host, allow_private=False))
    assert names.asked == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"])
def test_other_ways_to_write_loopback_lead_to_the_same(host: str) -> None:
    with pytest.raises(CheckRefused, match="private"):
        run(Network(resolve).find(host, allow_private=False))


class PublicFace(Network):
    """Takes 127.0.0.2 for public, and everything else for what it is."""

    @staticmethod
    def judge(address: IpAddress) -> Reach:
        return Reach.PUBLIC if str(address) == "127.0.0.2" else Network.judge(address)


def test_a_name_that_changes_its_mind_is_not_asked_twice() -> None:
    """DNS rebinding: public when it is judged, loopback when it is connected to."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as trap:
            trap.setblocking(False)
            names = Names(["127.0.0.2"], ["127.0.0.1"])
            with pytest.raises(TargetDown, match="nothing listens there"):
                await PublicFace(names).connect("evil.example", trap.getsockname()[1], allow_private=False)
            assert names.asked == ["evil.example"]
            with pytest.raises(BlockingIOError):
                trap.accept()

    run(main())


def test_an_address_of_this_very_host_is_not_public_whatever_it_looks_like() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        own = ip_address(probe.getsockname()[0])
    assert is_own(own)
    assert not is_own(ip_address("1.1.1.1"))
    assert not is_own(ip_address("2606:4700::1111"))


def test_the_first_address_that_answers_is_taken() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            network = Network(Names(["::1", "127.0.0.2", "127.0.0.1"]))
            connected = await network.connect("three.example", server.getsockname()[1], allow_private=True)
            assert connected.socket.getpeername()[0] == "127.0.0.1"
            connected.socket.close()

    run(main())


def test_why_there_is_no_connection() -> None:
    with pytest.raises(TargetDown, match="nothing listens there"):
        run(Network().connect("127.0.0.1", free_port(), allow_private=True))

    async def fail(host: str) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(TargetDown, match="does not resolve: Name or service not known"):
        run(Network(fail).connect("no.example", 80, allow_private=False))
    with pytest.raises(TargetDown, match="no address"):
        run(Network(Names([])).connect("no.example", 80, allow_private=False))
