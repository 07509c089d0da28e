import os
import stat
from pathlib import Path

import pytest

from beszel_tui.client.session import Session, forget_session, load_session, replace_token, save_session, write_private

ONE = Session(hub="https://one", token="t1", identity="ada@example.org")
TWO = Session(hub="https://two", token="t2")


def test_kept_for_each_hub(tmp_path: Path) -> None:
    path = tmp_path / "state" / "sessions.json"
    assert load_session(path) is None
    save_session(path, ONE)
    save_session(path, TWO)
    assert load_session(path) == TWO
    assert load_session(path, "https://one") == ONE
    assert load_session(path, "https://three") is None
    forget_session(path, "https://two")
    assert load_session(path, "https://two") is None
    assert load_session(path, "https://one") == ONE
    forget_session(path, "https://three")


def test_a_newer_session_takes_the_place_of_the_older(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    save_session(path, ONE)
    save_session(path, Session(hub="https://one", token="t9"))
    found = load_session(path, "https://one")
    assert found is not None
    assert found.token == "t9"


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_readable_by_its_owner_only_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        save_session(tmp_path / "deep" / "sessions.json", ONE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep" / "sessions.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"{", b'{"sessions": 5}', b"\xff"])
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sessions.json"
    path.write_bytes(content)
    assert load_session(path) is None
    save_session(path, ONE)
    assert load_session(path) == ONE


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "sessions.json").mkdir()
    with pytest.raises(OSError, match=r"sessions\.json"):
        write_private(tmp_path / "sessions.json", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["sessions.json"]


def test_a_renewed_token_takes_the_place_of_the_old_one_and_of_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    save_session(path, ONE)
    save_session(path, TWO)
    replace_token(path, "https://one", "t1", "t3")
    assert load_session(path, "https://one") == Session(hub="https://one", token="t3", identity="ada@example.org")
    assert load_session(path) == TWO, "the hub used last stays that"
    replace_token(path, "https://one", "t1", "t4")
    replace_token(path, "https://three", "t1", "t4")
    assert load_session(path, "https://one") == Session(hub="https://one", token="t3", identity="ada@example.org")
    assert load_session(path, "https://three") is None
