"""What a provider signs is believed only as far as it is signed, and meant for this very login."""

from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from beszel_hub.accounts.idtoken import LEEWAY_SECONDS, UnknownKey, UntrustedToken, check_id_token, read_profile

NOW_MS = 1_700_000_000_000
NOW = NOW_MS // 1000
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.org", "aud": "hub", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 300,
}  # fmt: skip
RSA = generate_rsa_key(65537, 2048)
OTHER_RSA = generate_rsa_key(65537, 2048)
EC = generate_ec_key(SECP256R1())
ED = Ed25519PrivateKey.generate()


def public(key: Any, algorithm: Any, **more: str) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(algorithm.to_jwk(key.public_key()))
    return {**document, **more}


KEYS = [
    public(RSA, RSAAlgorithm, kid="rsa", use="sig"), public(EC, ECAlgorithm, kid="ec"),
    public(ED, OKPAlgorithm, kid="ed"), public(OTHER_RSA, RSAAlgorithm, kid="enc", use="enc"),
]  # fmt: skip


def sign(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **claims: Any) -> str:
    body = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(body, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


def check(token: str, keys: Any = KEYS) -> dict[str, Any]:
    return check_id_token(token, keys, issuer="https://id.example.org", client_id="hub", nonce="n", now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, "RS256", "rsa"), (RSA, "RS512", "rsa"), (RSA, "PS256", "rsa"), (EC, "ES256", "ec"), (ED, "EdDSA", "ed")],
)
def test_public_keys_of_every_sort(key: Any, algorithm: str, kid: str) -> None:
    assert check(sign(key, algorithm, kid))["sub"] == "1"


def test_a_lonely_key_needs_no_name() -> None:
    assert check(sign(kid=None), KEYS[:1])["sub"] == "1"


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "other"}, "another client"),
        ({"aud": None}, "another client"),
        ({"aud": ["hub", "other"]}, "several clients"),
        ({"azp": "other"}, "another party"),
        ({"nonce": "m"}, "another login"),
        ({"nonce": None}, "another login"),
        ({"exp": NOW - LEEWAY_SECONDS}, "expired"),
        ({"exp": None}, "exp is no instant"),
        ({"iat": NOW + LEEWAY_SECONDS + 1}, "future"),
        ({"iat": None}, "iat is no instant"),
        ({"sub": ""}, "names nobody"),
        ({"sub": None}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
    ],
)
def test_what_is_not_for_this_login_is_refused(claims: dict[str, Any], fault: str) -> None:
    with pytest.raises(UntrustedToken, match=fault):
        check(sign(**claims))


def test_an_audience_of_several_with_us_in_charge() -> None:
    assert check(sign(aud=["hub", "other"], azp="hub"))["sub"] == "1"


def test_signatures_of_others_are_refused() -> None:
    public_pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    confused = jwt.api_jws.PyJWS(algorithms=["HS256"])
    confused.unregister_algorithm("HS256")
    unsigned = jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "rsa"})
    shared = jwt.encode(CLAIMS, "the client secret, of 32 letters", algorithm="HS256", headers={"kid": "rsa"})
    for token in (
        sign(OTHER_RSA), unsigned, shared, sign()[:-4] + "AAAA", sign() + "x", "", "a.b.c", "." * 50,
        public_pem.decode(), sign(EC, "ES256", "rsa"), "x" * 40_000,
    ):  # fmt: skip
        with pytest.raises(UntrustedToken):
            check(token)


@pytest.mark.parametrize(("kid", "keys"), [("gone", KEYS), ("enc", KEYS), (None, KEYS[:1] * 2), ("rsa", [])])
def test_a_key_that_is_not_there_is_asked_for_again(kid: str | None, keys: list[dict[str, Any]]) -> None:
    with pytest.raises(UnknownKey):
        check(sign(kid=kid), keys)


@pytest.mark.parametrize("key", [{}, {"kty": "RSA", "kid": "rsa"}, {"kty": "RSA", "kid": "rsa", "n": "!", "e": "AQAB"}])
def test_keys_that_are_none(key: dict[str, Any]) -> None:
    with pytest.raises(UntrustedToken):
        check(sign(), [key])


@pytest.mark.parametrize(
    ("told", "verified"), [(True, True), ("true", True), ("yes", False), (1, False), (None, False)]
)
def test_profiles(told: object, verified: bool) -> None:
    profile = read_profile({"sub": "1", "email": "a@b.example", "name": 7, "email_verified": told})
    assert (profile.subject, profile.email, profile.name) == ("1", "a@b.example", "")
    assert profile.is_email_verified is verified
