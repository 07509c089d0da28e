"""Verifiers that the hub does not keep, and recognises all the same."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.accounts.pkce import LIFETIME_SECONDS, challenge_of, is_fresh_verifier, make_verifier, nonce_of

KEY = b"k" * 32
NOW_MS = 1_700_000_000_000
VERIFIER = make_verifier(KEY, b"\x01" * 24, NOW_MS)


def test_a_verifier_has_the_form_of_one() -> None:
    assert 43 <= len(VERIFIER) <= 128
    assert VERIFIER.isascii()
    assert not set(VERIFIER) & set("+/=")


def test_the_challenge_is_that_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("later_seconds", "fresh"),
    [(0, True), (LIFETIME_SECONDS, True), (LIFETIME_SECONDS + 1, False), (-1, False)],
)
def test_a_verifier_holds_a_while(later_seconds: int, fresh: bool) -> None:
    assert is_fresh_verifier(KEY, VERIFIER, NOW_MS + later_seconds * 1000) is fresh


def test_nobody_else_makes_one() -> None:
    assert not is_fresh_verifier(b"x" * 32, VERIFIER, NOW_MS)
    assert nonce_of(KEY, VERIFIER) != nonce_of(b"x" * 32, VERIFIER)
    assert nonce_of(KEY, VERIFIER) not in VERIFIER


@given(st.integers(0, len(VERIFIER) - 1), st.characters(codec="utf-8"))
def test_any_change_is_noticed(position: int, letter: str) -> None:
    changed = VERIFIER[:position] + letter + VERIFIER[position + 1 :]
    assert is_fresh_verifier(KEY, changed, NOW_MS) is (changed == VERIFIER)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert not is_fresh_verifier(KEY, text, NOW_MS)


def test_the_same_bytes_have_one_text() -> None:
    """Base64 has several for some: each would be another challenge of the same login."""
    content = base64.urlsafe_b64decode(VERIFIER + "==")
    assert hashlib.sha256(content).digest()
    assert not is_fresh_verifier(KEY, VERIFIER + "==", NOW_MS)
    assert not is_fresh_verifier(KEY, VERIFIER + "\n", NOW_MS)
