"""An identity provider's word about somebody, checked (OpenID Connect Core 1.0, 3.1.3.7). Pure: keys and time come in.

PyJWT does the cryptography; it is here already for the hub's own tokens, typed, and kept by many.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

ALGORITHMS: Final = frozenset({
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
})  # fmt: skip
"""Of public keys only: with a shared secret anybody who knows the client's could pose as the provider."""
LEEWAY_SECONDS: Final = 60
MAX_TOKEN_LENGTH: Final = 32 << 10
MAX_SUBJECT_LENGTH: Final = 255


class UntrustedToken(Exception):
    """The message says what is wrong, for the log."""

    code = "untrusted_token"


class UnknownKey(UntrustedToken):
    """Signed by a key that is not among those given; perhaps the provider has a new one."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as the provider knows them; empty for what it does not tell."""

    subject: str
    email: str = ""
    is_email_verified: bool = False
    name: str = ""
    username: str = ""
    picture: str = ""


def check_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str, now_ms: int
) -> dict[str, Any]:
    """The claims of a token; raise `UntrustedToken` unless it is by the issuer, for this client, login and minute."""
    claims = _verify(token, keys)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    now_seconds = now_ms / 1000
    faults = (
        (claims.get("iss") != issuer, "it is by another issuer"),
        (client_id not in audiences, "it is for another client"),
        (len(audiences) > 1 and claims.get("azp") != client_id, "it is for several clients and another party"),
        ("azp" in claims and claims["azp"] != client_id, "it was given to another party"),
        (claims.get("nonce") != nonce, "it belongs to another login"),
        (_seconds(claims, "exp") + LEEWAY_SECONDS <= now_seconds, "it has expired"),
        (_seconds(claims, "iat") - LEEWAY_SECONDS > now_seconds, "it comes from the future"),
        (not _is_subject(claims.get("sub")), "it names nobody"),
    )
    for is_fault, fault in faults:
        if is_fault:
            raise UntrustedToken(fault)
    return claims


def read_profile(claims: Mapping[str, Any]) -> Profile:
    """Of claims that have been checked. Some providers write truth as a text."""
    return Profile(
        subject=str(claims["sub"]), email=_text(claims, "email"), name=_text(claims, "name"),
        is_email_verified=claims.get("email_verified") is True or claims.get("email_verified") == "true",
        username=_text(claims, "preferred_username"), picture=_text(claims, "picture"),
    )  # fmt: skip


def _verify(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    import jwt  # noqa: PLC0415  # the command line starts fast

    if len(token) > MAX_TOKEN_LENGTH:
        raise UntrustedToken("it is too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in ALGORITHMS:
            raise UntrustedToken("its algorithm is not one of public keys")
        key = jwt.PyJWK(dict(_find_key(keys, header.get("kid"), algorithm)), algorithm)
        # Who, for whom and when is checked by `check_id_token`, by the hub's own clock.
        return jwt.decode(token, key, algorithms=[algorithm], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise UntrustedToken(f"{type(error).__name__}: {error}") from error


_SIGNATURE_ONLY: Final[Any] = {
    "verify_signature": True, "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False,
    "verify_iss": False, "verify_sub": False, "verify_jti": False,
}  # fmt: skip


def _find_key(keys: Sequence[Mapping[str, Any]], key_id: object, algorithm: str) -> Mapping[str, Any]:
    family = {"E": "EC", "R": "RSA", "P": "RSA"}["E" if algorithm.startswith("ES") else algorithm[0]]
    wanted_type = "OKP" if algorithm == "EdDSA" else family
    fitting = [key for key in keys if key.get("kty") == wanted_type and key.get("use", "sig") == "sig"]
    named = [key for key in fitting if key.get("kid") == key_id] if key_id is not None else fitting
    if len(named) != 1:
        raise UnknownKey("none of the provider's keys is the one it names")
    return named[0]


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UntrustedToken(f"{name} is no instant")
    return value


def _is_subject(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT_LENGTH


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:255] if isinstance(value, str) else ""
