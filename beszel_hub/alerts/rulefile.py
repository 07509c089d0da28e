"""Rules as code: `alerts.yml`, kept in version control and applied at every start. Pure.

    rules:
      - name: disk nearly full
        target: disk[*].usage_percent
        above: 90
        recover: 85
        window: 10m
        severity: critical
        tag: prod
      - name: busy and out of memory
        all_of:
          - {target: cpu.usage_percent, above: 90, window: 5m}
          - {target: memory.usage_percent, above: 95, window: 5m}
    templates:
      web server:
        - {name: no nginx, target: "processes.by_name[nginx]", below: 1, window: 0s}
    apply:
      - {template: web server, tag: web}
      - {template: host}

They are for every member of the systems they watch. Durations are seconds, or `90s`, `10m`, `2h`, `7d`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from beszel_hub.alerts.forms import DeclaredRule, make_rule
from beszel_hub.alerts.rule import InvalidRule, Rule
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.errors import BadRequest

MAX_FILE_BYTES: Final = 1 << 20
MAX_RULES: Final = 5000


class FileRule(DeclaredRule, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A rule that stands in the file itself."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{15}\Z")] | None = None
    """Of a rule for everybody that was made otherwise, which the file takes over; else made of the name."""


class Application(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a template for a system, for a tag, or for all systems."""

    template: str
    """One of the file, or one of the hub's own."""
    system: str | None = None
    tag: str | None = None
    enabled: bool = True


class RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rules: Annotated[list[FileRule], msgspec.Meta(max_length=MAX_RULES)] = []
    templates: Annotated[dict[str, list[DeclaredRule]], msgspec.Meta(max_length=MAX_RULES)] = {}
    apply: Annotated[list[Application], msgspec.Meta(max_length=MAX_RULES)] = []


class _Entry(msgspec.Struct, frozen=True):
    """One rule to be."""

    declared: DeclaredRule
    id: str


def parse(content: bytes, systems: Mapping[str, Sequence[str]]) -> list[Rule]:
    """The rules of a file; `systems` has the ids by name and by id. Raises `BadRequest` with a sentence."""
    if len(content) > MAX_FILE_BYTES:
        raise BadRequest(f"The file has more than {MAX_FILE_BYTES} bytes.")
    try:
        file = msgspec.yaml.decode(content or b"{}", type=RulesFile)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadRequest(f"The file cannot be read: {error}") from error
    entries = [_Entry(rule, rule.id or rule_id_of(rule.name)) for rule in file.rules]
    for application in file.apply:
        entries += _applied(file, application)
        if len(entries) > MAX_RULES:
            raise BadRequest(f"The file makes more than {MAX_RULES} rules.")
    ids: set[str] = set()
    for entry in entries:
        if entry.id in ids:
            raise BadRequest(f"The file names {entry.declared.name!r} twice.")
        ids.add(entry.id)
    return [_to_rule(entry, systems) for entry in entries]


def rule_id_of(identity: str) -> str:
    """The same name has the same id on every hub, so alerts outlive a file that is applied again."""
    digest = hashlib.sha256(b"beszel-rule-file\0" + identity.encode()).hexdigest()
    return f"f{digest[:14]}"


def _applied(file: RulesFile, application: Application) -> Iterator[_Entry]:
    rules: Sequence[DeclaredRule] | None = file.templates.get(application.template)
    if rules is None:
        own = TEMPLATES.get(application.template)
        if own is None:
            raise BadRequest(f"There is no template {application.template!r}.")
        rules = own.rules
    scope = f"{application.template}\0{application.system or ''}\0{application.tag or ''}"
    for rule in rules:
        if rule.system is not None or rule.tag is not None:
            raise BadRequest(f"The rule {rule.name!r} of a template says for what it is; `apply` does.")
        declared = msgspec.structs.replace(
            rule, system=application.system, tag=application.tag, enabled=rule.enabled and application.enabled
        )
        yield _Entry(declared, rule_id_of(f"{scope}\0{rule.name}"))


def _to_rule(entry: _Entry, systems: Mapping[str, Sequence[str]]) -> Rule:
    declared = entry.declared
    try:
        system_id = _system(declared.system, systems)
        return make_rule(declared, entry.id, system_id=system_id, tag=declared.tag)
    except InvalidRule as error:
        raise BadRequest(f"The rule {declared.name!r}: {error.field}: {error}") from error
    except ValueError as error:
        raise BadRequest(f"The rule {declared.name!r}: {error}") from error


def _system(name: str | None, systems: Mapping[str, Sequence[str]]) -> str | None:
    if name is None:
        return None
    found = systems.get(name, ())
    if len(found) != 1:
        raise InvalidRule("system", f"There {'is no system' if not found else 'are several systems'} {name!r}.")
    return found[0]
