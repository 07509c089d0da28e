"""Lists of apt that are compressed, whole and not."""

import gzip
from pathlib import Path

import pytest

from beszel_agent.collectors.updates import UpdatesCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingIncomplete
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import UpdateMetrics

STATUS = b"Package: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.0-1\n\n"
LIST = b"Package: curl\nArchitecture: amd64\nVersion: 7.0-2\n\n"


def updates_of(root: Path, archive: bytes) -> UpdateMetrics | None:
    lists = root / "var/lib/apt/lists"
    lists.mkdir(parents=True)
    (lists / "example.org_dists_stable_main_binary-amd64_Packages.gz").write_bytes(archive)
    (root / "var/lib/dpkg").mkdir()
    (root / "var/lib/dpkg/status").write_bytes(STATUS)
    (root / "var/run").mkdir()
    (root / "var/run/reboot-required").touch()
    return UpdatesCollector.probe(HostPaths(root=str(root)), Config()).collect(0.0).updates


def test_a_compressed_list_is_read(tmp_path: Path) -> None:
    assert updates_of(tmp_path, gzip.compress(LIST)) == UpdateMetrics(pending=1, security=0, reboot_required=1)


@pytest.mark.parametrize("end", [b"", b"\xff" * 20], ids=["cut", "damaged"])
def test_a_list_that_is_not_whole_hides_no_restart_that_is_due(end: bytes, tmp_path: Path) -> None:
    with pytest.raises(ReadingIncomplete, match="is not whole") as incomplete:
        updates_of(tmp_path, gzip.compress(LIST)[:12] + end)
    assert incomplete.value.part.updates == UpdateMetrics(reboot_required=1)
