import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_public_key,
)

from beszel_hub.agents import keys
from beszel_hub.agents.keys import load_hub_key
from beszel_hub.errors import StartError
from tests.support import keys as reference

OWN = Ed25519PrivateKey.generate()
PKCS8 = OWN.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
OPENSSH = OWN.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "id_ed25519"
    mask = os.umask(0)
    try:
        first = load_hub_key(path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert load_hub_key(path).public_bytes == first.public_bytes


def test_the_public_line_is_what_openssh_writes(tmp_path: Path) -> None:
    key = load_hub_key(tmp_path / "id_ed25519")
    assert key.public_line.startswith("ssh-ed25519 AAAA")
    public_key = load_ssh_public_key(key.public_line.encode())
    assert public_key.public_bytes_raw() == key.public_bytes  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [PKCS8, OPENSSH], ids=["PKCS #8", "OpenSSH"])
def test_an_own_key_comes_as_a_file_or_as_text(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.pem"
    file.write_bytes(content)
    expected = OWN.public_key().public_bytes_raw()
    unused = tmp_path / "id_ed25519"
    assert load_hub_key(unused, str(file)).public_bytes == expected
    assert load_hub_key(unused, content.decode()).public_bytes == expected
    assert load_hub_key(unused, content.decode().replace("\n", "\\n")).public_bytes == expected
    assert not unused.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n",
        rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        OWN.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
    ],
    ids=["empty", "nonsense", "RSA", "encrypted"],
)
def test_what_is_no_key_of_ours_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "id_ed25519"
    file.write_bytes(content)
    with pytest.raises(StartError):
        load_hub_key(file)
    with pytest.raises(StartError):
        load_hub_key(tmp_path / "unused", str(file))


def test_a_file_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="KEY must be"):
        load_hub_key(tmp_path / "id_ed25519", str(tmp_path / "nowhere.pem"))


def test_signatures_and_proofs_are_those_of_the_other_side(tmp_path: Path) -> None:
    key = load_hub_key(tmp_path / "id_ed25519")
    signature = key.sign(b"payload")
    assert reference.verify(key.public_bytes, signature, b"payload")
    assert keys.verify(key.public_bytes, signature, b"payload")
    assert not keys.verify(key.public_bytes, signature, b"other")
    assert not keys.verify(b"short", signature, b"payload")
    assert not keys.verify(key.public_bytes, b"short", b"payload")
    assert keys.prove("token", b"payload") == reference.prove("token", b"payload")
