"""Targets of channels: checked, sealed for the database, tried out, and kept in step with users' settings."""

import asyncio
from typing import Any, Final

from beszel_hub.accounts.throttle import Limit, LoginThrottle
from beszel_hub.alerts.transition import Transition
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Forbidden, NotFound, TooManyRequests, invalid_field
from beszel_hub.notifications import queries
from beszel_hub.notifications.channel import ChannelKind
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_hub.notifications.message import Step
from beszel_hub.notifications.postroom import Postroom
from beszel_hub.notifications.sealing import purpose_of, seal_target
from beszel_hub.notifications.sender import Errand, Sender
from beszel_hub.notifications.targets import Target, read_any, read_target
from beszel_hub.permissions import Actor
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import NotSealedHere, Secret

TEST_LIMIT: Final = Limit(burst=10, refill_seconds=10)
"""Of one user: a test tells whether something answers somewhere, which nobody should ask for in bulk."""
MAX_TESTS: Final = 4
"""At a time, of everybody."""


class ChannelDesk:
    """Where owners set up their channels."""

    def __init__(self, database: Database, secret: Secret, clock: Clock, sender: Sender, postroom: Postroom) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._sender = sender
        self._postroom = postroom
        self._throttle = LoginThrottle(TEST_LIMIT, TEST_LIMIT, TEST_LIMIT)
        self._tests = asyncio.Semaphore(MAX_TESTS)

    async def kind_of(self, channel_id: str) -> ChannelKind:
        row = await self._database.read(lambda: queries.find_channel(channel_id))
        if row is None:
            raise NotFound
        return queries.to_channel(row).kind

    async def check_target(self, actor: Actor, kind: ChannelKind, text: str) -> None:
        """Raise `BadRequest` for what no message can go to."""
        target = _read(kind, text)
        if kind != "apprise":
            return
        self._take(actor)
        async with self._tests:
            try:
                await self._sender.check(target, self._postroom.policy_of(actor.role or ""))
            except TargetRefused as refusal:
                raise invalid_field("url", "validation_invalid_value", _sentence(refusal.reason)) from refusal
            except DeliveryFailed:
                return  # could not be looked at just now; the first message tells

    def seal(self, channel_id: str, kind: ChannelKind, text: str) -> dict[str, Any]:
        """The columns of a target. Raise `BadRequest` for what is none."""
        return seal_target(self._secret, channel_id, _read(kind, text))

    async def test(self, actor: Actor, *, url: str = "", channel_id: str = "") -> str | None:
        """Send a message right now, to a URL or a channel of the actor's; None if it was taken, else why not.

        Raise `Forbidden` for a private target that the actor may not reach, `NotFound`, `TooManyRequests`.
        """
        target = await self._channel_target(actor, channel_id) if channel_id else _read_url(url)
        self._take(actor)
        errand = Errand(
            target=target, key=f"test-{new_id()}", steps=(_test_step(self._clock()),),
            policy=self._postroom.policy_of(actor.role or ""),
        )  # fmt: skip
        async with self._tests:
            try:
                await self._sender.send(errand)
            except TargetRefused as refusal:
                if not channel_id:
                    raise Forbidden(_sentence(refusal.reason)) from refusal
                return refusal.reason
            except DeliveryFailed as failure:
                return failure.reason
        return None

    async def _channel_target(self, actor: Actor, channel_id: str) -> Target:
        row = await self._database.read(lambda: queries.find_visible(actor, channel_id))
        if row is None or row.user_id != actor.user_id:
            raise NotFound
        try:
            text = self._secret.open(bytes(row.target), purpose_of(row.id)).decode()
        except NotSealedHere as error:
            raise BadRequest("The target of this channel cannot be opened; set it again.") from error
        return Target(queries.to_channel(row).kind, text, row.hint)

    def _take(self, actor: Actor) -> None:
        user_id = actor.user_id or ""
        wait_seconds = self._throttle.take(user_id, user_id, self._clock())
        if wait_seconds > 0:
            raise TooManyRequests(retry_after_seconds=int(wait_seconds) + 1)


def _read(kind: ChannelKind, text: str) -> Target:
    try:
        return read_target(kind, text)
    except ValueError as error:
        raise invalid_field("url", "validation_invalid_value", str(error)) from error


def _read_url(text: str) -> Target:
    try:
        return read_any(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _test_step(now_ms: int) -> Step:
    transition_id = new_id()
    transition = Transition(
        id=transition_id, alert_id=transition_id, rule_id="", name="Test", system_id="", system_name="", target="",
        severity="info", kind="summary", value=None, peak=None, threshold=None, since_ms=now_ms, at_ms=now_ms,
        user_ids=(), text="This is a test of a notification channel.",
    )  # fmt: skip
    return Step(transition=transition)
