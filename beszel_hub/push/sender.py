"""Sends what waits in an outbox: one request at a time, again and again until it is taken or refused for good."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from beszel_hub.push.outbox import Outbox
from beszel_hub.push.target import Target
from beszel_protocol.hygiene import clean_text

if TYPE_CHECKING:
    import httpx2

REQUEST_TIMEOUT_SECONDS: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 300.0
COMPLAINT_INTERVAL_SECONDS: Final = 60.0
_MAX_SHOWN: Final = 200
_PASSING: Final = frozenset({408, 425, 429})
"""Beside every 5xx, the statuses after which the same request may be taken."""

_TALKATIVE: Final = ("httpx2", "httpcore2")
"""They log whole URLs, and those of InfluxDB 1 can have a password in them."""

log = logging.getLogger(__name__)


class _Refusal(NamedTuple):
    """Why a request was not taken, and whether the same one ever will be."""

    problem: str
    wait_seconds: float = 0.0
    """For how long the target wants to be left alone; 0 if it does not say."""
    is_final: bool = False


class Sender:
    def __init__(self, target: Target, outbox: Outbox, jitter: Callable[[], float] = random.random) -> None:
        """`jitter` gives numbers from 0 to 1, so that many hubs do not come back at the same moment."""
        self.first_pause_seconds = FIRST_PAUSE_SECONDS
        self._target = target
        self._outbox = outbox
        self._jitter = jitter
        self._told_dropped = 0
        self._complained = -COMPLAINT_INTERVAL_SECONDS

    async def run(self) -> None:
        """Send until cancelled. Redirects are not followed and no proxy is asked: the target is where it is."""
        import httpx2  # noqa: PLC0415  # only hubs that push need it

        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        timeout = httpx2.Timeout(REQUEST_TIMEOUT_SECONDS)
        async with httpx2.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            while True:
                body, samples = await self._outbox.take()
                try:
                    await self._deliver(client, self._target.compress(body), samples)
                except Exception:
                    self._outbox.dropped += samples
                    log.exception("samples dropped for %s: %d", self._target.name, samples)

    async def _deliver(self, client: "httpx2.AsyncClient", body: bytes, samples: int) -> None:
        pause_seconds = self.first_pause_seconds
        while (refusal := await self._post(client, body)) is not None:
            if refusal.is_final:
                self._outbox.dropped += samples
                self._report_dropped(refusal.problem)
                return
            self._complain("cannot send samples to %s: %s; trying again", self._target.name, refusal.problem)
            await asyncio.sleep(refusal.wait_seconds or pause_seconds * (0.5 + self._jitter()))
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
        self._report_dropped("there was no room for them")

    async def _post(self, client: "httpx2.AsyncClient", body: bytes) -> "_Refusal | None":
        import httpx2  # noqa: PLC0415

        headers = dict(self._target.headers)
        try:
            async with (
                asyncio.timeout(2 * REQUEST_TIMEOUT_SECONDS),
                client.stream("POST", self._target.url, content=body, headers=headers) as answer,
            ):
                if answer.is_success:
                    return None
                status, wait_seconds = answer.status_code, _retry_after(answer.headers.get("retry-after", ""))
                problem = f"{status} {await _beginning(answer)}".strip()
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            return _Refusal(type(error).__name__)
        return _Refusal(problem, wait_seconds, is_final=status < 500 and status not in _PASSING)

    def _report_dropped(self, reason: str) -> None:
        """Say how many samples are lost, once a minute at most; what is not said now is with the next."""
        lost = self._outbox.dropped - self._told_dropped
        if lost and self._complain("samples dropped for %s: %d; %s", self._target.name, lost, reason):
            self._told_dropped = self._outbox.dropped

    def _complain(self, message: str, *arguments: object) -> bool:
        now = time.monotonic()
        if now - self._complained < COMPLAINT_INTERVAL_SECONDS:
            return False
        self._complained = now
        log.warning(message, *arguments)
        return True


async def _beginning(answer: "httpx2.Response") -> str:
    """The first words of an answer, however long it is."""
    async for chunk in answer.aiter_bytes():
        return " ".join(clean_text(chunk[:_MAX_SHOWN].decode(errors="replace")).split())
    return ""


def _retry_after(text: str) -> float:
    """Seconds; a date, which the header may have too, counts as nothing."""
    return min(float(text), LONGEST_PAUSE_SECONDS) if text.isascii() and text.isdecimal() and len(text) < 8 else 0.0
