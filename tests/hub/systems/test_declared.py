"""`config.yml`: what it means, and what a hub does with it at its start."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.errors import BadRequest
from beszel_hub.systems import declared
from beszel_hub.systems.declared import DeclaredSystem, KnownSystem, match
from beszel_hub.systems.tables import AgentToken, SystemRow
from beszel_hub.systems.tokens import read_system_token
from tests.support.runninghub import RunningHub, running_hub

FILE = """
systems:
  - name: web
    host: web.lan
    port: 45876
    token: 6f1ed002-ab1c-4ab1-a9ef-0d1b2c3d4e5f
    users: [uma@example.org, nobody@example.org]
  - name: db
    host: db.lan
"""


def known(name: str, host: str = "", port: str = "", system_id: str = "") -> KnownSystem:
    return KnownSystem(id=system_id or name, name=name, host=host, port=port)


def test_the_file_of_beszel_is_read() -> None:
    web, db = declared.parse(FILE.encode()).systems or []
    assert (web.name, web.host, web.port, len(web.token or "")) == ("web", "web.lan", 45876, 36)
    assert (db.token, db.users, db.tags) == (None, None, None)
    assert declared.parse(b"").systems is None


@pytest.mark.parametrize(
    "content",
    [
        b"systems: 7", b"- a", b"systems: [{host: a}]", b"systems: [{name: ''}]", b"systems: [{name: a, port: 70000}]",
        b"systems: [{name: a, interval: 0}]", b"\xff\xfe\x00", b"systems: [{name: a}, {name: a}]", b"a: &a [*a]\nb: {",
        b"x" * (declared.MAX_FILE_BYTES + 1), b"!!python/object/apply:os.system ['true']",
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(BadRequest):
        declared.parse(content)


_names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(st.lists(st.builds(
    DeclaredSystem, name=_names, host=_names, port=st.integers(0, 65535), token=st.none() | st.text("abc", min_size=16),
    users=st.none() | st.lists(_names, max_size=3), tags=st.none() | st.lists(_names, max_size=3),
    interval=st.none() | st.integers(1, 300).map(float),
), max_size=4, unique_by=lambda system: system.place))  # fmt: skip
def test_what_is_written_is_read_again(systems: list[DeclaredSystem]) -> None:
    assert declared.parse(declared.write(systems).encode()).systems == systems


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([known("web", "a", "1")], "web"),
        ([known("web", "b", "2")], "web"),
        ([known("web", "b", "2", "x"), known("web", "c", "3", "y")], None),
        ([known("web", "b", "2", "x"), known("web", "a", "1", "y")], "y"),
        ([known("other", "a", "1")], None),
    ],
)
def test_a_system_is_recognised(there: list[KnownSystem], expected: str | None) -> None:
    assert match([DeclaredSystem(name="web", host="a", port=1)], there) == [expected]


def test_two_of_a_name_take_nothing_from_each_other() -> None:
    wanted = [DeclaredSystem(name="web", host="a", port=1), DeclaredSystem(name="web", host="b", port=1)]
    assert match(wanted, [known("web", "c", "1")]) == [None, None]
    assert match(wanted, [known("web", "a", "1")]) == ["web", None]


def systems_of(hub: RunningHub) -> dict[str, SystemRow]:
    return {row.name: row for row in hub.hub.database.read_now(lambda: list(SystemRow.select()))}


def test_a_hub_applies_the_file_at_every_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_hub(tmp_path) as hub:
        hub.create_user("ada@example.org", "admin")
        uma = hub.create_user("uma@example.org")
        hub.create_system("by hand", uma)
    (tmp_path / "config.yml").write_text(FILE)
    for _ in range(2):
        with running_hub(tmp_path) as hub:
            rows = systems_of(hub)
            assert sorted(rows) == ["by hand", "db", "web"], "what the file does not name stays"
            entry = hub.hub.systems.directory.get(rows["web"].id)
            assert entry is not None
            assert entry.members == {uma}
            secret = hub.hub.secret
            token = hub.hub.database.read_now(lambda: read_system_token(secret, rows["web"].id))  # noqa: B023
            assert token == "6f1ed002-ab1c-4ab1-a9ef-0d1b2c3d4e5f"
            assert hub.hub.database.read_now(lambda: AgentToken.select().count()) == 3
    assert "there is no user 'nobody@example.org'" in caplog.text
    (tmp_path / "config.yml").write_text(FILE + "remove_missing: true\n")
    with running_hub(tmp_path) as hub:
        assert sorted(systems_of(hub)) == ["db", "web"], "unless it says so"


@pytest.mark.parametrize("content", ["systems: {", "systems: []\nremove_missing: true", ""])
def test_a_broken_or_empty_file_stops_and_removes_nothing(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_hub(tmp_path) as hub:
        hub.create_system("web", hub.create_user("ada@example.org", "admin"))
    (tmp_path / "config.yml").write_text(content)
    with caplog.at_level(logging.INFO), running_hub(tmp_path) as hub:
        assert sorted(systems_of(hub)) == ["web"]
    assert ("was not applied" in caplog.text) is (content == "systems: {")
