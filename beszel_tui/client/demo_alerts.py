"""Alerts of the demonstration: to be looked at, not to be changed."""

from collections.abc import Callable, Mapping
from typing import Any

from beszel_tui.errors import HubRefused
from beszel_tui.state.alertbook import AlertBook, Kind, Trial
from beszel_tui.state.demo_alerts import demo_book

_FORBIDDEN = 403


class DemoAlerts:
    """An `AlertDesk`."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._began_ms = clock()

    async def read(self) -> AlertBook:
        return demo_book(self._began_ms)

    async def acknowledge(self, alert_id: str) -> None:
        raise HubRefused(_FORBIDDEN, f"in the demonstration nobody looks after {alert_id}")

    async def save(self, kind: Kind, record_id: str | None, values: Mapping[str, Any]) -> None:
        del record_id, values
        raise HubRefused(_FORBIDDEN, f"the demonstration does not keep {kind}")

    async def delete(self, kind: Kind, record_id: str) -> None:
        raise HubRefused(_FORBIDDEN, f"the demonstration does not delete {record_id} of its {kind}")

    async def try_rule(self, rule_id: str, system_id: str, since_seconds: int) -> Trial:
        del rule_id, system_id, since_seconds
        raise HubRefused(_FORBIDDEN, "the demonstration has no past to try rules on")

    async def try_channel(self, channel_id: str) -> str:
        del channel_id
        return "the demonstration sends nothing"

    async def tell_again(self, delivery_id: str) -> None:
        del delivery_id
        raise HubRefused(_FORBIDDEN, "the demonstration sends nothing")
