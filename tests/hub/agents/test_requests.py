"""Requests to an agent, without a link: what ends them, and how many there may be."""

import asyncio
from typing import Any

import pytest

from beszel_hub.agents import requests
from beszel_hub.agents.requests import MAX_IN_FLIGHT, MAX_LONG_IN_FLIGHT, Frame, Requests
from beszel_hub.errors import AgentAbsent, AgentBusy, AgentFailed, AgentTimeout
from beszel_protocol.messages import Cancel, ErrorBody, Request, Response


async def ask(asked: Requests, seconds: float = 5.0) -> list[Any]:
    with asked.open("act", {"a": 1}, timeout_seconds=seconds) as exchange:
        return [part async for part in exchange.parts()]


def test_parts_come_in_order_and_the_last_one_ends_the_answer() -> None:
    async def run() -> None:
        sent: list[Frame] = []
        asked = Requests(sent.append)
        task = asyncio.create_task(ask(asked))
        await asyncio.sleep(0)
        assert sent == [Request(id=1, action="act", params={"a": 1}, timeout_seconds=5.0)]
        for number in range(3):
            assert asked.take(Response(id=1, result=number, more=number < 2), 10)
        assert await task == [0, 1, 2]
        assert len(sent) == 1
        assert len(asked) == 0

    asyncio.run(run())


def test_leaving_early_takes_the_request_back() -> None:
    async def run() -> None:
        sent: list[Frame] = []
        asked = Requests(sent.append)
        task = asyncio.create_task(ask(asked))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert sent[1:] == [Cancel(id=1)]
        assert asked.take(Response(id=1, error=ErrorBody(code="cancelled", message="")), 10)
        assert not asked.take(Response(id=2, result=1), 10)
        assert not asked.take(Response(id=0, result=1), 10)

    asyncio.run(run())


def test_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "GRACE_SECONDS", 0.0)

    async def run() -> None:
        sent: list[Frame] = []
        with pytest.raises(AgentTimeout):
            await ask(Requests(sent.append), 0.01)
        assert sent[1:] == [Cancel(id=1)]

    asyncio.run(run())


def test_the_links_end_is_the_end_of_all() -> None:
    async def run() -> None:
        asked = Requests(lambda _: None)
        tasks = [asyncio.create_task(ask(asked)) for _ in range(3)]
        await asyncio.sleep(0)
        asked.close()
        assert {type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)} == {AgentAbsent}
        with pytest.raises(AgentAbsent):
            await ask(asked)

    asyncio.run(run())


def test_few_at_once_and_fewer_that_last() -> None:
    async def run() -> None:
        asked = Requests(lambda _: None)
        opened = [asked.open("act", {}, timeout_seconds=1, is_long=True) for _ in range(MAX_LONG_IN_FLIGHT)]
        opened += [asked.open("act", {}, timeout_seconds=1) for _ in range(MAX_IN_FLIGHT - MAX_LONG_IN_FLIGHT)]
        for block in opened[:MAX_LONG_IN_FLIGHT]:
            block.__enter__()
        with pytest.raises(AgentBusy):
            await asyncio.to_thread(asked.open("act", {}, timeout_seconds=1, is_long=True).__enter__)
        for block in opened[MAX_LONG_IN_FLIGHT:]:
            block.__enter__()
        with pytest.raises(AgentBusy):
            await ask(asked)
        for block in opened:
            block.__exit__(None, None, None)
        assert len(asked) == 0

    asyncio.run(run())


def test_an_answer_that_nobody_takes_ends_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_WAITING_BYTES", 100)

    async def run() -> None:
        sent: list[Frame] = []
        asked = Requests(sent.append)
        with asked.open("act", {}, timeout_seconds=5) as exchange:
            for number in range(1000):
                asked.take(Response(id=1, result=number, more=True), 60)
            parts = exchange.parts()
            assert [await anext(parts), await anext(parts)] == [0, 1]
            with pytest.raises(AgentFailed, match="faster"):
                await anext(parts)
        assert sent[1:] == [Cancel(id=1)]

    asyncio.run(run())


def test_a_request_that_finds_no_room_leaves_nothing_behind() -> None:
    async def run() -> None:
        def refuse(_: Frame) -> None:
            raise AgentBusy

        asked = Requests(refuse)
        with pytest.raises(AgentBusy):
            await ask(asked)
        assert len(asked) == 0

    asyncio.run(run())
