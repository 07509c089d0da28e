"""The checks that the hub wants of this host: who follows them, and what waits to be told.

One task a check, at its own pace, few at work at once. Results wait here for the next sample and stand in that one
only, so a sample never waits for a check. Without a check nothing of this runs and nothing of it is loaded.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from beszel_agent.checks.grants import missing_ping_grant
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.runs import CollectorReport
from beszel_protocol.checks import MAX_CHECKS, MAX_NAME_LENGTH, CheckDefinition, problems_of
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import CheckMetrics, Metrics

if TYPE_CHECKING:
    # Loaded with the first check.
    from beszel_agent.checks.probing import Prober

NAME: Final = "checks"
MAX_AT_WORK: Final = 8
MAX_START_DELAY_SECONDS: Final = 10.0
"""A new check waits for a random part of this, or of its interval, so that a thousand agents do not ask at once."""
_TOLD_NAMES: Final = 3
_NEVER: Final = float("inf")
_NOW: Final = float("-inf")
_NONE: Final = "the hub has defined none for this host"
_NOT_TOLD: Final = "the hub defines them, and tells them to a running agent"

log = logging.getLogger(__name__)


class _Followed(NamedTuple):
    definition: CheckDefinition
    task: asyncio.Task[None]


class CheckBoard:
    """Stands among the sampler's runs as a collector does. All but `run` is called on the loop and never waits."""

    def __init__(
        self,
        paths: HostPaths,
        config: Config,
        *,
        randomness: Callable[[], float] = random.random,
        make_prober: "Callable[[], Prober] | None" = None,
    ) -> None:
        self.fields: tuple[str, ...] = ("checks",)
        self.due_at = _NEVER
        self._paths, self._config = paths, config
        self._randomness = randomness
        self._make_prober = make_prober or self._load_prober
        self._prober: Prober | None = None
        self._is_told = False
        self._wanted: dict[str, CheckDefinition] = {}
        self._not_understood: list[str] = []
        self._results: dict[str, CheckMetrics] = {}
        self._not_made: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._made = self._failures = 0
        self._seconds = 0.0

    def replace(self, definitions: Sequence[CheckDefinition]) -> None:
        """From now on these and no others. What stays as it was goes on at its pace."""
        if self._config.checks == "off":
            return
        self._is_told = True
        wanted: dict[str, CheckDefinition] = {}
        not_understood: list[str] = []
        for definition in map(self._as_the_owner_has_it, definitions[:MAX_CHECKS]):
            if definition.name in wanted or problems_of(definition):
                not_understood.append(clean_text(definition.name, MAX_NAME_LENGTH))
                continue
            before = self._wanted.get(definition.name)
            wanted[definition.name] = before if before is not None and before == definition else definition
        if not_understood and not_understood != self._not_understood:
            log.warning("%d checks of the hub are not understood", len(not_understood))
        self._not_understood = not_understood
        stays = {name for name, definition in wanted.items() if self._wanted.get(name) is definition}
        self._wanted = wanted
        self._results = {name: result for name, result in self._results.items() if name in stays}
        self._not_made = {name: reason for name, reason in self._not_made.items() if name in stays}
        self._changed.set()

    def read(self, now: float) -> Metrics | None:  # noqa: ARG002 - results came when they came
        """What came since the last sample."""
        if not self._results:
            return None
        results, self._results = self._results, {}
        self.due_at = _NEVER
        return Metrics(checks=results)

    def report(self) -> CollectorReport:
        reason = self._reason()
        if not self._wanted:
            return CollectorReport(name=NAME, state="unavailable", reason=reason)
        is_failing = bool(self._made) and len(self._not_made) == len(self._wanted)
        return CollectorReport(
            name=NAME,
            state="failing" if is_failing else "running",
            reason=reason,
            readings=self._made,
            failures=self._failures,
            mean_ms=round(1000 * self._seconds / self._made, 3) if self._made else None,
        )

    async def run(self) -> None:
        """Follow the checks until cancelled."""
        followed: dict[str, _Followed] = {}
        at_work = asyncio.Semaphore(MAX_AT_WORK)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._changed.wait()
                self._changed.clear()
                for name, one in list(followed.items()):
                    if self._wanted.get(name) is not one.definition:
                        one.task.cancel()
                        del followed[name]
                for name, definition in self._wanted.items():
                    if name not in followed:
                        followed[name] = _Followed(definition, tasks.create_task(self._follow(definition, at_work)))

    async def _follow(self, definition: CheckDefinition, at_work: asyncio.Semaphore) -> None:
        """Due times are multiples of the interval after the first; those that pass meanwhile are not caught up."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._randomness() * min(definition.interval_seconds, MAX_START_DELAY_SECONDS)
        while True:
            await asyncio.sleep(due - loop.time())
            async with at_work:
                started = loop.time()
                result = await self._probe(definition)
                self._note(definition, result, loop.time() - started)
            while due <= loop.time():
                due += definition.interval_seconds

    async def _probe(self, definition: CheckDefinition) -> CheckMetrics | None:
        """None if the check itself is at fault: a gap, which costs no other check its result."""
        try:
            if self._prober is None:
                self._prober = self._make_prober()
            return await self._prober.probe(definition)
        except Exception:  # a mistake of ours is not news of the target, and must not end the agent
            log.exception("the check %s failed", clean_text(definition.name, MAX_NAME_LENGTH))
            return None

    def _note(self, definition: CheckDefinition, result: CheckMetrics | None, seconds: float) -> None:
        if self._wanted.get(definition.name) is not definition:
            return  # it was changed while it was made
        self._made += 1
        self._seconds += seconds
        if result is not None:
            self._results[definition.name] = result
            self.due_at = _NOW
        if result is None or result.up is None:
            self._failures += 1
            self._not_made[definition.name] = "it failed here" if result is None else result.state or ""
        else:
            self._not_made.pop(definition.name, None)

    def _reason(self) -> str | None:
        if self._config.checks == "off":
            return "CHECKS is off"
        reasons = [f"{name}: {reason}" for name, reason in sorted(self._not_made.items())[:_TOLD_NAMES]]
        if self._not_understood:
            reasons.append(f"not understood: {', '.join(self._not_understood[:_TOLD_NAMES])}")
        if not self._wanted:
            reasons.insert(0, _NONE if self._is_told else _NOT_TOLD)
        grant = missing_ping_grant(self._paths)
        pings = [name for name, definition in self._wanted.items() if definition.kind == "ping"]
        if grant is not None and (not self._wanted or pings) and not self._not_made.keys() & set(pings):
            reasons.append(grant)
        return "; ".join(reasons) or None

    def _as_the_owner_has_it(self, definition: CheckDefinition) -> CheckDefinition:
        """Also an administrator of the hub, or whoever has taken it over, is only a guest on this host."""
        if self._config.checks == "public" and definition.allow_private:
            return msgspec.structs.replace(definition, allow_private=False)
        return definition

    def _load_prober(self) -> "Prober":
        from beszel_agent.checks.probing import Prober  # noqa: PLC0415

        return Prober(self._paths, self._config.ca_file)
