"""Commands on rules: what there is, a file of them, and what one would have said about the past."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from beszel_hub.accounts.queries import list_accounts
from beszel_hub.alerts import queries
from beszel_hub.alerts.declaration import Applied, apply, read_file
from beszel_hub.alerts.replay import replay
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.rulefile import MAX_FILE_BYTES, parse
from beszel_hub.alerts.targets import catalogue_parts
from beszel_hub.alerts.texts import describe
from beszel_hub.cli.opening import open_database
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting
from beszel_hub.metrics.series import read_entries
from beszel_hub.settings import read_duration
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Entry
from beszel_hub.systems.queries import load_entries
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp

_PORTION_MS: Final = 1_800_000
"""History is read in portions, so that a week of samples fills no memory."""


class ListedRule(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    severity: str
    owner: str
    """An e-mail address; `everybody` for a rule that is for all members."""
    firing: int


class TestedStep(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    kind: str
    rule: str
    system: str
    target: str
    severity: str
    value: float | None
    text: str


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    fired: int
    systems: int
    samples: int
    steps: list[TestedStep]


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


def apply_rules(config: HubConfig, file: Path) -> Applied:
    """Raise `BadRequest` for a mistake in the file, and then nothing is changed."""
    content = _read(file)
    with open_database(config) as database:
        return database.write_now(lambda: apply(content, system_clock()))


def try_rule(config: HubConfig, named: str, since: str, system: str | None) -> Tested:
    """Replay the rules of that name, id or file."""
    try:
        span_ms = read_duration(since) * 1000
    except ValueError as error:
        raise InvalidSetting(f"--since must be {error}, not {since!r}") from error
    now_ms = system_clock()
    with open_database(config) as database:
        rules = _find_rules(database, named)
        entries = database.read_now(load_entries)
        steps: list[tuple[int, TestedStep]] = []
        samples, systems = 0, 0
        for entry in entries:
            watching = [rule for rule in rules if _is_watched(rule, entry, system)]
            systems += bool(watching)
            for rule in watching:
                counted, found = _replay(database, rule, entry, now_ms - span_ms, now_ms)
                samples += counted
                steps += found
    steps.sort(key=lambda step: step[0])
    fired = sum(step.kind == "fired" for _, step in steps)
    return Tested(fired=fired, systems=systems, samples=samples, steps=[step for _, step in steps])


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


def _replay(
    database: Database, rule: Rule, entry: Entry, from_ms: int, to_ms: int
) -> tuple[int, list[tuple[int, TestedStep]]]:
    samples = 0

    def counted() -> Iterator[tuple[int, Metrics]]:
        nonlocal samples
        for sample in _samples(database, rule, entry.id, from_ms, to_ms):
            samples += 1
            yield sample

    steps = [
        (
            step.at_ms,
            TestedStep(
                at=format_timestamp(step.at_ms), kind=step.happened, rule=rule.name, system=entry.name,
                target=clean_text(step.target), severity=step.severity, value=step.value,
                text=clean_text(describe(step, entry.name)),
            ),
        )
        for step in replay(rule, entry.id, counted())
    ]  # fmt: skip
    return samples, steps


def _samples(database: Database, rule: Rule, system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[int, Metrics]]:
    """Oldest first."""
    parts = catalogue_parts(condition.target for condition in rule.conditions)
    for start_ms in range(from_ms, to_ms, _PORTION_MS):
        end_ms = min(to_ms, start_ms + _PORTION_MS)
        found = database.read_now(
            lambda start_ms=start_ms, end_ms=end_ms: list(read_entries(system_id, start_ms, end_ms, parts))  # type: ignore[misc]
        )
        for sample in sorted(found, key=lambda sample: sample.instant_ms):
            yield sample.instant_ms, msgspec.convert(sample.document, Metrics)


def _read(file: Path) -> bytes:
    try:
        content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if str(file) == "-" else read_file(file)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error
    if content is None:
        raise CommandFailed(f"there is no file {file}")
    return content
