"""What administrators tell apk: what to hold, and where to look."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.errors import ReadingFailed
from beszel_agent.packages.apk import Repository, World, index_names, parse_repositories, parse_world


def test_a_constraint_with_an_upper_end_holds_a_package() -> None:
    world = parse_world("a b=1.0-r0\nc<2 d~1.2 e>1 f>=1 g><Q1abc h@edge i@edge=1.0 !j")
    assert world == World(held=frozenset("bcdgi"), tags={"h": "edge", "i": "edge"})


def test_repositories_with_tags_and_components() -> None:
    text = "# none\n\nhttps://a.example/main/\n@edge  https://a.example/edge\nv2 @x https://b.example main community\n"
    assert parse_repositories(text) == [
        Repository("https://a.example/main", None), Repository("https://a.example/edge", "edge"),
        Repository("https://b.example/main", "x"), Repository("https://b.example/community", "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["set a=b", "v3 https://a.example", "ndx https://a.example/x.adb", "https://a.example/x.adb", "v2 ${a} main"],
)
def test_other_kinds_of_repositories_are_not_passed_over(line: str) -> None:
    with pytest.raises(ReadingFailed, match="not known here"):
        parse_repositories(line)


def test_the_name_of_an_index_is_that_which_old_apk_gave_it() -> None:
    assert index_names("http://dl-cdn.alpinelinux.org/alpine/v3.8/main", "x86_64")[-1] == "APKINDEX.adfa7ceb.tar.gz"


@given(st.text("ab@=<>~! v2$/\n#:"))
def test_no_text_is_too_much(text: str) -> None:
    parse_world(text)
    with contextlib.suppress(ReadingFailed):
        parse_repositories(text)
