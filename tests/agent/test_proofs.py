"""The proofs, made by the process that ends with them and, where there can be none, in this one."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beszel_agent import prover
from beszel_agent.errors import LinkError
from beszel_agent.proofs import Answer, Question, answer
from beszel_agent.prover import answer_challenge
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import check_enrol, encode_bytes, make_challenge, make_hello, read_enrol, token_id
from beszel_protocol.messages import EnrolBody
from tests.support.keys import prove, public_bytes, verify

TOKEN = "a token"
HUB_KEY = Ed25519PrivateKey.generate()
HELLO = make_hello(b"n" * 32, "0.1.0")
CHALLENGED = make_challenge(
    HELLO, nonce=b"h" * 32, public_key=public_bytes(HUB_KEY), token_id=token_id(TOKEN), sign=HUB_KEY.sign
)


def question(trusted: bytes = public_bytes(HUB_KEY)) -> Question:
    return Question(
        hello_frame=HELLO,
        challenge_frame=CHALLENGED.frame,
        token=TOKEN,
        trusted_keys=(trusted,),
        seed=b"s" * 32,
        body=EnrolBody(
            fingerprint="f" * 48,
            agent_key="",
            name="web-1",
            details=HostDetails(hostname="web-1"),
            spool_id="s",
            boot_id="b",
            boot_ms=1,
        ),
    )


def expect_proof(answered: Answer) -> None:
    assert answered.enrol_frame is not None
    enrolment = read_enrol(answered.enrol_frame, CHALLENGED)
    check_enrol(enrolment, token=TOKEN, prove=prove, verify=verify, compare=lambda a, b: a == b)
    assert enrolment.body.agent_key == encode_bytes(public_bytes(Ed25519PrivateKey.from_private_bytes(b"s" * 32)))


def test_the_answer_is_what_a_hub_takes() -> None:
    expect_proof(answer(question()))


def test_the_other_process_answers_the_same() -> None:
    assert asyncio.run(answer_challenge(question())) == answer(question())


def test_a_hub_that_is_not_trusted_is_not_answered() -> None:
    answered = asyncio.run(answer_challenge(question(trusted=b"x" * 32)))
    assert answered.enrol_frame is None
    assert answered.refused is not None
    assert "none of those in KEY" in answered.refused


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "/bin/false", "/bin/echo"])
def test_where_no_process_can_be_started_it_is_done_here(interpreter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    expect_proof(asyncio.run(answer_challenge(question())))


def test_without_cryptography_there_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LinkError, match="cryptography"):
        asyncio.run(answer_challenge(question()))


def test_the_process_imports_nothing_of_where_it_is_started(tmp_path: Path) -> None:
    """Whoever can write to the working directory must not have their code run with the agent's secrets."""
    (tmp_path / "cryptography.py").write_text("raise SystemExit('planted')")
    (tmp_path / "beszel_protocol.py").write_text("raise SystemExit('planted')")
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "beszel_agent.proofs"],
        cwd=tmp_path,
        env=prover._environment(),
        input=msgspec.json.encode(question()),
        capture_output=True,
        check=True,
    )
    expect_proof(msgspec.json.decode(finished.stdout, type=Answer))
