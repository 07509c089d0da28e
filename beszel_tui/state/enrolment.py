"""A system that is being added: what its agent needs, and whether it has come."""

from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec

from beszel_protocol.feed import FleetRow
from beszel_protocol.installing import Credentials

MAX_NAME_LENGTH: Final = 100
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    system_id: str
    name: str
    key: str
    token: str
    hub_url: str

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.key, self.token, self.hub_url)

    @property
    def is_near_only(self) -> bool:
        """Whether only this very machine reaches the hub by this address."""
        return urlsplit(self.hub_url).hostname in _LOOPBACK


Arrival: TypeAlias = Literal["waiting", "connected", "lost", "gone"]


class Progress(NamedTuple):
    arrival: Arrival
    sentence: str


def progress_of(row: FleetRow | None, *, is_told: bool, is_live: bool) -> Progress:
    """How far the agent of a new system is; `is_told`: the feed has had the system before."""
    if not is_live:
        return Progress("waiting", "the hub cannot be reached; this goes on when it is back")
    if row is None:
        return Progress("gone", "this system is no longer at the hub") if is_told else _WAITING
    if row.status == "up":
        version = f", agent {row.agent_version}" if row.agent_version else ""
        return Progress("connected", f"connected{version}")
    if row.status == "down":
        return Progress("lost", "the agent was there and is gone again")
    return _WAITING


_WAITING: Final = Progress("waiting", "waiting for the agent…")
