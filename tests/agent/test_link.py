"""The agent's half of the link, over real sockets: who is trusted, what is sent when, and what comes back."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beszel_agent import link as link_module
from beszel_protocol.handshake import decode_bytes, token_id
from beszel_protocol.messages import MAX_BATCH_BYTES, Record, Refused, encode
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.sample import Metrics
from beszel_protocol.version import LINK_SUBPROTOCOL, VERSION
from tests.support.keys import public_bytes
from tests.support.linkagent import FINGERPRINT, SPOOL_ID, linked
from tests.support.linkhub import PATH, TOKEN, LinkHub
from tests.support.programs import free_port


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


def other_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


# Who proves what


def test_both_prove_themselves_and_then_records_flow() -> None:
    async def main() -> None:
        hub = LinkHub(interval_seconds=7.0)
        async with hub.running(), linked(hub) as agent:
            await hub.until("enrolled", lambda: hub.connections)
            first = agent.append()
            await hub.until("a sample", lambda: hub.sequences() == [first])
            await agent.until_confirmed()
        headers = hub.headers[0]
        assert headers["x-token-id"] == token_id(TOKEN)
        assert headers["x-beszel"] == VERSION
        assert headers["sec-websocket-protocol"] == LINK_SUBPROTOCOL
        assert "permessage-deflate" in headers["sec-websocket-extensions"]
        body = hub.enrolments[0].body
        assert (body.name, body.fingerprint, body.details.hostname) == ("web-1", FINGERPRINT, "web-1")
        key = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
        assert decode_bytes(body.agent_key) == public_bytes(key)
        assert agent.intervals == [7.0]
        assert [state.connected for state in agent.states] == [True]

    run(main())


def test_a_name_that_is_no_text_or_too_long_keeps_nobody_out() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, name="web-\udcfc" + 300 * "1"):
            await hub.until("enrolled", lambda: hub.enrolments)
        assert hub.enrolments[0].body.name == "web-" + 250 * "1"

    run(main())


def test_any_of_several_hub_keys_may_prove_it() -> None:
    async def main() -> None:
        hub = LinkHub()
        keys = (public_bytes(other_key()), hub.public_key)
        async with hub.running(), linked(hub, trusted_keys=keys):
            await hub.until("enrolled", lambda: hub.enrolments)

    run(main())


async def expect_silence(hub: LinkHub, said: str, **how: Any) -> None:
    """The agent tries twice, and tells the hub nothing but its hello."""
    async with hub.running(), linked(hub, records=3, **how) as agent:
        await agent.until_problem(said)
        await hub.until("tried again", lambda: len(hub.hellos) >= 2)
    assert hub.enrolments == []
    assert hub.messages == []
    assert hub.records == []
    assert len(set(hub.hellos)) == len(hub.hellos)  # a fresh nonce each time


def test_a_hub_with_another_key_learns_nothing() -> None:
    run(expect_silence(LinkHub(), "none of those in KEY", trusted_keys=(public_bytes(other_key()),)))


def test_a_replayed_challenge_is_worth_nothing() -> None:
    async def main() -> None:
        recorded: list[bytes] = []

        def record(frame: bytes) -> bytes:
            recorded.append(frame)
            return frame

        honest = LinkHub(alter_challenge=record)
        async with honest.running(), linked(honest):
            await honest.until("enrolled", lambda: honest.enrolments)
        replaying = LinkHub(key=honest.key, alter_challenge=lambda _: recorded[0])
        await expect_silence(replaying, "signature does not fit")

    run(main())


def test_a_tampered_signature_is_worth_nothing() -> None:
    def tamper(frame: bytes) -> bytes:
        start = frame.index(b'"signature":"') + len(b'"signature":"') + 10
        letter = b"A" if frame[start : start + 1] != b"A" else b"B"
        return frame[:start] + letter + frame[start + 1 :]

    run(expect_silence(LinkHub(alter_challenge=tamper), "signature does not fit"))


@pytest.mark.parametrize(
    "frame", [b"garbage", b'{"type":"challenge"}', b"[]", b'{"type":"later"}', b'{"type":"ack","stored":[]}']
)
def test_what_is_no_challenge_is_worth_nothing(frame: bytes) -> None:
    run(expect_silence(LinkHub(alter_challenge=lambda _: frame), "not"))


def test_another_hosts_key_is_refused_by_a_hub_that_knows_ours() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running():
            async with linked(hub):
                await hub.until("bound", lambda: hub.enrolments)
            async with linked(hub, seed=b"t" * 32) as agent:
                await agent.until_problem("bound to a key that this agent no longer has")
            async with linked(hub, fingerprint="e" * 48) as agent:
                await agent.until_problem("TOKEN belongs to another host")

    run(main())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("unknown_token", "the hub does not know TOKEN: so it is"),
        ("duplicate_host", "fingerprint reset"),
        ("agent_too_old", "too old"),
        ("tls_required", "https://"),
        ("something_new", "refuses this agent (something_new): so it is"),
    ],
)
def test_a_refusal_is_said_once_in_plain_words(code: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        hub = LinkHub(refuse_with=Refused(code=code, message="so it is\x1b[31m"))
        async with hub.running(), linked(hub) as agent:
            await hub.until("three tries", lambda: len(hub.close_codes) >= 3)
            assert "\x1b" not in (await agent.until_problem(said))
        assert not hub.records

    with caplog.at_level(logging.WARNING):
        run(main())
    assert sum(said in record.getMessage() for record in caplog.records) == 1


def test_a_wrong_token_is_refused_at_the_end_only() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, token="not the token") as agent:
            await agent.until_problem("does not believe this agent")

    run(main())


# Where the hub is


def test_a_sub_path_is_kept() -> None:
    async def main() -> None:
        hub = LinkHub(path="/below/a/proxy" + PATH)
        async with hub.running(), linked(hub):
            await hub.until("enrolled", lambda: hub.enrolments)

    run(main())


def test_what_is_no_hub_is_told() -> None:
    async def main() -> None:
        hub = LinkHub(path="/below" + PATH)
        async with hub.running():
            hub_elsewhere = LinkHub(port=hub.port)
            async with linked(hub_elsewhere) as agent:
                await agent.until_problem("HTTP 404; does HUB_URL lead to it?")

    run(main())


def test_nobody_there_is_told() -> None:
    async def main() -> None:
        async with linked(LinkHub(port=free_port())) as agent:
            await agent.until_problem("nothing listens at HUB_URL")

    run(main())


def test_a_silent_hub_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "HANDSHAKE_TIMEOUT_SECONDS", 0.3)

    async def main() -> None:
        hub = LinkHub(is_deaf=True)
        async with hub.running(), linked(hub) as agent:
            await agent.until_problem("the handshake took longer than 0.3 s")

    run(main())


# What is sent when


def test_what_was_not_committed_is_sent_again_after_a_reset() -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), linked(hub, records=5) as agent:
            await agent.until_confirmed()
            hub.acknowledges = False
            lost = agent.append()
            await hub.until("one more", lambda: lost in hub.sequences())
            hub.stored[SPOOL_ID] = SequenceRanges([(1, 5)])  # the machine died before it wrote that one
            hub.reset_connections()
            hub.acknowledges = True
            later = agent.append()
            await agent.until_confirmed()
        assert hub.sequences().count(lost) == 2
        assert [hub.sequences().count(sequence) for sequence in (1, 2, 3, 4, 5, later)] == [1] * 6

    run(main())


def test_what_is_stored_is_not_sent_again_though_its_ack_was_lost() -> None:
    async def main() -> None:
        hub = LinkHub(acknowledges=False)
        async with hub.running(), linked(hub, records=5) as agent:
            await hub.until("everything", lambda: len(hub.records) == 5)
            hub.reset_connections()
            hub.acknowledges = True
            await hub.until("back", lambda: len(hub.enrolments) == 2)
            agent.append()
            await agent.until_confirmed()
        assert sorted(hub.sequences()) == [1, 2, 3, 4, 5, 6]

    run(main())


def test_a_hub_that_restarts_gets_what_it_missed_in_order() -> None:
    async def main() -> None:
        hub = LinkHub(port=free_port())
        async with linked(hub) as agent:
            async with hub.running():
                agent.append()
                await agent.until_confirmed()
            for _ in range(10):
                agent.append()
            async with hub.running():
                await agent.until_confirmed()
        assert sorted(hub.sequences()) == list(range(1, 12))
        assert hub.batches == [list(range(2, 11))]  # the newest one went ahead of them

    run(main())


def test_one_batch_at_a_time_within_its_size_and_live_samples_go_first() -> None:
    async def main() -> None:
        hub = LinkHub(acknowledges=False)
        large = Metrics(temperatures={f"sensor_{n}_{'x' * 80}": float(n) for n in range(100)})
        async with hub.running(), linked(hub, records=60, metrics=large) as agent:
            await hub.until("the first batch", lambda: hub.batches)
            live = agent.append(large)
            await hub.until("a live one", lambda: live in hub.sequences())
            assert len(hub.batches) == 1
            assert hub.sequences()[0] == 60  # the newest of what was there
            await hub.acknowledge()
            await hub.until("the second batch", lambda: len(hub.batches) == 2)
            hub.acknowledges = True
            await hub.acknowledge()
            await agent.until_confirmed()
        assert sorted(hub.sequences()) == list(range(1, 62))
        assert len(hub.batches) == 3
        sizes = [sum(len(encode(record)) for record in batch) for batch in batches_of(hub)]
        assert MAX_BATCH_BYTES * 0.9 < max(sizes) <= MAX_BATCH_BYTES

    run(main())


def batches_of(hub: LinkHub) -> list[list[Record]]:
    by_sequence = {record.sequence: record for _, record in hub.records}
    return [[by_sequence[sequence] for sequence in batch] for batch in hub.batches]


def test_holes_in_what_is_stored_are_filled() -> None:
    async def main() -> None:
        hub = LinkHub(stored={SPOOL_ID: SequenceRanges([(2, 3), (6, 7)])})
        async with hub.running(), linked(hub, records=8) as agent:
            await agent.until_confirmed()
        assert sorted(hub.sequences()) == [1, 4, 5, 8]

    run(main())
