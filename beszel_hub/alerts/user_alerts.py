"""Alerts of Beszel's kinds on many systems at once; the functions run inside `Records.transact`."""

import functools
from collections.abc import Sequence

from beszel_hub.alerts import queries
from beszel_hub.alerts.beszel_collection import put_preset
from beszel_hub.errors import NotFound
from beszel_hub.permissions import Actor
from beszel_hub.records.scribe import Scribe


def put_presets(
    actor: Actor, scribe: Scribe, name: str, systems: Sequence[str], value: float, minutes: int, now_ms: int, *,
    overwrite: bool,
) -> int:  # fmt: skip
    """How many alerts were made or changed; `NotFound` if one of the systems is not the actor's, and then none is."""
    count = 0
    for system_id in _require_all(actor, systems):
        put = functools.partial(put_preset, actor, system_id, name, value, minutes, now_ms)
        row = queries.find_preset(actor.user_id or "", system_id, name)
        if row is None:
            scribe.create("alerts", put)
        elif overwrite:
            scribe.update("alerts", row.id, put)
        count += row is None or overwrite
    return count


def delete_presets(actor: Actor, scribe: Scribe, name: str, systems: Sequence[str]) -> int:
    """How many alerts there were."""
    count = 0
    for system_id in _require_all(actor, systems):
        row = queries.find_preset(actor.user_id or "", system_id, name)
        if row is not None:
            scribe.delete("alerts", row.id, functools.partial(queries.delete_rule, row.id))
            count += 1
    return count


def _require_all(actor: Actor, systems: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(systems))
    if not all(queries.sees_system(actor, system_id) for system_id in wanted):
        raise NotFound
    return wanted
