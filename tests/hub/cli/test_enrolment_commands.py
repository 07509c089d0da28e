"""Commands on enrolment, systems and the audit log, without a server."""

import json

import pytest

from tests.support.shell import EMAIL, Shell

FILE = b"""
systems:
  - {name: web, host: web.lan, port: 45876, token: a-token-of-our-own, users: [uma@example.org], tags: [prod]}
  - {name: db, host: db.lan}
"""


def test_a_universal_token_lives_until_it_is_ended(shell: Shell) -> None:
    shell.create_user()
    permanent = shell.json("universal", "create", "--user", EMAIL)
    brief = shell.json("universal", "create", "--user", EMAIL, "--hours", "1")
    assert (permanent["expires"], brief["expires"] is None) == (None, False)
    listed = shell.json("universal", "list", "--user", EMAIL)
    assert [token["token"] for token in listed] == [permanent["token"], brief["token"]]
    shell.run("universal", "end", listed[0]["id"])
    assert [token["token"] for token in shell.json("universal", "list", "--user", EMAIL)] == [brief["token"]]
    assert "there is no universal token" in shell.run("universal", "end", "nope", status=1)


def test_readers_have_no_universal_tokens(shell: Shell) -> None:
    shell.create_user("rea@example.org", "readonly")
    assert "readonly" in shell.run("universal", "create", "--user", "rea@example.org", status=1)


def test_a_token_is_replaced_only_when_asked(shell: Shell) -> None:
    shell.create_user()
    first = shell.json("enrol", "nas", "--user", EMAIL)
    again = shell.json("enrol", "nas", "--user", EMAIL)
    rotated = shell.json("enrol", "nas", "--user", EMAIL, "--rotate", "--forget-agent")
    assert first["token"] == again["token"] != rotated["token"]
    assert first["system_id"] == rotated["system_id"]


def test_systems_go_out_and_come_back(shell: Shell) -> None:
    shell.create_user()
    shell.create_user("uma@example.org", "user")
    applied = shell.json("systems", "import", "-", stdin=FILE)
    assert (applied["created"], applied["updated"], applied["left"]) == (["web", "db"], [], [])
    text = shell.run("systems", "export")
    assert "token: a-token-of-our-own" in text
    assert "- uma@example.org" in text
    assert shell.run("systems", "import", "-", stdin=text.encode()) == "Nothing had to be changed.\n"


def test_systems_go_only_when_told(shell: Shell) -> None:
    shell.create_user()
    shell.run("systems", "import", "-", stdin=FILE)
    only_web = b"systems: [{name: web, host: web.lan, port: 45876}]"
    assert shell.json("systems", "import", "-", stdin=only_web)["left"] == ["db"]
    assert shell.json("systems", "import", "-", "--remove-missing", stdin=b"systems: []")["removed"] == []
    assert shell.json("systems", "import", "-", "--remove-missing", stdin=only_web)["removed"] == ["db"]


@pytest.mark.parametrize("content", [b"systems: {", b"systems: [{}]", b"- a", b"systems: [{name: a, token: short}]"])
def test_what_is_no_file_of_systems_changes_nothing(shell: Shell, content: bytes) -> None:
    shell.create_user()
    assert "The file cannot be read" in shell.run("systems", "import", "-", stdin=content, status=1)


def test_users_change_and_go(shell: Shell) -> None:
    shell.create_user()
    shell.create_user("uma@example.org", "user")
    shell.run("user", "role", "uma@example.org", "readonly")
    shell.run("user", "logout", "uma@example.org")
    assert [user["role"] for user in shell.json("user", "list")] == ["admin", "readonly"]
    shell.run("user", "delete", "uma@example.org")
    assert "Nobody else is an administrator" in shell.run("user", "delete", EMAIL, status=1)
    assert "Nobody else is an administrator" in shell.run("user", "role", EMAIL, "user", status=1)


def test_commands_are_in_the_audit_log(shell: Shell) -> None:
    shell.create_user()
    token = shell.json("token", "create", "--user", EMAIL, "--scope", "read")
    shell.run("token", "revoke", token["id"])
    entries = shell.json("audit", "list")
    assert [entry["action"] for entry in entries] == [
        "token.revoke", "token.create", "user.create",
    ]  # fmt: skip
    assert {entry["user"] for entry in entries} == {"command line"}
    assert token["token"] not in json.dumps(entries)
    assert shell.run("audit", "list", "--last", "1").split()[1:4] == ["command", "line", "token.revoke"]
