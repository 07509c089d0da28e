"""Whether the agent is connected, as the link tells those who ask."""

from typing import NamedTuple


class LinkState(NamedTuple):
    connected: bool
    since_ms: int
    """By the wall clock."""
    problem: str | None
    """Why there is no connection, if it is known."""
