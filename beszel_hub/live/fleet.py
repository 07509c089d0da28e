"""The fleet topic: which rows changed since the last tick, and what that means for each client. Pure."""

from collections.abc import Iterable

import msgspec

from beszel_hub.live.frames import SharedFrame, share
from beszel_protocol.feed import FLEET_TOPIC, MAX_PACE_SECONDS, Fleet, FleetRow


class Board:
    """The newest row of each system, and which have changed since the last look."""

    def __init__(self) -> None:
        self._rows: dict[str, FleetRow] = {}
        self._changed: set[str] = set()

    def put(self, row: FleetRow) -> None:
        if self._rows.get(row.id) != row:
            self._rows[row.id] = row
            self._changed.add(row.id)

    def remove(self, system_id: str) -> None:
        self._rows.pop(system_id, None)
        self._changed.discard(system_id)

    def get(self, system_id: str) -> FleetRow | None:
        return self._rows.get(system_id)

    def take_changed(self) -> frozenset[str]:
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed


class Audience(msgspec.Struct, frozen=True):
    """What clients have in common that get the very same frame."""

    visible: frozenset[str]
    known: frozenset[str] | None
    """The systems a client has been sent; None if it needs all of them."""
    missed: frozenset[str] = frozenset()
    """Systems that changed at ticks which brought this client nothing."""


class ClientPace:
    """At which ticks a client is due, and what changed at the others. A tick is a second."""

    __slots__ = ("_missed", "_passed", "_ticks")

    def __init__(self) -> None:
        self._ticks = 1
        self._passed = 0
        self._missed: frozenset[str] = frozenset()

    def set(self, seconds: int) -> None:
        self._ticks = min(max(seconds, 1), MAX_PACE_SECONDS)

    def is_due(self, changed: frozenset[str]) -> bool:
        """Called at each tick with the systems that changed since the last one."""
        self._passed += 1
        if self._passed < self._ticks:
            self._missed |= changed
            return False
        self._passed = 0
        return True

    def take_missed(self) -> frozenset[str]:
        missed, self._missed = self._missed, frozenset()
        return missed


class FrameMaker:
    """One tick's frames, each encoded once however many clients get it."""

    def __init__(self, board: Board, changed: frozenset[str], hub_ms: int) -> None:
        self._board = board
        self._changed = changed
        self._hub_ms = hub_ms
        self._frames: dict[Audience, SharedFrame | None] = {}

    def frame_for(self, audience: Audience) -> SharedFrame | None:
        """None if nothing of what the audience sees has changed."""
        if audience not in self._frames:
            self._frames[audience] = self._make(audience)
        return self._frames[audience]

    def _make(self, audience: Audience) -> SharedFrame | None:
        if audience.known is None:
            return self._encode(audience.visible, ())
        fresh = audience.visible - audience.known
        removed = audience.known - audience.visible
        changed = ((self._changed | audience.missed) & audience.visible) | fresh
        return self._encode(changed, removed) if changed or removed else None

    def _encode(self, system_ids: Iterable[str], removed: Iterable[str]) -> SharedFrame:
        rows = [row for system_id in system_ids if (row := self._board.get(system_id)) is not None]
        rows.sort(key=lambda row: (row.name, row.id))
        frame = Fleet(sequence=0, hub_ms=self._hub_ms, systems=rows, removed=sorted(removed))
        return share(frame, FLEET_TOPIC)
