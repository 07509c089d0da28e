"""Commands on a data directory, without a server."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from beszel_hub.accounts import passwords
from beszel_hub.cli.commands import run_command_line
from beszel_protocol.version import VERSION
from tests.support.databases import place_at
from tests.support.shell import EMAIL, PASSWORD, Shell


def test_a_user_is_made_and_listed(shell: Shell) -> None:
    created = shell.create_user()
    assert created == {"id": created["id"], "email": EMAIL, "username": "ada", "role": "admin"}
    shell.create_user("ada@example.net", "readonly")
    assert [user["username"] for user in shell.json("user", "list")] == ["ada", "ada2"]
    assert shell.run("user", "list").splitlines()[1] == "readonly  ada@example.net (ada2)"


def test_the_role_is_user_unless_said_otherwise(shell: Shell) -> None:
    assert "(user)" in shell.run("user", "create", EMAIL, "--password-file", "-", stdin=PASSWORD.encode())


def test_a_second_user_of_one_address_is_refused(shell: Shell) -> None:
    shell.create_user()
    said = shell.run("user", "create", EMAIL.upper(), "--password-file", "-", stdin=PASSWORD.encode(), status=1)
    assert "Somebody has this already" in said


@pytest.mark.parametrize("password", [b"", b"short", b"seven77\n", b"x" * 300, b"\xff" * 20])
def test_a_bad_password_is_refused(shell: Shell, password: bytes) -> None:
    said = shell.run("user", "create", EMAIL, "--password-file", "-", stdin=password, status=2)
    assert "password" in said.lower()
    assert not shell.json("user", "list")


def test_a_password_needs_a_source(shell: Shell) -> None:
    assert "--password-file" in shell.run("user", "create", EMAIL, status=2)
    missing = str(shell.directory / "missing")
    assert "cannot be read" in shell.run("user", "create", EMAIL, "--password-file", missing, status=2)


def test_one_line_end_belongs_to_the_file_and_not_to_the_password(shell: Shell, tmp_path: Path) -> None:
    from beszel_hub.accounts import queries  # noqa: PLC0415
    from beszel_hub.store.database import Database  # noqa: PLC0415

    def stored() -> str:
        database = Database(place_at(shell.directory / "data.db"))
        database.open()
        account = database.read_now(lambda: queries.find_identity(EMAIL))
        database.close()
        assert account is not None
        return account.password_hash

    (tmp_path / "password").write_bytes(PASSWORD.encode() + b"\r\n")
    shell.run("user", "create", EMAIL, "--password-file", str(tmp_path / "password"))
    assert passwords.verify_password(PASSWORD, stored())
    shell.run("user", "password", EMAIL, "--password-file", "-", stdin=b" two line ends \n\n")
    assert passwords.verify_password(" two line ends \n", stored())


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example.org\n", "a@-"])
def test_what_is_no_address_is_refused(shell: Shell, email: str) -> None:
    said = shell.run("user", "create", email, "--password-file", "-", stdin=PASSWORD.encode(), status=1)
    assert "e-mail" in said


def test_a_system_is_enrolled_and_printed_again(shell: Shell) -> None:
    shell.create_user()
    enrolled = shell.json("enrol", "web-1", "--user", EMAIL)
    assert enrolled.keys() == {"system_id", "key", "token", "hub_url"}
    assert enrolled["key"] == shell.run("key").strip()
    assert enrolled["hub_url"] == "http://127.0.0.1:8090"
    assert shell.json("enrol", "web-1", "--user", EMAIL) == enrolled
    assert shell.json("enrol", "web-2", "--user", EMAIL)["token"] != enrolled["token"]
    text = shell.run("enrol", "web-1", "--user", "ADA")
    assert (
        f"KEY='{enrolled['key']}' TOKEN={enrolled['token']} HUB_URL=http://127.0.0.1:8090 .venv/bin/beszel-agent run"
        in text
    )


def test_an_address_that_no_other_machine_reaches_is_told_as_such(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.create_user()
    assert "Other machines cannot reach this" in shell.run("enrol", "web-1", "--user", EMAIL)
    monkeypatch.setenv("APP_URL", "https://hub.example.org")
    text = shell.run("enrol", "web-1", "--user", EMAIL)
    assert "HUB_URL=https://hub.example.org" in text
    assert "cannot reach" not in text


def test_another_users_system_of_that_name_is_another(shell: Shell) -> None:
    shell.create_user()
    shell.create_user("bob@example.org", "user")
    one, two = (shell.json("enrol", "web-1", "--user", user) for user in (EMAIL, "bob@example.org"))
    assert one["system_id"] != two["system_id"]


def test_enrolling_needs_a_user_and_a_name(shell: Shell) -> None:
    assert "there is no user" in shell.run("enrol", "web-1", "--user", EMAIL, status=1)
    shell.create_user()
    assert "needs a name" in shell.run("enrol", " \x1b ", "--user", EMAIL, status=2)


def test_names_cannot_carry_escape_sequences(shell: Shell) -> None:
    shell.create_user()
    assert "\x1b" not in shell.run("enrol", "web\x1b[31m", "--user", EMAIL)


def test_tokens_are_made_listed_and_revoked(shell: Shell) -> None:
    shell.create_user()
    made = shell.json("token", "create", "--user", EMAIL, "--scope", "read", "--name", "status page")
    assert made["scope"] == "read"
    assert made["token"].count(".") == 2
    (listed,) = shell.json("token", "list", "--user", EMAIL)
    assert (listed["id"], listed["name"], listed["last_used"]) == (made["id"], "status page", None)
    assert made["token"] not in shell.run("token", "list", "--user", EMAIL)
    shell.run("token", "revoke", made["id"])
    assert shell.json("token", "list", "--user", EMAIL) == []
    assert "there is no API token" in shell.run("token", "revoke", made["id"], status=1)


def test_everything_written_is_private(shell: Shell) -> None:
    shell.create_user()
    shell.json("enrol", "web-1", "--user", EMAIL)
    assert stat.S_IMODE(shell.directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in shell.directory.iterdir()}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"], ["user"], ["user", "create"], ["user", "create", EMAIL, "--role", "king"], ["enrol", "x"],
        ["token", "create", "--user", EMAIL], ["token", "create", "--user", EMAIL, "--scope", "all"],
        ["health", "--url", "ftp://x"],
    ],
)  # fmt: skip
def test_wrong_calls_end_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command_line(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out + printed.err
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_ends_with_two(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESZEL_HUB_NOPE", "1")
    assert "BESZEL_HUB_NOPE" in shell.run("key", status=2)


def test_no_server_is_not_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["health", "--url", "http://127.0.0.1:1"]) == 1
    assert "no hub answers" in capsys.readouterr().err


def test_a_directory_that_cannot_be_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run_command_line(["user", "list", "--dir", str(tmp_path / "file" / "data")]) == 1
    assert "cannot be used" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"beszel-hub {VERSION}\n"


@pytest.mark.parametrize("missing", ["typer", "peewee", "starlette", "uvicorn", "cryptography", "jwt", "zstandard"])
def test_without_its_extra_it_says_what_to_install(tmp_path: Path, missing: str) -> None:
    code = (
        "import sys; sys.modules[sys.argv[1]] = None; sys.argv = ['beszel-hub', *sys.argv[2:]];"
        "from beszel_hub.__main__ import main; main()"
    )
    directory = str(tmp_path / "data")
    arguments = ["serve", "--http", "127.0.0.1:0", "--dir", directory]
    ended = subprocess.run(
        [sys.executable, "-c", code, missing, *arguments], capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.endswith(f"beszel-hub: {missing} is not installed: pip install 'beszel-suite[hub]'\n")


def test_a_command_loads_no_server(tmp_path: Path) -> None:
    code = (
        "import sys; from beszel_hub.cli.commands import run_command_line;"
        "run_command_line(['user', 'list', '--dir', sys.argv[1]]);"
        "print(sorted({'starlette', 'uvicorn', 'jwt', 'zstandard'} & sys.modules.keys()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")], capture_output=True, text=True, timeout=20, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def test_what_history_takes_is_shown_by_tier_and_system(shell: Shell) -> None:
    shell.create_user()
    shell.json("enrol", "[bold]web[/bold]", "--user", EMAIL)
    info = shell.json("store", "info")
    assert list(info["tiers"]) == ["hot", "raw", "1m", "10m", "8h"]
    assert info["bytes"] == 0
    assert info["bytes_per_value"] is None
    assert [system["name"] for system in info["systems"]] == ["[bold]web[/bold]"]
    text = shell.run("store", "info")
    assert "[bold]web[/bold]" in text
    assert "8h" in text
