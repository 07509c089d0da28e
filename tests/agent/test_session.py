"""What a proved hub may say, and that nothing it says does harm."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any

import msgspec
import pytest

from beszel_agent import session as session_module
from beszel_agent.config import Config
from beszel_agent.errors import RequestRefused
from beszel_agent.handlers import Action
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.messages import (
    MAX_FRAME_BYTES,
    Ack,
    Cancel,
    Configuration,
    Configure,
    Configured,
    Containers,
    Details,
    Interval,
    Request,
    Response,
)
from tests.support.linkagent import LinkedAgent, linked
from tests.support.linkhub import LinkHub


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


async def still_well(hub: LinkHub, agent: LinkedAgent) -> None:
    """The same connection goes on."""
    agent.append()
    await agent.until_confirmed()
    assert len(hub.enrolments) == 1


def responses(hub: LinkHub) -> list[Response]:
    return [message for message in hub.messages if isinstance(message, Response)]


async def answer_to(hub: LinkHub, request_id: int) -> Response:
    def find() -> Response | None:
        found = [message for message in hub.messages if isinstance(message, Response) and message.id == request_id]
        assert len(found) <= 1
        return found[0] if found else None

    return await hub.until(f"an answer to request {request_id}", find)


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"later","of":"a newer hub"}',
        b'{"type":"ack"}',
        b'{"type":"ack","stored":[[5,1]]}',
        b'{"type":"ack","stored":[' + b",".join(b"[%d,%d]" % (2 * n, 2 * n) for n in range(1, 1000)) + b"]}",
        b'{"type":"interval","seconds":"soon"}',
        b'{"type":"request","id":"one","action":"collectors"}',
        b'{"type":"welcome","system_id":"x","interval_seconds":1,"stored":[]}',
    ],
)
def test_what_is_not_understood_is_ignored_and_counted(frame: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send_raw(frame)
            await still_well(hub, agent)

    with caplog.at_level(logging.INFO):
        run(main())
    assert "of what the hub said was ignored" in caplog.text


@pytest.mark.parametrize(
    ("frame", "code"),
    [(b"garbage", 1007), (b"[1, 2]", 1007), (b'{"type":"interval",', 1007), (b"x" * (MAX_FRAME_BYTES + 1), 1009)],
    ids=["garbage", "list", "cut", "too big"],
)
def test_what_is_no_message_ends_the_connection_and_the_agent_comes_back(frame: bytes, code: int) -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send_raw(frame)
            await hub.until("closed", lambda: hub.close_codes == [code])
            await hub.until("back", lambda: len(hub.enrolments) == 2)
            agent.append()
            await agent.until_confirmed()

    run(main())


def test_the_interval_is_passed_on() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(Interval(seconds=30.0))
            await agent.until("asked", lambda: agent.intervals == [1.0, 30.0])

    run(main())


def test_a_configuration_is_confirmed_with_its_revision() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await agent.until("configured", lambda: agent.configurations == [Configuration()])  # by the welcome
            configuration = Configuration(
                revision=42, checks=[CheckDefinition(name="a", kind="ping", target="example.org")]
            )
            await hub.send(Configure(configuration=configuration))
            await hub.until("confirmed", lambda: hub.messages == [Configured(revision=42)])
            assert agent.configurations[1:] == [configuration]

    run(main())


class Finding(msgspec.Struct, frozen=True):
    seen: int


async def look(params: Mapping[str, Any]) -> Finding:
    return Finding(params["wanted"])


async def hang(params: Mapping[str, Any]) -> None:
    await asyncio.sleep(3600)


async def count(params: Mapping[str, Any]) -> AsyncGenerator[Finding, None]:
    if params.get("refuses"):
        raise RequestRefused("not_found", "no such thing")
    for number in range(params["up_to"]):
        yield Finding(number)
    if params.get("hangs"):
        await asyncio.sleep(3600)


ACTIONS: dict[str, Action] = {"look": look, "hang": hang, "count": count}


def test_a_request_is_answered_by_one_response() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, actions=ACTIONS) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(
                Request(id=1, action="look", params={"wanted": 7}),
                Request(id=2, action="look"),
                Request(id=3, action="reboot"),
                Request(id=4, action="hang", timeout_seconds=0.1),
                Request(id=5, action="hang", timeout_seconds=30.0),
                Cancel(id=5),
                Cancel(id=5),
            )
            assert await answer_to(hub, 1) == Response(id=1, result={"seen": 7})
            codes = {n: error.code for n in (2, 3, 4, 5) if (error := (await answer_to(hub, n)).error)}
            assert codes == {2: "failed", 3: "unknown_action", 4: "timeout", 5: "cancelled"}
            await still_well(hub, agent)

    run(main())


def test_a_request_may_be_answered_in_parts() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, actions=ACTIONS) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(
                Request(id=1, action="count", params={"up_to": 2}),
                Request(id=2, action="count", params={"refuses": True}),
                Request(id=3, action="count", params={"up_to": 1, "hangs": True}, timeout_seconds=0.2),
            )
            await hub.until("three ends", lambda: sum(not response.more for response in responses(hub)) == 3)
            assert [item for item in responses(hub) if item.id == 1] == [
                Response(id=1, result={"seen": 0}, more=True),
                Response(id=1, result={"seen": 1}, more=True),
                Response(id=1),
            ]
            last = {item.id: item.error.code for item in responses(hub) if item.error is not None}
            assert last == {2: "not_found", 3: "timeout"}
            await still_well(hub, agent)

    run(main())


def test_an_inventory_is_told_at_once_and_again_only_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_INVENTORY_SECONDS", 0.05)
    web = ContainerFacts(id="0123456789ab", name="web", engine="docker", state="running")

    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            assert agent.link is not None
            agent.link.tell_containers()  # nothing is known yet, and that is not the same as none
            agent.containers = [web]
            for _ in range(3):
                agent.link.tell_containers()
                await asyncio.sleep(0.1)
            agent.containers = []
            agent.link.tell_containers()
            await hub.until("both", lambda: len(hub.messages) == 2)
            assert hub.messages == [Containers(containers=[web]), Containers(containers=[])]
            hub.reset_connections()
            await hub.until("told to the new connection", lambda: len(hub.messages) == 3)

    run(main())


def test_too_many_requests_are_refused_and_all_are_answered() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, actions=ACTIONS) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(*(Request(id=n, action="hang", timeout_seconds=0.3) for n in range(20)))
            codes = [error.code for n in range(20) if (error := (await answer_to(hub, n)).error)]
            assert codes == ["timeout"] * 8 + ["busy"] * 12
            await still_well(hub, agent)

    run(main())


def test_the_owner_of_the_host_may_switch_actions_off() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, config=Config(actions=False), actions=ACTIONS):
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(Request(id=1, action="look", params={"wanted": 7}))
            error = (await answer_to(hub, 1)).error
            assert error is not None
            assert error.code == "actions_off"

    run(main())


def test_requests_end_with_their_connection() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, actions=ACTIONS) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(Request(id=1, action="hang", timeout_seconds=60.0))
            agent.append()
            await agent.until_confirmed()
            hub.reset_connections()
            await hub.until("back", lambda: len(hub.enrolments) == 2)
            assert hub.messages == []

    run(main())


def test_a_hub_that_confirms_nothing_is_left_for_a_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "CONFIRMATION_SECONDS", 0.2)
    monkeypatch.setattr(session_module, "_HOUSEKEEPING_SECONDS", 0.05)

    async def main() -> None:
        hub = LinkHub(acknowledges=False)
        async with hub.running(), linked(hub, records=1) as agent:
            await agent.until_problem("the hub has confirmed nothing for 0.2 s")
            await hub.until("back", lambda: len(hub.enrolments) == 2)

    run(main())


def test_a_hub_that_confirms_now_and_then_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "CONFIRMATION_SECONDS", 0.3)
    monkeypatch.setattr(session_module, "_HOUSEKEEPING_SECONDS", 0.05)

    async def main() -> None:
        hub = LinkHub(acknowledges=False)
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            await hub.send(Ack(stored=[]))
            for _ in range(4):
                sequence = agent.append()
                await hub.until("heard", lambda sequence=sequence: sequence in hub.sequences())  # type: ignore[misc]
                await asyncio.sleep(0.15)
                await hub.acknowledge()
            assert len(hub.enrolments) == 1

    run(main())


def test_details_that_changed_after_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_DETAILS_SECONDS", 0.05)
    monkeypatch.setattr(session_module, "_HOUSEKEEPING_SECONDS", 0.05)

    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            agent.details = msgspec.structs.replace(agent.details, hostname="web-2")
            await hub.until("told", lambda: hub.messages == [Details(details=agent.details)])
            await asyncio.sleep(0.2)
            assert len(hub.messages) == 1

    run(main())
