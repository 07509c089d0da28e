"""Reading and writing rules, states, history and quiet hours. Runs inside `Database.read` or `Database.write`."""

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import msgspec
import peewee

from beszel_hub.accounts.tables import User
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.silences import Silence, SilenceType
from beszel_hub.alerts.steps import Ended, Kept, Place, Step
from beszel_hub.alerts.tables import BeszelAlert, EngineRow, HeldRow, HistoryRow, QuietRow, RuleRow, StateRow
from beszel_hub.alerts.transition import Transition
from beszel_hub.permissions import Actor
from beszel_hub.systems.queries import visible_to
from beszel_hub.systems.tables import SystemRow

MAX_HISTORY_ROWS: Final = 100_000
HISTORY_MS: Final = 365 * 86_400_000
MAX_HELD: Final = 1000
"""Of one user; a summary of more would tell nobody anything."""

_SAME_NAMES: Final = (
    "id", "user_id", "system_id", "tag", "name", "match", "severity", "for_seconds", "recover_seconds",
    "repeat_seconds", "escalate_value", "escalate_seconds",
)  # fmt: skip


def read_marks() -> tuple[Any, ...]:
    """Differs after every change of rules, quiet hours or who is an administrator."""
    return (load_admins(), *(_newest(table) for table in (RuleRow, QuietRow)))


def _newest(table: type[RuleRow | QuietRow]) -> tuple[int, int | None]:
    query: Any = table.select(peewee.fn.COUNT(table.id), peewee.fn.MAX(table.updated)).tuples()
    count, newest = query.get()
    return count, newest


def load_rules() -> list[Rule]:
    """All rules, oldest first."""
    return [to_rule(row) for row in RuleRow.select().order_by(RuleRow.created, RuleRow.id)]


def to_rule(row: RuleRow) -> Rule:
    same = {name: getattr(row, name) for name in _SAME_NAMES}
    return Rule(**same, conditions=msgspec.convert(row.conditions, tuple[Condition, ...]), is_enabled=row.enabled)


def rule_columns(rule: Rule) -> dict[str, Any]:
    """As a row has it; what a preset was is not among it."""
    same = {name: getattr(rule, name) for name in _SAME_NAMES}
    return {**same, "conditions": msgspec.to_builtins(rule.conditions), "enabled": rule.is_enabled}


def insert_rule(
    rule: Rule, now_ms: int, *, origin: str = "api", preset: str = "", preset_value: float | None = None,
    preset_minutes: int | None = None,
) -> None:  # fmt: skip
    RuleRow.insert(
        **rule_columns(rule), origin=origin, preset=preset, preset_value=preset_value,
        preset_minutes=preset_minutes, created=now_ms, updated=now_ms,
    ).execute()  # fmt: skip


def update_rule(rule: Rule, now_ms: int, **others: Any) -> None:
    RuleRow.update(**rule_columns(rule), **others, updated=now_ms).where(RuleRow.id == rule.id).execute()


def delete_rule(rule_id: str) -> None:
    RuleRow.delete().where(RuleRow.id == rule_id).execute()


def find_rule(rule_id: str) -> RuleRow | None:
    row: RuleRow | None = RuleRow.get_or_none(RuleRow.id == rule_id)
    return row


def find_preset(user_id: str, system_id: str, preset: str) -> RuleRow | None:
    row: RuleRow | None = RuleRow.get_or_none(
        (RuleRow.user_id == user_id) & (RuleRow.system_id == system_id) & (RuleRow.preset == preset)
    )
    return row


def count_rules(user_id: str | None) -> int:
    return int(RuleRow.select().where(RuleRow.user_id == user_id).count())


def names_of_rules(user_id: str | None, system_id: str | None, tag: str | None) -> set[str]:
    """Of one owner, for one system, for a tag, or for all systems."""
    same = (RuleRow.user_id == user_id) & (RuleRow.system_id == system_id) & (RuleRow.tag == tag)
    return {row.name for row in RuleRow.select(RuleRow.name).where(same)}


def load_file_rules() -> list[RuleRow]:
    return list(RuleRow.select().where(RuleRow.origin == "file"))


def system_ids() -> dict[str, list[str]]:
    """By name, and by id, what systems there are."""
    found: dict[str, list[str]] = {}
    for system in SystemRow.select(SystemRow.id, SystemRow.name):
        found.setdefault(system.name, []).append(system.id)
        found.setdefault(system.id, []).append(system.id)
    return found


def find_rules_called(name_or_id: str) -> list[Rule]:
    rows = RuleRow.select().where((RuleRow.id == name_or_id) | (RuleRow.name == name_or_id)).order_by(RuleRow.created)
    return [to_rule(row) for row in rows]


def load_admins() -> frozenset[str]:
    """Who sees every system."""
    return frozenset(user.id for user in User.select(User.id).where(User.role == "admin"))


def load_states() -> tuple[list[Kept], int]:
    """All that is not calm, and when the engine was last alive."""
    states = [msgspec.convert(row.body, Kept) for row in StateRow.select()]
    engine = EngineRow.get_or_none(EngineRow.id == 1)
    return states, 0 if engine is None else engine.alive


def note_alive(now_ms: int) -> None:
    insert = EngineRow.insert(id=1, alive=now_ms)
    insert.on_conflict(conflict_target=[EngineRow.id], preserve=[EngineRow.alive]).execute()


def save_states(states: Iterable[Kept]) -> None:
    """Calm ones are kept only for how often they fired lately."""
    for kept in states:
        place = kept.place
        if kept.phase == "calm" and not kept.fires_ms:
            delete_state(place)
        else:
            StateRow.insert(
                rule_id=place.rule_id, system_id=place.system_id, target=place.target, phase=kept.phase,
                body=msgspec.to_builtins(kept),
            ).on_conflict(
                conflict_target=[StateRow.rule_id, StateRow.system_id, StateRow.target],
                preserve=[StateRow.phase, StateRow.body],
            ).execute()  # fmt: skip


def delete_state(place: Place) -> None:
    StateRow.delete().where(
        (StateRow.rule_id == place.rule_id)
        & (StateRow.system_id == place.system_id)
        & (StateRow.target == place.target)
    ).execute()


def save_step(step: Step, threshold: float | None) -> None:
    """Bring the history up to date."""
    if step.happened == "fired":
        HistoryRow.insert(
            id=step.alert_id, rule_id=step.rule.id, user_id=step.rule.user_id, system_id=step.system_id,
            name=step.rule.name, target=step.target, severity=step.severity, value=step.value, peak=step.peak,
            threshold=threshold, outcome="", reason="", created=step.at_ms,
        ).on_conflict_ignore().execute()  # fmt: skip
        return
    columns: dict[str, Any] = {"peak": step.peak, "severity": step.severity}
    if step.happened in {"recovered", "closed"}:
        columns |= {"outcome": step.happened, "reason": step.reason, "resolved": step.at_ms}
    HistoryRow.update(**columns).where(HistoryRow.id == step.alert_id).execute()


def insert_ended(ended: Ended) -> bool:
    """False if it is here already."""
    if HistoryRow.get_or_none(HistoryRow.id == ended.id) is not None:
        return False
    HistoryRow.insert(
        **msgspec.structs.asdict(ended), peak=ended.value, severity="warning", outcome="recovered"
    ).execute()
    return True


def close_orphans(orphans: Iterable[Kept], now_ms: int) -> None:
    """End what belongs to a rule or system that went while the hub did not run."""
    for kept in orphans:
        delete_state(kept.place)
        if kept.alert_id:
            HistoryRow.update(outcome="closed", reason="the rule or the system is gone", resolved=now_ms).where(
                (HistoryRow.id == kept.alert_id) & HistoryRow.resolved.is_null()
            ).execute()


def find_alert(actor: Actor, alert_id: str) -> HistoryRow | None:
    """An alert that the actor may see."""
    condition = HistoryRow.id == alert_id
    scope = visible_history(actor)
    row: HistoryRow | None = HistoryRow.get_or_none(condition if scope is None else condition & scope)
    return row


def find_over(alert_ids: Iterable[str]) -> frozenset[str]:
    """Those of these alerts that do not last any more."""
    these = HistoryRow.id.in_(sorted(set(alert_ids))) & HistoryRow.resolved.is_null(False)
    return frozenset(row.id for row in HistoryRow.select(HistoryRow.id).where(these))


def acknowledge(alert_id: str, user_id: str, now_ms: int) -> None:
    HistoryRow.update(acknowledged=now_ms, acknowledged_by=user_id).where(HistoryRow.id == alert_id).execute()


def delete_history(alert_id: str) -> None:
    HistoryRow.delete().where(HistoryRow.id == alert_id).execute()


def load_silences() -> list[Silence]:
    return [_to_silence(row) for row in QuietRow.select()]


def _to_silence(row: QuietRow) -> Silence:
    return Silence(
        id=row.id,
        user_id=row.user_id,
        type=cast("SilenceType", row.type),
        start_ms=row.start,
        end_ms=row.end,
        timezone=row.timezone,
        days=tuple(int(day) for day in row.days),
        system_id=row.system_id,
        tag=row.tag,
        rule_id=row.rule_id,
    )


def hold(user_ids: Iterable[str], transition: Transition) -> None:
    """Keep for a summary what users were not told; the oldest go if there is too much of it."""
    for user_id in user_ids:
        if User.select().where(User.id == user_id).exists():
            HeldRow.insert(user_id=user_id, body=msgspec.to_builtins(transition), created=transition.at_ms).execute()
            surplus = HeldRow.select(HeldRow.id).where(HeldRow.user_id == user_id)
            surplus = surplus.order_by(HeldRow.id.desc()).offset(MAX_HELD).limit(1000)
            HeldRow.delete().where(HeldRow.id.in_(surplus)).execute()


def load_held() -> dict[str, list[tuple[int, Transition]]]:
    """By user what was held back, oldest first."""
    held: dict[str, list[tuple[int, Transition]]] = {}
    for row in HeldRow.select().order_by(HeldRow.id):
        held.setdefault(row.user_id, []).append((row.id, msgspec.convert(row.body, Transition)))
    return held


def delete_held(ids: Sequence[int]) -> bool:
    """Whether they were all still there."""
    return int(HeldRow.delete().where(HeldRow.id.in_(list(ids))).execute()) == len(ids)


def tidy(now_ms: int) -> None:
    """Forget what is old, and what belongs to systems that are gone."""
    systems = SystemRow.select(SystemRow.id)
    HistoryRow.delete().where(
        (HistoryRow.created < now_ms - HISTORY_MS) | HistoryRow.system_id.not_in(systems)
    ).execute()
    surplus = HistoryRow.select(HistoryRow.id).order_by(HistoryRow.created.desc()).offset(MAX_HISTORY_ROWS).limit(1000)
    HistoryRow.delete().where(HistoryRow.id.in_(surplus)).execute()
    QuietRow.delete().where((QuietRow.type == "one-time") & (QuietRow.end < now_ms)).execute()


def visible_rules(actor: Actor) -> Any:
    """One's own rules, and those for everybody that watch systems which one sees; administrators see all."""
    if not actor.is_authenticated:
        return peewee.SQL("1 = 0")
    systems = visible_to(actor, RuleRow.system_id)
    if actor.is_admin:
        return None if systems is None else RuleRow.system_id.is_null() | systems
    shared = RuleRow.user_id.is_null() & (RuleRow.system_id.is_null() | systems)
    own = RuleRow.user_id == actor.user_id
    return own & (RuleRow.system_id.is_null() | systems) | shared


def visible_alerts(actor: Actor) -> Any:
    """One's own alerts of Beszel's kinds, on systems that one sees."""
    return _own(actor, BeszelAlert.user_id, BeszelAlert.system_id)


def visible_history(actor: Actor) -> Any:
    """What happened to one's own rules, and to rules for everybody, on systems that one sees."""
    if not actor.is_authenticated:
        return peewee.SQL("1 = 0")
    mine = (HistoryRow.user_id == actor.user_id) | HistoryRow.user_id.is_null()
    systems = visible_to(actor, HistoryRow.system_id)
    return mine if systems is None else mine & systems


def visible_quiet_hours(actor: Actor) -> Any:
    """One's own."""
    own = QuietRow.user_id == actor.user_id
    systems = visible_to(actor, QuietRow.system_id)
    return own if systems is None else own & (QuietRow.system_id.is_null() | systems)


def sees_system(actor: Actor, system_id: str) -> bool:
    scope = visible_to(actor, SystemRow.id)
    condition = SystemRow.id == system_id
    return bool(SystemRow.select().where(condition if scope is None else condition & scope).exists())


def _own(actor: Actor, user_column: Any, system_column: Any) -> Any:
    conditions = [user_column == actor.user_id]
    systems = visible_to(actor, system_column)
    if systems is not None:
        conditions.append(systems)
    return functools.reduce(operator.and_, conditions)


def insert_quiet(columns: dict[str, Any]) -> None:
    QuietRow.insert(**columns).execute()


def find_quiet(quiet_id: str) -> QuietRow | None:
    row: QuietRow | None = QuietRow.get_or_none(QuietRow.id == quiet_id)
    return row


def update_quiet(quiet_id: str, columns: dict[str, Any]) -> None:
    QuietRow.update(**columns).where(QuietRow.id == quiet_id).execute()


def delete_quiet(quiet_id: str) -> None:
    QuietRow.delete().where(QuietRow.id == quiet_id).execute()


def count_quiet(user_id: str) -> int:
    return int(QuietRow.select().where(QuietRow.user_id == user_id).count())


def sees_rule(actor: Actor, rule_id: str) -> bool:
    scope = visible_rules(actor)
    condition = RuleRow.id == rule_id
    return bool(RuleRow.select().where(condition if scope is None else condition & scope).exists())
