"""The tables of the settings without a screen."""

import asyncio
import io
import json
from pathlib import Path

import msgspec
import pytest

from beszel_tui.errors import HubUnreachable
from beszel_tui.plain.settings import PRINTABLE, SettingsOrder, complete_section, print_settings
from beszel_tui.state.settings import HubLine, KeyLine
from tests.support.runninghub import running_hub
from tests.support.scriptedsource import ScriptedSource
from tests.tui.plain.test_completion import complete
from tests.tui.test_cli import run

HUBS = [HubLine("home", "https://home.example.net", True, "an API token")]
KEYS = [KeyLine("fleet.sort", "o", "Sort the table", True)]


def told_source() -> ScriptedSource:
    source = ScriptedSource()
    assert source.account is not None
    asyncio.run(source.account.tell_demo())
    return source


def printed(section: str, source: ScriptedSource | None = None, *, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    order = SettingsOrder(section, as_json=as_json, hubs=HUBS, keys=KEYS)
    return print_settings(source or told_source(), order, out), out.getvalue()


@pytest.mark.parametrize(
    ("section", "part"),
    [
        ("account", "ada@example.net"), ("sessions", "192.0.2.17"), ("tokens", "terraform"),
        ("users", "grace@example.net"), ("hub", "alerts.evaluate"), ("backups", "before-upgrade.zip"),
        ("store", "ci-runner-1"), ("hubs", "https://home.example.net"), ("keys", "fleet.sort"),
    ],
)  # fmt: skip
def test_every_section_as_words_and_as_json(section: str, part: str) -> None:
    status, text = printed(section)
    assert status == 0
    assert part in text
    status, document = printed(section, as_json=True)
    assert status == 0
    assert part in document
    rows = json.loads(document)[section]
    assert len(rows) == len(text.splitlines()) - 1
    assert all(row["id"] and row["name"] for row in rows)


def test_numbers_are_numbers_and_what_is_not_known_is_absent() -> None:
    rows = {row["id"]: row for row in json.loads(printed("store", as_json=True)[1])["store"]}
    assert rows["database"]["size"] == 623 << 20
    assert "share" not in rows["database"]


def test_sections_are_those_of_the_screen() -> None:
    assert complete_section("to") == ["tokens"]
    assert set(complete_section("")) == set(PRINTABLE) == {
        "account", "sessions", "tokens", "users", "hub", "backups", "store", "hubs", "keys",
    }  # fmt: skip


def test_what_the_hub_refuses_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    source = told_source()
    assert source.account is not None
    assert not isinstance(source.account.facts, Exception)
    source.account.facts = msgspec.structs.replace(source.account.facts, users=(), problems={"users": "not for you"})
    assert printed("users", source) == (2, "")
    assert "not for you" in capsys.readouterr().err
    source.account.facts = HubUnreachable("the hub cannot be reached")
    assert printed("account", source) == (2, "")
    assert "cannot be reached" in capsys.readouterr().err


def test_at_a_real_hub_from_the_shell(tmp_path: Path) -> None:
    with running_hub(tmp_path / "hub") as hub:
        token = hub.create_token(hub.create_user("ada@example.org", "admin"))
        said = {"BESZEL_HUB": hub.url, "BESZEL_TOKEN": token}
        done = run(tmp_path, "settings", "users", "--json", **said)
        assert done.returncode == 0, done.stderr
        (user,) = json.loads(done.stdout)["users"]
        assert (user["name"], user["role"]) == ("ada@example.org", "admin")
        assert "Public key" in run(tmp_path, "settings", "hub", **said).stdout


def test_what_this_machine_knows_needs_no_hub(tmp_path: Path) -> None:
    done = run(tmp_path, "settings", "keys", "--json")
    assert done.returncode == 0, done.stderr
    assert any(row["id"] == "alerts.retry" for row in json.loads(done.stdout)["keys"])
    wrong = run(tmp_path, "settings", "looks")
    assert wrong.returncode == 2
    assert "a section is one of: account sessions" in wrong.stderr
    assert complete(tmp_path, "beszel-tui settings se") == ["sessions"]
