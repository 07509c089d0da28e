"""What registries want before they answer, and what gives tokens."""

import pytest

from beszel_hub.images.challenge import MAX_TOKEN_LENGTH, Challenge, read_challenge, read_token, token_url
from beszel_hub.images.failures import ImageUnknown
from beszel_protocol.targets import parse_url

REALM = "https://auth.example.org/token"


@pytest.mark.parametrize(
    ("header", "service"),
    [
        (f'Bearer realm="{REALM}",service="registry.example.org",scope="repository:x:pull"', "registry.example.org"),
        (f'bearer  realm="{REALM}" , service="a b"', "a b"),
        (f'BEARER scope="",Realm="{REALM}"', None),
        (f'Bearer realm="{REALM}",error="invalid_token', None),
    ],
)
def test_challenges(header: str, service: str | None) -> None:
    assert read_challenge(header) == Challenge(REALM, service)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer realm", f"Bearer realm={REALM}", 'Basic realm="x"', 'Bearer service="x"',
     'Bearer realm="' + "x" * 5000 + '"', "Bearer " + "a" * 100_000, 'Bearer realm="\\"x"'],
)  # fmt: skip
def test_what_is_no_challenge_for_everybody(header: str) -> None:
    with pytest.raises(ImageUnknown):
        read_challenge(header)


def test_a_token_is_asked_for_one_repository_only() -> None:
    challenge = Challenge(REALM, "a&b")
    assert token_url(parse_url(REALM), challenge, "x/y").path == "/token?service=a%26b&scope=repository%3Ax%2Fy%3Apull"
    assert token_url(parse_url(f"{REALM}?a=1"), Challenge(REALM, None), "x").path.startswith("/token?a=1&scope=")
    with pytest.raises(ImageUnknown):
        token_url(parse_url(REALM), Challenge(REALM, "é" * 2000), "x")


@pytest.mark.parametrize(
    ("body", "token"),
    [
        (b'{"token": "a.b-c_d~"}', "a.b-c_d~"),
        (b'{"access_token": "x"}', "x"),
        (b'{"token": "", "access_token": "x"}', "x"),
    ],
)
def test_tokens(body: bytes, token: str) -> None:
    assert read_token(body) == token


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"token": 5}', b'{"token": "a\\r\\nHost: x"}', b'{"token": "a b"}', b"[" * 60_000,
     b'{"token": "' + b"x" * (MAX_TOKEN_LENGTH + 1) + b'"}'],
)  # fmt: skip
def test_what_is_no_token(body: bytes) -> None:
    with pytest.raises(ImageUnknown):
        read_token(body)
