"""The one thing that is read of a certificate, and nothing at all of what is none."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.checks.certificates import Validity, read_validity


def make(since: datetime, until: datetime, name: str = "a") -> bytes:
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(since).not_valid_after(until).sign(key, SHA256())
    return signed.public_bytes(Encoding.DER)


@pytest.mark.parametrize("until", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)])
def test_both_ways_to_write_an_instant(until: datetime) -> None:
    since = until - timedelta(days=90)
    for name in ("a", "n" * 60):
        assert read_validity(make(since, until, name)) == Validity(since.timestamp(), until.timestamp())


def test_every_cut_is_survived() -> None:
    certificate = make(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert {read_validity(certificate[:length]) for length in range(len(certificate))} == {None}


@given(st.binary(max_size=64))
def test_what_is_no_certificate(data: bytes) -> None:
    assert read_validity(data) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_bent_certificate_never_raises(position: int, value: int) -> None:
    bent = bytearray(CERTIFICATE)
    bent[position % len(bent)] = value
    read_validity(bytes(bent))


CERTIFICATE = make(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
