"""Sealing under the hub's secret, and the file it is in."""

import stat
from pathlib import Path

import pytest

from beszel_hub.errors import StartError
from beszel_hub.store.files import create_private_file, make_private_directory, make_private_file, write_private_file
from beszel_hub.store.ids import is_id, new_id
from beszel_hub.store.secrets import NotSealedHere, load_secret


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_sealed_opens_for_its_purpose_only(tmp_path: Path) -> None:
    secret = load_secret(tmp_path / "secret.key")
    sealed = secret.seal(b"token", b"agents")
    assert b"token" not in sealed
    assert secret.seal(b"token", b"agents") != sealed, "never the same twice"
    assert load_secret(tmp_path / "secret.key").open(sealed, b"agents") == b"token"
    with pytest.raises(NotSealedHere):
        secret.open(sealed, b"others")


@pytest.mark.parametrize(
    "damage", [lambda s: s[:-1], lambda s: s[:5], lambda _: b"", lambda s: bytes([s[0] ^ 1]) + s[1:]]
)
def test_what_is_damaged_does_not_open(tmp_path: Path, damage: object) -> None:
    secret = load_secret(tmp_path / "secret.key")
    assert callable(damage)
    with pytest.raises(NotSealedHere):
        secret.open(damage(secret.seal(b"token", b"agents")), b"agents")


def test_another_secret_opens_nothing(tmp_path: Path) -> None:
    sealed = load_secret(tmp_path / "one.key").seal(b"token", b"agents")
    other = load_secret(tmp_path / "two.key")
    with pytest.raises(NotSealedHere):
        other.open(sealed, b"agents")
    assert other.token_key != load_secret(tmp_path / "one.key").token_key


def test_the_secret_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    load_secret(path)
    before = path.read_bytes()
    path.chmod(0o644)
    load_secret(path)
    assert (path.read_bytes(), _mode(path)) == (before, 0o600)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_secret_of_another_length_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(StartError, match="32 bytes"):
        load_secret(tmp_path / "secret.key")


def test_private_files(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    make_private_directory(directory)
    assert _mode(directory) == 0o700
    path = directory / "file"
    assert create_private_file(path, b"first")
    assert not create_private_file(path, b"second")
    assert path.read_bytes() == b"first"
    write_private_file(path, b"third")
    make_private_file(path)
    assert (path.read_bytes(), _mode(path)) == (b"third", 0o600)
    assert [entry.name for entry in directory.iterdir()] == ["file"], "nothing temporary is left"


def test_ids() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(is_id(one) for one in ids)
    assert not any(map(is_id, ("", "short", "A" * 15, "a" * 16, "a" * 14 + "-", "é" * 15, "a" * 15 + "\n")))
