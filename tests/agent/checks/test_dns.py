"""Questions to a real name server on loopback, and what hostile ones answer."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.checks.dns import parse_name_servers
from beszel_agent.checks.dns_messages import make_question, read_answer
from beszel_agent.checks.probing import Prober
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition, problems_of
from beszel_protocol.sample import CheckMetrics
from tests.support.nameserver import Reply, address_record, answer, name_of, name_server, record

T = TypeVar("T")
QUESTION = make_question(0x1234, "web.example.org", "A")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


def ask(by_udp: Reply, by_tcp: Reply = lambda _: (), **changes: Any) -> CheckMetrics:
    async def main() -> CheckMetrics:
        async with name_server(by_udp, by_tcp) as server:
            fields = {
                "name": "dns", "kind": "dns", "target": "web.example.org", "server": f"127.0.0.1:{server.port}",
                "allow_private": True, "timeout_seconds": 5.0,
            }  # fmt: skip
            definition = CheckDefinition(**{**fields, **changes})
            assert problems_of(definition) == {}
            return await Prober(HostPaths(), None).probe(definition)

    return run(main())


@pytest.mark.parametrize(
    ("kind", "records", "keyword", "state"),
    [
        ("A", [address_record("192.0.2.1")], "", "up"),
        ("A", [address_record("192.0.2.1"), address_record("192.0.2.2")], "192.0.2.2", "up"),
        ("A", [address_record("192.0.2.1")], "192.0.2.2", "the keyword is none of the answers"),
        ("A", [record("CNAME", name_of("x.example")), address_record("1.1.1.1")], "1.1.1.1", "up"),
        ("A", [record("CNAME", name_of("x.example"))], "", "there is no A of this name"),
        ("A", [], "", "there is no A of this name"),
        ("AAAA", [address_record("2001:db8::1")], "2001:db8::1", "up"),
        ("CNAME", [record("CNAME", b"\x03www\xc0\x10")], "WWW.example.org.", "up"),
        ("MX", [record("MX", b"\0\x0a\x04mail\xc0\x10")], "mail.example.org", "up"),
        ("NS", [record("NS", name_of("ns.example"))], "ns.example", "up"),
        ("PTR", [record("PTR", name_of("host.example"))], "host.example", "up"),
        ("TXT", [record("TXT", b"\x06v=spf1\x05 -all")], "v=spf1 -all", "up"),
    ],
)
def test_answers(kind: str, records: list[bytes], keyword: str, state: str) -> None:
    result = ask(lambda question: [answer(question, *records)], record=kind, keyword=keyword)
    assert (result.state, result.up) == (state, int(state == "up"))
    assert result.latency_ms is not None


@pytest.mark.parametrize(
    ("code", "state"),
    [(2, "the name server fails"), (3, "there is no such name"), (5, "the name server refuses to answer"),
     (9, "the name server answers with code 9")],
)  # fmt: skip
def test_problems_of_the_name_server(code: int, state: str) -> None:
    assert ask(lambda question: [answer(question, code=code)]).state == state


def test_the_true_answer_behind_forged_ones() -> None:
    def forge(question: bytes) -> Sequence[bytes]:
        good = answer(question, address_record("1.1.1.1"))
        other_id = bytes([question[0] ^ 1]) + good[1:]
        other_name = good.replace(b"\x03web", b"\x03bad")
        return [b"", b"x", question, other_id, other_name, good[:14], good]

    assert ask(forge, keyword="1.1.1.1").state == "up"


def test_a_lost_packet_is_no_dead_server() -> None:
    seen: list[bytes] = []

    def lose_one(question: bytes) -> Sequence[bytes]:
        seen.append(question)
        return [answer(question, address_record("1.1.1.1"))] if len(seen) > 1 else []

    assert ask(lose_one, timeout_seconds=0.9).state == "up"


def test_silence() -> None:
    assert ask(lambda _: [], timeout_seconds=0.3).state in {"the name server does not answer", "no answer within 0.3 s"}


def test_a_long_answer_comes_by_tcp() -> None:
    def whole(question: bytes) -> Sequence[bytes]:
        data = answer(question, *(address_record(f"1.1.1.{last}") for last in range(100)))
        return [len(data).to_bytes(2, "big"), data[:100], data[100:]]

    result = ask(lambda question: [answer(question, truncated=True)], whole, keyword="1.1.1.99")
    assert result.state == "up"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ([], "the name server ended the connection"),
        ([b"\xff\xff", b"x"], "the name server ended the connection"),
        ([b"\0\x04", b"junk"], "what the name server says is no answer"),
    ],
)
def test_what_goes_wrong_by_tcp(reply: list[bytes], state: str) -> None:
    assert ask(lambda question: [answer(question, truncated=True)], lambda _: reply).state == state


@pytest.mark.parametrize(
    ("addresses", "state"),
    [
        (["10.0.0.1"], "refused: the answer is a private address, which this check is not allowed to see"),
        (["1.1.1.1", "10.0.0.1"], "the keyword is none of the answers"),
    ],
)
def test_private_answers_cannot_be_guessed_at(addresses: list[str], state: str, tmp_path: Path) -> None:
    """By the host's own name servers, which know names that nobody outside does."""

    async def main() -> CheckMetrics:
        def reply(question: bytes) -> Sequence[bytes]:
            return [answer(question, *map(address_record, addresses))]

        async with name_server(reply) as server:
            (tmp_path / "resolv.conf").write_text("search x\nnameserver 127.0.0.1\n")
            monkey = pytest.MonkeyPatch()
            monkey.setattr("beszel_agent.checks.dns.DNS_PORT", server.port)
            with monkey.context():
                definition = CheckDefinition(name="dns", kind="dns", target="db.internal", keyword="10.0.0.1")
                result = await Prober(HostPaths(etc=str(tmp_path)), None).probe(definition)
            monkey.undo()
            return result

    assert run(main()).state == state


def test_a_name_server_in_a_private_network_has_to_be_allowed() -> None:
    result = ask(lambda question: [answer(question, address_record("1.1.1.1"))], allow_private=False)
    assert (result.up, (result.state or "")[:8]) == (None, "refused:")


def test_a_host_without_name_servers(tmp_path: Path) -> None:
    definition = CheckDefinition(name="dns", kind="dns", target="example.org")
    result = run(Prober(HostPaths(etc=str(tmp_path)), None).probe(definition))
    assert result.up is None
    assert result.state == "cannot be made: no name server of this host is known, and the check names none"


def test_name_servers_of_the_host() -> None:
    text = (
        "# nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver x\nnameserver\n"
        + "".join(f"nameserver 192.0.2.{last}\n" for last in range(2, 6))
    )
    assert list(map(str, parse_name_servers(text))) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


@pytest.mark.parametrize(
    "records",
    [
        record("CNAME", b"\xc0\x0c", name=b"\xc0\x21"),  # points to itself
        record("CNAME", b"\xc0\xff"),  # points ahead
        record("CNAME", b"\x3f" + b"a" * 10),  # a label longer than what there is
        record("CNAME", (b"\x3f" + b"a" * 63) * 5 + b"\0"),  # longer than a name may be
        record("CNAME", b"\x80a\0"),  # a label of no known kind
        record("A", b"\1\2\3"),
        record("A", b"\1\2\3\4")[:-2],
    ],
)
def test_hostile_records(records: bytes) -> None:
    question = QUESTION if records[2:4] != b"\0\5" else make_question(0x1234, "web.example.org", "CNAME")
    with pytest.raises(ValueError, match=r"\w"):
        read_answer(answer(question, records), question)


@given(st.binary(max_size=200), st.sampled_from(["A", "AAAA", "CNAME", "MX", "TXT"]))
def test_whatever_follows_the_question_ends(tail: bytes, kind: str) -> None:
    question = make_question(1, "web.example.org", kind)
    with contextlib.suppress(ValueError):
        read_answer(answer(question)[:6] + b"\xff\xff" + answer(question)[8:] + tail, question)
