"""Many rules at once, as one request: Beszel's `user-alerts` on many systems, and templates.

Each of the rules is in the audit log and in the event stream as if it had been written alone.
"""

from collections.abc import Awaitable, Callable, Sequence

from beszel_hub.alerts import user_alerts
from beszel_hub.alerts.template_rules import Application, apply_template
from beszel_hub.clock import Clock
from beszel_hub.permissions import Actor
from beszel_hub.records.service import Records


class BulkRules:
    """`refresh` is called once after each commit."""

    def __init__(self, records: Records, clock: Clock, refresh: Callable[[], Awaitable[None]]) -> None:
        self._records = records
        self._clock = clock
        self._refresh = refresh

    async def put_presets(
        self, actor: Actor, name: str, systems: Sequence[str], value: float, minutes: int, *, overwrite: bool
    ) -> int:
        """Alerts of one of Beszel's kinds on many systems; `NotFound` if one of them is not the actor's."""
        now_ms = self._clock()
        count = await self._records.transact(
            actor,
            lambda scribe: user_alerts.put_presets(
                actor, scribe, name, systems, value, minutes, now_ms, overwrite=overwrite
            ),
        )
        await self._refresh()
        return count

    async def delete_presets(self, actor: Actor, name: str, systems: Sequence[str]) -> int:
        """How many there were; `NotFound` if one of the systems is not the actor's."""
        count = await self._records.transact(
            actor, lambda scribe: user_alerts.delete_presets(actor, scribe, name, systems)
        )
        await self._refresh()
        return count

    async def apply_template(self, actor: Actor, application: Application) -> int:
        """How many rules were made."""
        count = await self._records.transact(
            actor, lambda scribe: apply_template(actor, scribe, application, self._clock)
        )
        await self._refresh()
        return count
