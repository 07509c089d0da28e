"""What a hostile or broken agent gets to hear, while another one streams on undisturbed."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beszel_protocol.handshake import check_challenge, encode_bytes, make_hello
from beszel_protocol.messages import Hello, Refused, Welcome, encode
from tests.support.bareagent import Connection, LinkAgent
from tests.support.keys import verify
from tests.support.runninghub import RunningHub
from tests.support.samples import make_sample

Attack = Callable[[RunningHub], Awaitable[None]]


def new_agent(hub: RunningHub) -> LinkAgent:
    """An agent with the token of a system of its own."""
    _, token = hub.create_system("target")
    return LinkAgent(hub.link_url, token)


def known_agent(hub: RunningHub) -> LinkAgent:
    """One that has enrolled before."""
    agent = new_agent(hub)

    async def enrol_once() -> None:
        async with agent.enrolled():
            pass

    asyncio.run(enrol_once())
    return agent


def edited(field: str, value: str) -> Callable[[bytes], bytes]:
    """Change one field of an enrol after it was signed."""

    def edit(frame: bytes) -> bytes:
        document = msgspec.json.decode(frame)
        (document if field in document else document["body"])[field] = value
        return msgspec.json.encode(document)

    return edit


@asynccontextmanager
async def bystander(hub: RunningHub) -> AsyncIterator[None]:
    """Another agent that sends a sample every 20 ms; at the end all of them must be stored, on the same connection."""
    _, token = hub.create_system("bystander")
    async with LinkAgent(hub.link_url, token).enrolled() as connection:
        stopping = asyncio.Event()
        last = 0

        async def stream() -> None:
            nonlocal last
            while not stopping.is_set() or last < 5:
                last += 1
                await connection.send(make_sample(last))
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            streaming = group.create_task(stream())
            try:
                yield
            finally:
                stopping.set()
            await streaming
        await connection.await_stored((1, last))


def attack(hub: RunningHub, run: Callable[[], Awaitable[None]]) -> None:
    async def beside() -> None:
        async with bystander(hub):
            await run()

    asyncio.run(beside())


def refused(hub: RunningHub, agent: LinkAgent, tamper: Callable[[bytes], bytes]) -> tuple[str, int | None]:
    """How the hub ends a handshake whose enrol was tampered with."""
    outcome: list[tuple[str, int | None]] = []

    async def run() -> None:
        async with agent.connect() as connection:
            message = await connection.enrol(tamper=tamper)
            assert isinstance(message, Refused), message
            outcome.append((message.code, await connection.close_code()))

    attack(hub, run)
    return outcome[0]


def unchanged(frame: bytes) -> bytes:
    return frame


def test_a_wrong_token(hub: RunningHub) -> None:
    agent = LinkAgent(hub.link_url, "some token nobody issued")
    assert refused(hub, agent, unchanged) == ("unknown_token", 4401)


def test_an_unknown_token_id_gets_the_same_challenge_and_refusal_as_a_known_one(hub: RunningHub) -> None:
    """So nobody finds out which ids there are."""

    async def run(shown_token_id: str) -> tuple[str, int | None]:
        agent = LinkAgent(hub.link_url, "some token nobody issued")
        agent.shown_token_id = shown_token_id
        async with agent.connect() as connection:
            hello = make_hello(os.urandom(32), "0.1.0")
            await connection.send_frame(hello)
            challenge = await connection.receive_frame()
            hub_key = hub.hub.key.public_bytes
            check_challenge(
                challenge, hello_frame=hello, token_id=shown_token_id, trusted_keys=[hub_key], verify=verify
            )
            await connection.send_frame(connection.make_enrol(challenge))
            return await connection.refusal()

    known = known_agent(hub).shown_token_id
    assert asyncio.run(run("0123456789abcdef")) == asyncio.run(run(known)) == ("unknown_token", 4401)


def test_a_tampered_proof(hub: RunningHub) -> None:
    forged = edited("proof", encode_bytes(bytes(32)))
    assert refused(hub, known_agent(hub), forged) == ("unknown_token", 4401)


def test_a_tampered_signature(hub: RunningHub) -> None:
    forged = edited("signature", encode_bytes(bytes(64)))
    assert refused(hub, known_agent(hub), forged) == ("bad_proof", 4401)


def test_a_tampered_body(hub: RunningHub) -> None:
    assert refused(hub, known_agent(hub), edited("name", "somebody else")) == ("unknown_token", 4401)


def test_a_replayed_enrol(hub: RunningHub) -> None:
    """The answer to an old challenge proves nothing about the new one."""
    agent = known_agent(hub)
    recorded: list[bytes] = []

    async def record() -> None:
        async with agent.connect() as connection:
            await connection.hello()
            recorded.append(connection.make_enrol(connection.challenge_frame))

    asyncio.run(record())
    assert refused(hub, agent, lambda _: recorded[0]) == ("unknown_token", 4401)


def test_the_fingerprint_of_another_host(hub: RunningHub) -> None:
    agent = known_agent(hub)
    agent.fingerprint = "f" * 48
    assert refused(hub, agent, unchanged) == ("fingerprint_mismatch", 4403)


def test_another_key_of_the_same_host(hub: RunningHub) -> None:
    agent = known_agent(hub)
    agent.key = Ed25519PrivateKey.generate()
    assert refused(hub, agent, unchanged) == ("key_mismatch", 4403)


@pytest.mark.parametrize("field", ["fingerprint", "spool_id", "boot_id"])
@pytest.mark.parametrize("value", ["", "x" * 129])
def test_impossible_ids(hub: RunningHub, field: str, value: str) -> None:
    agent = new_agent(hub)
    setattr(agent, field, value)
    assert refused(hub, agent, unchanged) == ("protocol_error", 4403)


def test_an_agent_of_an_older_protocol(hub: RunningHub) -> None:
    async def run() -> None:
        async with new_agent(hub).connect() as connection:
            await connection.send(Hello(protocol=0, nonce=encode_bytes(os.urandom(32)), version="0.0.1"))
            assert await connection.refusal() == ("agent_too_old", 4403)

    attack(hub, run)


@pytest.mark.parametrize(
    "frame",
    [
        make_sample(1),
        Hello(protocol=1, nonce="AAAA", version="0.1.0"),
        Hello(protocol=1, nonce="!" * 43, version="0.1.0"),
        Welcome(system_id="x", interval_seconds=1, stored=[]),
    ],
)
def test_a_message_whose_turn_it_is_not(hub: RunningHub, frame: Hello) -> None:
    async def run() -> None:
        async with new_agent(hub).connect() as connection:
            await connection.send(frame)
            assert await connection.refusal() == ("protocol_error", 4403)

    attack(hub, run)


GARBAGE = [
    pytest.param(b"garbage", 1007, id="no JSON"),
    pytest.param(b"[1, 2]", 1007, id="no object"),
    pytest.param(b'{"sequence": 1}', 1007, id="no type"),
    pytest.param(b'{"type": "response", "id": 1, "result": ' + b"[" * 400_000, 1007, id="nested too deep"),
    pytest.param(b"x" * (10 << 20), 1009, id="ten megabytes"),
    pytest.param(b'{"type": "sample", "x": "' + b" " * (10 << 20) + b'"}', 1009, id="ten megabytes that deflate well"),
]


@pytest.mark.parametrize(("frame", "code"), GARBAGE)
def test_garbage_before_the_proof(hub: RunningHub, frame: bytes, code: int) -> None:
    async def run() -> None:
        async with new_agent(hub).connect() as connection:
            await connection.send_frame(frame)
            assert await connection.close_code() == code

    attack(hub, run)


@pytest.mark.parametrize(("frame", "code"), GARBAGE)
def test_garbage_from_a_proved_agent(hub: RunningHub, frame: bytes, code: int) -> None:
    async def run() -> None:
        async with new_agent(hub).enrolled() as connection:
            await connection.send_frame(frame)
            assert await connection.close_code() == code

    attack(hub, run)


def test_binary_frames(hub: RunningHub) -> None:
    async def run() -> None:
        async with new_agent(hub).enrolled() as connection:
            await connection.websocket.send(b"\x00\x01")
            assert await connection.close_code() == 1007

    attack(hub, run)


def test_what_is_unknown_is_ignored(hub: RunningHub) -> None:
    async def run() -> None:
        async with new_agent(hub).enrolled() as connection:
            for frame in (b'{"type": "poem"}', b'{"type": "ack", "stored": []}', b'{"type": "details"}'):
                await connection.send_frame(frame)
            await connection.send_frame(encode(make_sample(1))[:-1] + b', "colour": "red"}')
            await connection.await_stored((1, 1))

    attack(hub, run)


def test_too_many_connections_that_prove_nothing(hub: RunningHub) -> None:
    agent = new_agent(hub)

    async def run() -> None:
        async with AsyncExitStack() as knocking:
            for _ in range(8):
                await knocking.enter_async_context(agent.connect())
            async with agent.connect() as ninth:
                assert await ninth.refusal() == ("too_many_connections", 4403)
        async with agent.enrolled():
            pass

    attack(hub, run)


def test_a_slow_handshake(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.agents, "_handshake_timeout_seconds", 0.2)

    async def silent_after(steps: Callable[[Connection], Awaitable[None]]) -> None:
        async with new_agent(hub).connect() as connection:
            await steps(connection)
            assert await connection.refusal() == ("timeout", 4403)

    async def nothing(_: Connection) -> None:
        pass

    attack(hub, lambda: silent_after(nothing))
    attack(hub, lambda: silent_after(lambda connection: connection.hello()))


def test_a_flood_slows_down_its_sender_only(hub: RunningHub) -> None:
    async def run() -> None:
        padding = b'{"type": "poem", "text": "' + b"x" * (900 << 10) + b'"}'
        async with new_agent(hub).enrolled() as connection, asyncio.timeout(30):
            started = asyncio.get_running_loop().time()
            for _ in range(11):
                await connection.send_frame(padding)
            await connection.send(make_sample(1))
            await connection.await_stored((1, 1))
            assert asyncio.get_running_loop().time() - started > 0.5

    attack(hub, run)
