"""docs/hub.md says what the programs do."""

import inspect
import re
from pathlib import Path

import typer

from beszel_hub.cli.alert_commands import alerts_app
from beszel_hub.cli.backup_commands import backup_app
from beszel_hub.cli.commands import app, store_app, token_app, user_app
from beszel_hub.cli.fleet_commands import audit_app, systems_app, universal_app
from beszel_hub.records import filter as filters
from beszel_hub.records import listing
from beszel_hub.setting_table import SETTINGS

TEXT = (Path(__file__).parents[2] / "docs" / "hub.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) \| (.*) \|$", TEXT, re.MULTILINE)
    assert rows == [
        (setting.name, f"`{setting.default}`" if setting.default else "", setting.help) for setting in SETTINGS
    ]


def test_secrets_that_a_file_may_hold_are_those_of_the_code() -> None:
    (sentence,) = re.findall(r"Secrets can also stand in a\nfile: (.*?)\. ", TEXT, re.DOTALL)
    told = re.findall(r"`([A-Z0-9_]+)_FILE`", sentence)
    assert told == [setting.name for setting in SETTINGS if setting.is_secret]


GROUPS = (
    ("", app), ("user ", user_app), ("token ", token_app), ("store ", store_app), ("universal ", universal_app),
    ("systems ", systems_app), ("audit ", audit_app), ("alerts ", alerts_app), ("backup ", backup_app),
)  # fmt: skip


def test_every_command_is_in_the_table() -> None:
    told = set(
        re.findall(
            r"^\| `beszel-hub ((?:(?:user|token|store|universal|systems|audit|alerts|backup) )?[a-z-]+)",
            TEXT,
            re.MULTILINE,
        )
    )
    assert {f"{group.name} " for group in app.registered_groups} == {prefix for prefix, _ in GROUPS if prefix}
    assert told == {f"{prefix}{_name(command)}" for prefix, group in GROUPS for command in group.registered_commands}


def test_commands_that_print_json_are_named_once() -> None:
    (sentence,) = re.findall(r"^With `--json`.*?\.$", TEXT, re.MULTILINE | re.DOTALL)
    assert TEXT.count("`--json`") == 1
    named = set(re.findall(r"`([a-z][a-z -]*(?: …)?)`", sentence))
    taking = {f"{prefix}{_name(command)}" for prefix, group in GROUPS for command in group.registered_commands
              if "as_json" in inspect.signature(command.callback or _name).parameters}  # fmt: skip
    whole = {f"{prefix}…": {one for one in taking if one.startswith(prefix)} for prefix, _ in GROUPS if prefix}
    assert taking == set().union(*(whole.get(name, {name}) for name in named))
    for name in named & whole.keys():
        assert len(whole[name]) == sum(
            len(group.registered_commands) for prefix, group in GROUPS if name == f"{prefix}…"
        )


def test_limits_are_those_of_the_code() -> None:
    assert f"At most {filters.MAX_LENGTH:,} characters and {filters.MAX_COMPARISONS} comparisons" in TEXT
    assert f"nest up to {filters.MAX_DEPTH} deep" in TEXT
    assert f"`perPage` up to {listing.MAX_PER_PAGE}" in TEXT


def _name(command: typer.models.CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__
