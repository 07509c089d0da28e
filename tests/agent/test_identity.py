"""The fingerprint that Beszel's agent makes of the same host, a key of its own, and where they are kept."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from beszel_agent.datadir import DataDir, choose_data_dir, find_data_dir
from beszel_agent.errors import DataDirError
from beszel_agent.identity import (
    FINGERPRINT_FILE,
    KEY_FILE,
    load_fingerprint,
    load_identity,
    make_fingerprint,
    reset_identity,
)
from beszel_agent.paths import HostPaths

UUID = "4C4C4544-0042-3510-8054-B4C04F4A5131"
MACHINE_ID = "3d1219c7c4c5404aaa1f6d2a48adfda4"
BOOT_ID = "5c2b8a8e-6f0e-4c9b-9f59-0c4d4c8f3b11"


def host(root: Path, files: dict[str, str]) -> HostPaths:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return HostPaths(proc=f"{root}/proc", sys=f"{root}/sys", etc=f"{root}/etc")


ALL = {
    "sys/class/dmi/id/product_uuid": UUID,
    "etc/machine-id": MACHINE_ID,
    "proc/sys/kernel/random/boot_id": BOOT_ID,
    "proc/sys/kernel/hostname": "web-1",
    "proc/cpuinfo": "processor : 0\nmodel name : Some CPU",
}


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in ALL.items() if not name.endswith(names)}


@pytest.mark.parametrize(
    ("files", "host_id"),
    [
        (ALL, UUID.lower()),
        (without("product_uuid"), "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4"),
        (without("product_uuid", "machine-id"), BOOT_ID),
        (without("product_uuid", "machine-id", "boot_id"), "web-1Some CPU"),
        ({**ALL, "sys/class/dmi/id/product_uuid": "03000200-0400-0500-0006-000700080009"}, "web-1Some CPU"),
    ],
    ids=["dmi", "machine-id", "boot-id", "nothing", "everybodys"],
)
def test_fingerprint(files: dict[str, str], host_id: str, tmp_path: Path) -> None:
    fingerprint = make_fingerprint(host(tmp_path, files))
    assert fingerprint == hashlib.sha256(host_id.encode()).hexdigest()[:48]


def test_it_is_kept_when_the_host_changes(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    paths = host(tmp_path / "host", ALL)
    first = load_identity(data_dir, paths)
    (tmp_path / "host/sys/class/dmi/id/product_uuid").write_text("another board\n")
    assert load_identity(data_dir, paths) == first
    assert load_fingerprint(data_dir, paths) == first.fingerprint


def test_reset_makes_a_new_host_of_a_clone(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    original = load_identity(data_dir, host(tmp_path / "host", ALL))
    clone = reset_identity(data_dir, host(tmp_path / "clone", {**ALL, "sys/class/dmi/id/product_uuid": "a clone"}))
    assert clone.fingerprint != original.fingerprint
    assert clone.seed != original.seed


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_reads_it_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        path = choose_data_dir(str(tmp_path / "a" / "data"), ())
        load_identity(DataDir(path).claim(), HostPaths())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o077 for file in path.iterdir()}
    assert modes == {FINGERPRINT_FILE: 0, KEY_FILE: 0, "lock": 0}


def test_a_damaged_key_is_not_replaced_behind_ones_back(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("half a k")
    with pytest.raises(DataDirError, match="damaged"):
        load_identity(DataDir(tmp_path), HostPaths())


def test_two_agents_do_not_share_a_directory(tmp_path: Path) -> None:
    first = DataDir(tmp_path).claim()
    with pytest.raises(DataDirError, match="another agent"):
        DataDir(tmp_path).claim()
    first.release()
    DataDir(tmp_path).claim().release()


def test_a_lock_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(DataDirError, match="cannot open"):
        DataDir(tmp_path).claim()


def test_the_first_directory_that_is_there_then_the_first_that_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    impossible, made, there = tmp_path / "a-file" / "x", tmp_path / "made", tmp_path / "there"
    there.mkdir()
    assert choose_data_dir(None, (impossible, made, there)) == there
    there.rmdir()
    assert find_data_dir(None, (impossible, made, there)) is None
    assert choose_data_dir(None, (impossible, made, there)) == made
    assert find_data_dir(None, (impossible, made, there)) == made
    with pytest.raises(DataDirError, match="set DATA_DIR"):
        choose_data_dir(None, (impossible,))
    with pytest.raises(DataDirError, match="DATA_DIR"):
        choose_data_dir(str(impossible), (made,))
