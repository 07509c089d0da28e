"""Commands on rules: a file of them, and what one would have said about stored history."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.cli.commands import run_command_line
from beszel_hub.clock import system_clock
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tiers import Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.database import Database
from tests.support.databases import place_at
from tests.support.samples import make_metrics
from tests.support.shell import EMAIL, Shell

BUSY = "rules:\n  - {name: busy, target: cpu.usage_percent, above: 80, window: 1m}\n"
DOWN = "rules:\n  - {name: down, target: status, for: 1m}\n"


@pytest.fixture
def history(shell: Shell) -> Shell:
    """Twenty minutes of a system: busy from the fifth to the tenth, silent for three after the fifteenth."""
    shell.create_user()
    system_id = shell.json("enrol", "web1", "--user", EMAIL)["system_id"]
    start_ms = system_clock() - 1_200_000
    samples = [
        NewSample(
            system_id, start_ms + second * 1000, 0,
            msgspec.json.encode(make_metrics(95.0 if 300 <= second < 600 else 10.0)),
        )
        for second in range(1200)
        if not 900 <= second < 1080
    ]  # fmt: skip
    database = Database(place_at(shell.directory / "data.db"))
    database.open()
    database.write_now(lambda: insert_samples(samples))
    database.close()
    return shell


def test_a_file_of_rules_is_tested_over_history(history: Shell, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text(BUSY, encoding="utf-8")
    tested = history.json("alerts", "test", str(file), "--since", "1h")
    assert [step["kind"] for step in tested["steps"]] == ["fired", "recovered"]
    assert tested["steps"][0]["text"].startswith("web1: CPU averaged 80.")
    assert (tested["fired"], tested["systems"], tested["samples"]) == (1, 1, 1020)
    said = history.run("alerts", "test", str(file), "--since", "1h", "--system", "web1")
    assert "1 times fired on 1 systems, over 1020 samples." in said
    assert "0 systems" in history.run("alerts", "test", str(file), "--system", "another")


def test_a_gap_in_history_is_a_system_that_was_down(history: Shell, tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(DOWN, encoding="utf-8")
    tested = history.json("alerts", "test", str(tmp_path / "alerts.yml"), "--since", "1h")
    assert [(step["kind"], step["text"]) for step in tested["steps"]] == [
        ("fired", "web1 is down"),
        ("recovered", "web1 is up again after 1m"),
    ]


def test_beyond_single_samples_a_rule_is_tried_on_minutes(shell: Shell, tmp_path: Path) -> None:
    shell.create_user()
    system_id = shell.json("enrol", "web1", "--user", EMAIL)["system_id"]
    start_ms = system_clock() // 3_600_000 * 3_600_000 - 4 * 3_600_000
    samples = [
        NewSample(
            system_id, start_ms + second * 1000, 0,
            msgspec.json.encode(make_metrics(95.0 if second == 3600 or 5400 <= second < 6000 else 10.0)),
        )
        for second in range(0, 7200, 10)
    ]  # fmt: skip
    database = Database(place_at(shell.directory / "data.db"))
    database.open()
    database.write_now(lambda: insert_samples(samples))
    upkeep = Upkeep(database, system_clock, Retention(raw=60), read_overrides=dict)

    async def keep() -> None:
        await upkeep.seal()
        await upkeep.roll_up()
        await upkeep.retain()

    asyncio.run(keep())
    database.close()
    file = tmp_path / "alerts.yml"
    file.write_text(BUSY + "  - {name: peak, target: cpu.usage_percent, above: 80, window: 0s}\n", encoding="utf-8")
    tested = shell.json("alerts", "test", str(file), "--since", "12h")
    assert [step["kind"] for step in tested["steps"] if step["rule"] == "busy"] == ["fired", "recovered"]
    assert [step["kind"] for step in tested["steps"] if step["rule"] == "peak"] == ["fired", "recovered"] * 2
    assert 60 in [part["seconds"] for part in tested["resolutions"]]
    assert "only what 60 s came to is known" in shell.run("alerts", "test", str(file), "--since", "12h")


def test_what_history_does_not_tell_is_said(history: Shell, tmp_path: Path) -> None:
    """The host of these samples has no containers; one interface has told a counter that does not rise."""
    file = tmp_path / "alerts.yml"
    file.write_text(
        "rules:\n  - {name: down, target: container_down, above: 0}\n"
        "  - {name: much, target: traffic_month, above: 1.0e+12}\n",
        encoding="utf-8",
    )
    tested = history.json("alerts", "test", str(file), "--since", "1h")
    assert (tested["fired"], tested["gaps"]) == (0, ["web1: Traffic is known every ten minutes."])
    assert "web1: Traffic is known every ten minutes." in history.run("alerts", "test", str(file), "--since", "1h")


def test_a_file_is_applied_changed_and_emptied(history: Shell, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text(BUSY, encoding="utf-8")
    assert history.json("alerts", "apply", str(file))["created"] == ["busy"]
    assert history.json("alerts", "apply", str(file))["unchanged"] == ["busy"]
    (rule,) = history.json("alerts", "list")
    assert (rule["name"], rule["owner"], rule["firing"]) == ("busy", "everybody", 0)
    assert history.json("alerts", "test", "busy", "--since", "1h")["fired"] == 1
    file.write_text(BUSY.replace("80", "99"), encoding="utf-8")
    assert history.json("alerts", "apply", str(file))["updated"] == ["busy"]
    assert history.json("alerts", "test", rule["id"], "--since", "1h")["fired"] == 0
    file.write_text("rules: []\n", encoding="utf-8")
    assert history.json("alerts", "apply", str(file))["removed"] == ["busy"]
    assert history.json("alerts", "list") == []
    noted = [entry["changes"] for entry in history.json("audit", "list") if entry["action"] == "alerts.apply"]
    assert [[kind for kind, names in changes.items() if names] for changes in noted] == [
        ["removed"], ["updated"], ["created"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("rules: [{name: x, target: cpu.nothing, above: 1}]", "There is no metric 'cpu.nothing'"),
        ("rules: [{name: x, target: cpu.usage_percent}]", "Exactly one of"),
        ("rules: [{name: x, target: cpu.usage_percent, above: 1, below: 2}]", "Exactly one of"),
        ("rules: [{name: x, target: status, for: soon}]", "a duration"),
        ("rules: [{name: x, target: status, typo: 1}]", "typo"),
        ("rules: [{name: x, target: status, system: nowhere}]", "no system 'nowhere'"),
        ("rules: [{name: x, target: status}, {name: x, target: status}]", "twice"),
        ("rules: [", "cannot be read"),
    ],
)
def test_a_mistake_changes_nothing_and_is_named(shell: Shell, tmp_path: Path, content: str, complaint: str) -> None:
    shell.create_user()
    (tmp_path / "good.yml").write_text(BUSY, encoding="utf-8")
    shell.run("alerts", "apply", str(tmp_path / "good.yml"))
    (tmp_path / "bad.yml").write_text(content, encoding="utf-8")
    assert complaint in shell.run("alerts", "apply", str(tmp_path / "bad.yml"), status=1)
    assert [rule["name"] for rule in shell.json("alerts", "list")] == ["busy"]


def test_templates_are_listed_and_printed_as_the_file_takes_them(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["alerts", "templates"]) == 0
    assert "containers    4 rules" in capsys.readouterr().out
    assert run_command_line(["alerts", "templates", "host"]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "alerts.yml").write_text(f"{printed}\napply: [{{template: host, tag: web}}]\n", encoding="utf-8")
    shell.create_user()
    applied = shell.json("alerts", "apply", str(tmp_path / "alerts.yml"))
    assert applied["created"] == [rule.name for rule in TEMPLATES["host"].rules]
    assert run_command_line(["alerts", "templates", "none"]) == 1
    assert "there is no template" in capsys.readouterr().err


def test_what_is_not_there(shell: Shell, tmp_path: Path) -> None:
    assert "there is no rule 'nope'" in shell.run("alerts", "test", "nope", status=1)
    assert "there is no file" in shell.run("alerts", "apply", str(tmp_path / "nope.yml"), status=1)
    assert "--since must be" in shell.run("alerts", "test", "nope", "--since", "yesterday", status=2)
