"""The directory of custom metrics: bounded, and one bad file costs itself only."""

import os
import sys
from pathlib import Path

import pytest

from beszel_agent.collectors.custom import MAX_FILE_BYTES, MAX_FILES, MAX_SERIES, CustomCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingIncomplete, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ThreadedRun
from beszel_protocol.sample import Metrics
from tests.support.programs import wait_until


def collector(directory: Path) -> CustomCollector:
    return CustomCollector.probe(HostPaths(), Config(textfile_dir=str(directory)))


def told(collector: CustomCollector) -> dict[str, float]:
    return collector.collect(0.0).custom or {}


def test_without_the_setting_there_is_none() -> None:
    with pytest.raises(Unavailable, match="TEXTFILE_DIR"):
        CustomCollector.probe(HostPaths(), Config())


def test_files_come_change_and_go(tmp_path: Path) -> None:
    custom = collector(tmp_path)
    assert told(custom) == {}
    (tmp_path / "a.prom").write_text("a 1\n")
    (tmp_path / "b.prom").write_text('b{x="y"} 2\n')
    (tmp_path / "c.prom.tmp").write_text("half")
    assert told(custom) == {"a": 1.0, 'b{x="y"}': 2.0}
    (tmp_path / "new").write_text("a 3\n")
    (tmp_path / "new").rename(tmp_path / "a.prom")
    (tmp_path / "b.prom").unlink()
    assert told(custom) == {"a": 3.0}


def test_the_age_of_a_file_is_told_so_that_a_dead_script_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    file.write_text("a 1\n")
    os.utime(file, (file.stat().st_mtime - 7200,) * 2)
    ages = collector(tmp_path).collect(0.0).custom_age_seconds
    assert ages is not None
    assert 7199 <= ages["a.prom"] <= 7300


@pytest.mark.skipif(sys.platform == "darwin", reason="its names are UTF-8")
def test_a_file_whose_name_is_no_text_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff.prom")).write_text("a 1\n")
    part = collector(tmp_path).collect(0.0)
    assert part.custom == {"a": 1.0}
    assert list(part.custom_age_seconds or {}) == ["a.prom"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"half a li", "bad.prom: the last line has no end"),
        (b"\xff\xfe\n", "bad.prom: is not UTF-8"),
        (b"a 5\n", "bad.prom: a is in another file, too"),
        (b"#" * MAX_FILE_BYTES + b"\n", "bad.prom: has more than 256 KiB"),
        (b"".join(b"s%d 1\n" % number for number in range(MAX_SERIES)), "more than 1000 series"),
    ],
)
def test_a_bad_file_is_reported_and_the_others_are_told(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.prom").write_text("a 1\n")
    (tmp_path / "bad.prom").write_bytes(content)
    (tmp_path / "z.prom").write_text("z 26\n")
    with pytest.raises(ReadingIncomplete, match=reason) as caught:
        collector(tmp_path).collect(0.0)
    assert caught.value.part.custom == {"a": 1.0, "z": 26.0}


def test_what_is_no_file_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.prom")
    (tmp_path / "dir.prom").mkdir()
    (tmp_path / "link.prom").symlink_to("nowhere")
    with pytest.raises(ReadingIncomplete, match="No such file"):
        collector(tmp_path).collect(0.0)


def test_too_many_files(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number:03}.prom").write_text(f"a{number} 1\n")
    with pytest.raises(ReadingIncomplete, match="of 65 files only the first 64") as caught:
        collector(tmp_path).collect(0.0)
    assert len(caught.value.part.custom or ()) == MAX_FILES


def test_a_directory_that_is_not_there_fails_until_it_is(tmp_path: Path) -> None:
    custom = collector(tmp_path / "later")
    with pytest.raises(FileNotFoundError):
        custom.collect(0.0)
    (tmp_path / "later").mkdir()
    assert told(custom) == {}


def test_each_reading_is_told_once_and_a_complaint_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("a 1\n")
    (tmp_path / "bad.prom").write_text("bad")
    run = ThreadedRun(collector(tmp_path))
    parts: list[Metrics | None] = []

    def is_told() -> bool:
        parts.append(run.read(0.0))
        return parts[-1] is not None

    wait_until("a part", is_told)
    assert parts[-1] is not None
    assert parts[-1].custom == {"a": 1.0}
    assert run.read(1.0) is None
    report = run.report()
    assert (report.state, report.failures) == ("failing", 1)
    assert "bad.prom" in (report.reason or "")
