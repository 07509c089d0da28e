"""Commands on rules: what there is, a file of them, and what one would have said about the past."""

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from beszel_hub.accounts.queries import list_accounts
from beszel_hub.alerts import queries
from beszel_hub.alerts.declaration import Applied, apply, read_file
from beszel_hub.alerts.past import Stretch
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.rulefile import MAX_FILE_BYTES, parse
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.alerts.texts import describe
from beszel_hub.alerts.trial import run_trial
from beszel_hub.cli.opening import note, open_database
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting
from beszel_hub.inventory.queries import load_inventories
from beszel_hub.metrics.recollections import Recollections
from beszel_hub.settings import read_duration
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Entry
from beszel_hub.systems.queries import load_entries
from beszel_protocol.hygiene import clean_text
from beszel_protocol.timestamps import format_timestamp


class ListedRule(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    severity: str
    owner: str
    """An e-mail address; `everybody` for a rule that is for all members."""
    firing: int


class ListedTemplate(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    help: str
    rules: list[str]


class PrintedTemplate(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str
    """In the form of `alerts.yml`."""


class TestedStep(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    kind: str
    rule: str
    system: str
    target: str
    severity: str
    value: float | None
    text: str


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """How finely a part of the past is known."""

    seconds: int
    """Of a roll-up; 1 for single samples."""
    since: str
    until: str


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    fired: int
    systems: int
    samples: int
    steps: list[TestedStep]
    resolutions: list[Resolution]
    """Finest first."""
    gaps: list[str]
    """What rules go by and history does not hold, in sentences."""


def list_rules(config: HubConfig) -> list[ListedRule]:
    def read() -> list[ListedRule]:
        emails = {account.id: account.email for account in list_accounts()}
        states, _ = queries.load_states()
        firing = [kept.place.rule_id for kept in states if kept.phase == "firing"]
        return [
            ListedRule(
                id=rule.id, name=rule.name, severity=rule.severity, firing=firing.count(rule.id),
                owner="everybody" if rule.user_id is None else emails.get(rule.user_id, ""),
            )
            for rule in queries.load_rules()
        ]  # fmt: skip

    with open_database(config) as database:
        return database.read_now(read)


def list_templates() -> list[ListedTemplate]:
    return [
        ListedTemplate(name=name, help=template.help, rules=[rule.name for rule in template.rules])
        for name, template in TEMPLATES.items()
    ]


def print_template(name: str) -> PrintedTemplate:
    template = TEMPLATES.get(name)
    if template is None:
        raise CommandFailed(f"there is no template {name!r}; there are {', '.join(TEMPLATES)}")
    rules = [{"name": rule.name, **msgspec.to_builtins(rule)} for rule in template.rules]
    return PrintedTemplate(name=name, text=msgspec.yaml.encode({"templates": {name: rules}}).decode())


def apply_rules(config: HubConfig, file: Path) -> Applied:
    """Raise `BadRequest` for a mistake in the file, and then nothing is changed."""
    content = _read(file)
    with open_database(config) as database:
        return database.write_now(
            lambda: apply(content, system_clock(), lambda changes: note("alerts.apply", **changes))
        )


def try_rule(config: HubConfig, named: str, since: str, system: str | None) -> Tested:
    """Replay the rules of that name, id or file."""
    try:
        span_ms = read_duration(since) * 1000
    except ValueError as error:
        raise InvalidSetting(f"--since must be {error}, not {since!r}") from error
    now_ms = system_clock()
    with open_database(config) as database:
        rules = _find_rules(database, named)
        history = Recollections(system_clock)
        entries = database.read_now(load_entries)
        inventories = database.read_now(load_inventories)
        steps: list[tuple[int, TestedStep]] = []
        stretches: list[Stretch] = []
        gaps: dict[str, None] = {}
        samples, systems = 0, 0
        for entry in entries:
            watching = [rule for rule in rules if _is_watched(rule, entry, system)]
            systems += bool(watching)
            for rule in watching:
                inventory = inventories.get(entry.id)
                trial = run_trial(
                    history, database.read_now, rule, entry.id, now_ms - span_ms, now_ms,
                    containers=() if inventory is None else inventory.facts,
                )  # fmt: skip
                gaps |= dict.fromkeys(f"{entry.name}: {gap}" for gap in trial.gaps)
                samples += trial.samples
                steps += [(step.at_ms, _to_tested(step, entry)) for step in trial.steps]
                stretches += trial.stretches
    steps.sort(key=lambda step: step[0])
    fired = sum(step.kind == "fired" for _, step in steps)
    return Tested(
        fired=fired, systems=systems, samples=samples, steps=[step for _, step in steps],
        resolutions=_resolutions(stretches), gaps=list(gaps),
    )  # fmt: skip


def _find_rules(database: Database, named: str) -> list[Rule]:
    if named.endswith((".yml", ".yaml")) or named == "-":
        content = _read(Path(named))
        return database.read_now(lambda: parse(content, queries.system_ids()))
    rules = database.read_now(lambda: queries.find_rules_called(named))
    if not rules:
        raise CommandFailed(f"there is no rule {named!r}")
    return rules


def _is_watched(rule: Rule, entry: Entry, system: str | None) -> bool:
    if system is not None and system not in {entry.name, entry.id}:
        return False
    if rule.system_id is not None:
        return rule.system_id == entry.id
    return rule.tag is None or rule.tag in entry.tags


def _resolutions(stretches: Iterable[Stretch]) -> list[Resolution]:
    """From the first to the last of each, whatever the system."""
    found: dict[int, tuple[int, int]] = {}
    for from_ms, to_ms, seconds in stretches:
        first_ms, last_ms = found.get(seconds, (from_ms, to_ms))
        found[seconds] = min(first_ms, from_ms), max(last_ms, to_ms)
    return [
        Resolution(seconds=seconds, since=format_timestamp(from_ms), until=format_timestamp(to_ms))
        for seconds, (from_ms, to_ms) in sorted(found.items())
    ]


def _to_tested(step: Step, entry: Entry) -> TestedStep:
    return TestedStep(
        at=format_timestamp(step.at_ms), kind=step.happened, rule=step.rule.name, system=entry.name,
        target=clean_text(step.target), severity=step.severity, value=step.value,
        text=clean_text(describe(step, entry.name)),
    )  # fmt: skip


def _read(file: Path) -> bytes:
    try:
        content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if str(file) == "-" else read_file(file)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error
    if content is None:
        raise CommandFailed(f"there is no file {file}")
    return content
