"""Every lie of either side, told to the pure functions; tests/agent and tests/hub tell them over sockets."""

import hmac
import secrets

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol import handshake, messages
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import AgentRefused, Challenged, Enrolment, HubNotTrusted
from beszel_protocol.messages import Challenge, Enrol, EnrolBody, InvalidMessage
from tests.support.keys import prove, public_bytes, verify

TOKEN = "a-token-of-web-1"

hub_key = Ed25519PrivateKey.generate()
agent_key = Ed25519PrivateKey.generate()
stranger_key = Ed25519PrivateKey.generate()


def body(fingerprint: str = "f" * 48) -> EnrolBody:
    return EnrolBody(
        fingerprint=fingerprint,
        agent_key=handshake.encode_bytes(public_bytes(agent_key)),
        name="web-1",
        details=HostDetails(hostname="web-1"),
        spool_id="s",
        boot_id="b",
        boot_ms=1,
    )


def hello() -> bytes:
    return handshake.make_hello(secrets.token_bytes(32), "0.1.0")


def challenge(hello_frame: bytes, key: Ed25519PrivateKey = hub_key, token: str = TOKEN) -> Challenged:
    return handshake.make_challenge(
        hello_frame,
        nonce=secrets.token_bytes(32),
        public_key=public_bytes(key),
        token_id=handshake.token_id(token),
        sign=key.sign,
    )


def trust(challenge_frame: bytes, hello_frame: bytes, *keys: Ed25519PrivateKey) -> bytes:
    return handshake.check_challenge(
        challenge_frame,
        hello_frame=hello_frame,
        token_id=handshake.token_id(TOKEN),
        trusted_keys=[public_bytes(key) for key in keys or (hub_key,)],
        verify=verify,
    )


def enrol(challenged: Challenged, token: str = TOKEN, key: Ed25519PrivateKey = agent_key) -> bytes:
    return handshake.make_enrol(body(), challenge_frame=challenged.frame, token=token, prove=prove, sign=key.sign)


def check(enrolment: Enrolment) -> None:
    handshake.check_enrol(enrolment, token=TOKEN, prove=prove, verify=verify, compare=hmac.compare_digest)


def test_two_honest_sides_trust_each_other() -> None:
    hello_frame = hello()
    challenged = challenge(hello_frame)
    assert trust(challenged.frame, hello_frame) == public_bytes(hub_key)
    enrolment = handshake.read_enrol(enrol(challenged), challenged)
    check(enrolment)
    assert enrolment.body == body()
    assert enrolment.agent_key == public_bytes(agent_key)


def test_any_of_several_hub_keys_may_verify() -> None:
    hello_frame = hello()
    assert trust(challenge(hello_frame).frame, hello_frame, stranger_key, hub_key) == public_bytes(hub_key)


def test_a_hub_with_an_unknown_key_is_not_trusted() -> None:
    hello_frame = hello()
    with pytest.raises(HubNotTrusted, match="none of those in KEY"):
        trust(challenge(hello_frame, stranger_key).frame, hello_frame)


def test_a_hub_that_shows_a_foreign_key_cannot_sign_for_it() -> None:
    hello_frame = hello()
    challenged = handshake.make_challenge(
        hello_frame,
        nonce=secrets.token_bytes(32),
        public_key=public_bytes(hub_key),
        token_id=handshake.token_id(TOKEN),
        sign=stranger_key.sign,
    )
    with pytest.raises(HubNotTrusted, match="signature"):
        trust(challenged.frame, hello_frame)


def test_a_recorded_challenge_does_not_fit_another_hello() -> None:
    recorded = challenge(hello())
    with pytest.raises(HubNotTrusted, match="signature"):
        trust(recorded.frame, hello())


def test_a_challenge_for_another_token_does_not_fit() -> None:
    hello_frame = hello()
    with pytest.raises(HubNotTrusted, match="signature"):
        trust(challenge(hello_frame, token="another token").frame, hello_frame)


@pytest.mark.parametrize("field", ["nonce", "signature"])
def test_a_tampered_challenge(field: str) -> None:
    hello_frame = hello()
    original = messages.decode_from_hub(challenge(hello_frame).frame)
    assert isinstance(original, Challenge)
    value = bytearray(handshake.decode_bytes(getattr(original, field)))
    value[0] ^= 1
    tampered = msgspec.structs.replace(original, **{field: handshake.encode_bytes(bytes(value))})
    with pytest.raises(HubNotTrusted):
        trust(messages.encode(tampered), hello_frame)


def test_an_agent_without_the_token_is_refused() -> None:
    challenged = challenge(hello())
    with pytest.raises(AgentRefused) as refusal:
        check(handshake.read_enrol(enrol(challenged, token="guessed"), challenged))
    assert refusal.value.code == "bad_proof"


def test_an_agent_without_its_own_key_is_refused() -> None:
    challenged = challenge(hello())
    with pytest.raises(AgentRefused) as refusal:
        check(handshake.read_enrol(enrol(challenged, key=stranger_key), challenged))
    assert refusal.value.code == "bad_proof"


def test_a_recorded_enrol_does_not_fit_another_challenge() -> None:
    recorded = enrol(challenge(hello()))
    with pytest.raises(AgentRefused):
        check(handshake.read_enrol(recorded, challenge(hello())))


def test_a_changed_body_does_not_fit_its_proof() -> None:
    challenged = challenge(hello())
    frame = enrol(challenged)
    assert frame.count(b'"name":"web-1"') == 1
    with pytest.raises(AgentRefused):
        check(handshake.read_enrol(frame.replace(b'"name":"web-1"', b'"name":"web-2"'), challenged))


@pytest.mark.parametrize(
    ("fingerprint", "key", "code"),
    [("e" * 48, None, "fingerprint_mismatch"), (None, "AAAA", "key_mismatch"), (None, None, None)],
)
def test_a_system_is_bound_to_its_first_host(fingerprint: str | None, key: str | None, code: str | None) -> None:
    challenged = challenge(hello())
    enrolment = handshake.read_enrol(enrol(challenged), challenged)
    bound = {"fingerprint": fingerprint or body().fingerprint, "agent_key": key or body().agent_key}
    if code is None:
        handshake.check_binding(enrolment, **bound, compare=hmac.compare_digest)
        return
    with pytest.raises(AgentRefused) as refusal:
        handshake.check_binding(enrolment, **bound, compare=hmac.compare_digest)
    assert refusal.value.code == code


def test_an_agent_of_an_older_protocol_is_told_so() -> None:
    frame = messages.encode(messages.Hello(protocol=0, nonce=handshake.encode_bytes(b"n" * 32), version="0.0.1"))
    with pytest.raises(AgentRefused) as refusal:
        challenge(frame)
    assert refusal.value.code == "agent_too_old"


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"hello","protocol":1,"nonce":"short","version":"x"}',
        b'{"type":"hello","protocol":1,"nonce":"\xc3\xa9","version":"x"}',
        b'{"type":"sample","sequence":1,"timestamp":"t","boot_ms":1,"metrics":{}}',
        b'{"type":"poem"}',
    ],
)
def test_a_first_frame_that_is_no_hello(frame: bytes) -> None:
    with pytest.raises(InvalidMessage):
        challenge(frame)


@pytest.mark.parametrize("field", ["proof", "signature"])
def test_proofs_of_a_wrong_length(field: str) -> None:
    challenged = challenge(hello())
    message = messages.decode_from_agent(enrol(challenged))
    assert isinstance(message, Enrol)
    frame = messages.encode(msgspec.structs.replace(message, **{field: "AAAA"}))
    with pytest.raises(InvalidMessage):
        handshake.read_enrol(frame, challenged)


def test_the_token_id_gives_nothing_away_and_is_stable() -> None:
    assert handshake.token_id(TOKEN) == "9ef47b1b0961f434"
    assert handshake.token_id(TOKEN) != handshake.token_id(TOKEN + "x")


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_joined_fields_are_never_ambiguous(one: list[bytes], other: list[bytes]) -> None:
    assert (handshake.join(*one) == handshake.join(*other)) == (one == other)


@given(st.binary(max_size=80))
def test_bytes_as_text_and_back(value: bytes) -> None:
    text = handshake.encode_bytes(value)
    assert handshake.decode_bytes(text) == value
    assert not set(text) & set("+/=")
