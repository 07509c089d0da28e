"""Containers from a real hub with a real link to an agent: as the client follows, reads and inspects them."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.feed import Containers
from beszel_protocol.sample import Metrics
from beszel_tui.client.hub import HubSource
from beszel_tui.errors import HubRefused, HubUnreachable, Unauthorized
from beszel_tui.plain.containers import list_containers
from beszel_tui.plain.logs import LogsOrder, print_logs
from beszel_tui.state.events import Received
from tests.support.containers import (
    WEB_ID,
    ContainerAgent,
    container_agent,
    make_facts,
    make_log_line,
    make_usage,
    until,
)
from tests.support.runninghub import RunningHub, running_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def token(hub: RunningHub) -> str:
    return hub.create_token(hub.create_user("ada@example.org", "admin"))


@pytest.fixture
def system(hub: RunningHub) -> tuple[str, str]:
    return hub.create_system("web-1")


def lines(*texts: str) -> object:
    made = [make_log_line(text, timestamp=f"2026-11-22T10:00:{number:02d}.000Z") for number, text in enumerate(texts)]
    return msgspec.to_builtins(LogBatch(lines=made))


def converse(
    hub: RunningHub, token: str, system: tuple[str, str], talk: Callable[[ContainerAgent, HubSource], Awaitable[None]]
) -> None:
    async def run() -> None:
        source = HubSource(hub.url, token)
        async with container_agent(hub, system, make_facts()) as agent:
            try:
                await talk(agent, source)
            finally:
                await source.close()

    asyncio.run(run())


def test_the_feed_tells_of_containers(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        source.watch_containers("containers")
        running = asyncio.create_task(source.run())
        sample = agent.connection.agent.sample(1)
        await agent.connection.send(msgspec.structs.replace(sample, metrics=Metrics(containers=[make_usage()])))
        try:
            async with asyncio.timeout(10):
                while True:
                    event = await source.events.get()
                    if isinstance(event, Received) and isinstance(event.frame, Containers) and event.frame.hosts:
                        told = event.frame.hosts[0]
                        assert told.system == system[0]
                        if told.usage:
                            assert told.usage == [make_usage()]
                            break
        finally:
            running.cancel()
            await asyncio.wait([running])

    converse(hub, token, system, talk)


def test_logs_and_following(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        once = asyncio.create_task(_read(source, system[0], LogsQuery(id=WEB_ID, tail=3)))
        request = await agent.requests.get()
        await agent.answer(request, lines("\x1b[31mone\x1b[2J", "two"))
        assert await once == ["\x1b[0;31mone", "two"]
        async with aclosing(source.logs(system[0], LogsQuery(id=WEB_ID, follow=True))) as following:  # type: ignore[type-var]
            first = asyncio.ensure_future(anext(following))
            request = await agent.requests.get()
            await agent.answer(request, lines("now"), more=True)
            assert [line.text for line in (await first).lines] == ["now"]
            second = asyncio.ensure_future(anext(following))
            await agent.fail(request, "failed", "the engine is gone")
            with pytest.raises(HubRefused, match="the engine is gone"):
                await second

    converse(hub, token, system, talk)


async def _read(source: HubSource, system_id: str, query: LogsQuery) -> list[str]:
    return [line.ansi or line.text async for batch in source.logs(system_id, query) for line in batch.lines]


def test_inspection_and_refusals(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        asking = asyncio.create_task(source.inspect(system[0], WEB_ID))
        await agent.answer(await agent.requests.get(), {"container": {"Name": "/web"}})
        assert json.loads(await asking) == {"Name": "/web"}
        for follow in (False, True):
            with pytest.raises(HubRefused) as refusal:
                await _read(source, system[0], LogsQuery(id="ffffffffffff", follow=follow))
            assert refusal.value.status == 404
        stranger = HubSource(hub.url, "nonsense")
        with pytest.raises(Unauthorized):
            await _read(stranger, system[0], LogsQuery(id=WEB_ID, follow=True))
        await stranger.close()
        nobody = HubSource("http://127.0.0.1:1", "x")
        with pytest.raises(HubUnreachable):
            await _read(nobody, system[0], LogsQuery(id=WEB_ID, follow=True))
        await nobody.close()

    converse(hub, token, system, talk)


def test_history_of_containers(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        nasty = "we]b\\[x],y"
        sample = agent.connection.agent.sample(2)
        usage = [make_usage(name=nasty, cpu_percent=40.0)]
        await agent.connection.send(msgspec.structs.replace(sample, metrics=Metrics(containers=usage)))

        async def found() -> bool:
            trails = await source.container_trails(system[0], [nasty, "other"], hub.hub.clock() + 10_000)
            return nasty in trails and 40.0 in trails[nasty].means

        async with asyncio.timeout(10):
            while not await found():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)

    converse(hub, token, system, talk)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [False, True])
def test_printed_logs(hub: RunningHub, token: str, system: tuple[str, str], *, is_terminal: bool) -> None:
    out: io.StringIO = Terminal() if is_terminal else io.StringIO()

    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        order = LogsOrder("web", "we", timestamps=True)
        printing = asyncio.create_task(asyncio.to_thread(print_logs, HubSource(hub.url, token), order, out))
        await agent.answer(await agent.requests.get(), lines("\x1b[31mone\x1b]0;x\x07", "two"))
        assert await printing == 0

    converse(hub, token, system, talk)
    red = "\x1b[0;31mone\x1b[m" if is_terminal else "one"
    assert out.getvalue() == f"2026-11-22T10:00:00.000Z {red}\n2026-11-22T10:00:01.000Z two\n"


def test_printed_containers(hub: RunningHub, token: str, system: tuple[str, str]) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        await agent.tell(make_facts(), make_facts("0123456789ab", "broken", state="exited", exit_code=2))
        await until(lambda: (seen := hub.hub.inventory.get(system[0])) is not None and len(seen.facts) == 2)
        for name in (None, "web-1"):
            out = io.StringIO()
            status = await asyncio.to_thread(list_containers, HubSource(hub.url, token), name, as_json=True, out=out)
            assert status == 1
            told = json.loads(out.getvalue())["containers"]
            assert [(item["system"], item["name"], item["state"]) for item in told] == [
                ("web-1", "broken", "exited"), ("web-1", "web", "running"),
            ]  # fmt: skip
        out = io.StringIO()
        await asyncio.to_thread(list_containers, HubSource(hub.url, token), None, as_json=False, out=out)
        assert out.getvalue().splitlines()[0].split()[:4] == ["SYSTEM", "NAME", "STATE", "HEALTH"]
        assert "exited(2)" in out.getvalue()

    converse(hub, token, system, talk)


def test_who_is_not_there(
    hub: RunningHub, token: str, system: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk(agent: ContainerAgent, source: HubSource) -> None:
        for wanted, container in (("nobody", "web"), ("web-1", "nothing")):
            order = LogsOrder(wanted, container)
            assert await asyncio.to_thread(print_logs, HubSource(hub.url, token), order) == 2

    converse(hub, token, system, talk)
    says = capsys.readouterr().err
    assert "no system is called 'nobody'" in says
    assert "no container is called 'nothing'" in says
