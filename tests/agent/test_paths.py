"""Reading the kernel's own files."""

from pathlib import Path

import pytest

from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostPaths

KEPT_AND_NOT = pytest.mark.parametrize("keep_open", [True, False])


@KEPT_AND_NOT
def test_a_table_of_several_pages_is_read_whole_and_again(keep_open: bool) -> None:
    table = HostPaths(keep_open=keep_open).proc_file("crypto")
    whole = Path("/proc/crypto").read_bytes()
    if len(whole) <= 4096:
        pytest.skip("the table of this kernel fits into a page")
    assert [table.read(), table.read()] == [whole, whole]


@KEPT_AND_NOT
@pytest.mark.parametrize("size_bytes", [0, 1, 3 << 10, 4096, 64 << 10, 200_000])
def test_a_file_of_any_size_is_read_whole(tmp_path: Path, size_bytes: int, keep_open: bool) -> None:
    (tmp_path / "table").write_bytes(bytes(size_bytes))
    assert HostPaths(proc=str(tmp_path), keep_open=keep_open).proc_file("table").read() == bytes(size_bytes)


def test_a_line_of_a_table_with_long_lines_ends_no_reading() -> None:
    mounts = HostPaths().proc_file("self/mountinfo", long_lines=True)
    assert mounts.read() == Path("/proc/self/mountinfo").read_bytes()


def test_what_does_not_end_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(ReadingFailed, match="does not end"):
        HostPaths(proc=str(tmp_path)).proc_file("endless").read()
