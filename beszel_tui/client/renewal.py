"""Keeps a session alive: exchanges its token for a new one long before it expires, as long as the client is open."""

import asyncio
from collections.abc import Callable
from typing import Final

from beszel_tui.client.http import HubHttp
from beszel_tui.client.login import renew
from beszel_tui.errors import ClientError, HubRefused, Unauthorized

USUAL_LIFETIME_SECONDS: Final = 7 * 86_400.0
"""Of a session, until the hub has told by a new one how long they last."""
START_SECONDS: Final = 2.0
"""Nothing of this is needed for the first picture."""
LOOK_SECONDS: Final = 60.0
"""How long it sleeps at most: a machine that was suspended has its clock further on than its timers."""
RETRY_SECONDS: Final = 60.0
_LEAST_PAUSE_SECONDS: Final = 1.0
_NOT_HERE: Final = frozenset({403, 404, 405})
"""Answers of a hub that renews no such token."""

Clock = Callable[[], float]
"""Seconds since the epoch."""


class Renewal:
    def __init__(self, http: HubHttp, token: str, renewed: Callable[[str], None], clock: Clock) -> None:
        """`renewed` hears of each new token."""
        self._http = http
        self._token = token
        self._renewed = renewed
        self._clock = clock

    async def run(self) -> bool:
        """Whether the hub has ended the session; not, if this is no token that can be renewed."""
        await asyncio.sleep(START_SECONDS)
        expires = expiry_of(self._token)
        lifetime_seconds = USUAL_LIFETIME_SECONDS
        while expires is not None:
            wait_seconds = seconds_until_due(expires, lifetime_seconds, self._clock())
            if wait_seconds > 0:
                await asyncio.sleep(min(LOOK_SECONDS, wait_seconds))
                continue
            try:
                self._token = await renew(self._http)
            except Unauthorized:
                return True
            except ClientError as error:
                if isinstance(error, HubRefused) and error.status in _NOT_HERE:
                    return False
                await asyncio.sleep(_retry_seconds(expires - self._clock()))
                continue
            self._renewed(self._token)
            expires = expiry_of(self._token)
            if expires is not None:
                lifetime_seconds = expires - self._clock()
                await asyncio.sleep(_LEAST_PAUSE_SECONDS)  # whatever a hub or a clock says, no flood of questions
        return False


def seconds_until_due(expires: float, lifetime_seconds: float, now: float) -> float:
    """A session is renewed when half of its time is over; not positive if that is so."""
    return expires - lifetime_seconds / 2 - now


def expiry_of(token: str) -> float | None:
    """When a session's token ends, in seconds since the epoch; None for one that is not to be renewed."""
    from beszel_tui.client.account import claims_of  # noqa: PLC0415 (not needed for the first picture)

    try:
        claims = claims_of(token)
    except HubRefused:
        return None
    return claims.exp if claims.refreshable and claims.tokenId is None else None


def _retry_seconds(left_seconds: float) -> float:
    """Sooner as the end comes near."""
    return max(_LEAST_PAUSE_SECONDS, min(RETRY_SECONDS, left_seconds / 10))
