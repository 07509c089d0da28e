"""Logging in through an identity provider."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from beszel_hub.accounts import linking
from beszel_hub.accounts.fetching import CodeRefused, ProviderFailed
from beszel_hub.accounts.idtoken import Profile
from beszel_hub.accounts.linking import Linked
from beszel_hub.accounts.logins import FAILED, Attempt, Logins
from beszel_hub.accounts.service import Accounts, Login
from beszel_hub.accounts.ways import Provider, Way
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Unavailable
from beszel_hub.permissions import Actor
from beszel_hub.store.database import Database

_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What a provider has sent somebody back with."""

    provider: str
    code: str
    verifier: str
    redirect_url: str


class Welcome(NamedTuple):
    login: Login
    profile: Profile
    is_new: bool


class Outsiders:
    """`may_make` users: whether those who are unknown here become users."""

    def __init__(
        self, database: Database, accounts: Accounts, logins: Logins, journal: Journal, clock: Clock, *,
        providers: Sequence[Provider], may_make: bool,
    ) -> None:  # fmt: skip
        self._database = database
        self._accounts = accounts
        self._logins = logins
        self._journal = journal
        self._clock = clock
        self._providers = {provider.source.provider: provider for provider in providers}
        self._may_make = may_make

    async def ways(self) -> list[Way]:
        """How clients begin; without those that do not answer, so that other ways in stay open."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_begin(provider)) for provider in self._providers.values()]
        return [way for task in tasks if (way := task.result()) is not None]

    async def log_in(self, actor: Actor, answer: Answer, attempt: Attempt) -> Welcome:
        """Somebody comes back from the provider; a user who is logged in already links that identity.

        Raises `BadRequest` if the provider does not vouch, or for nobody who may in; `Unavailable` if it does not
        answer; `SecondMethodNeeded`, `Forbidden` and `TooManyRequests` as every login.
        """
        address = attempt.visitor.address
        self._accounts.take_attempt(address, f"provider {address}")
        provider = self._providers.get(answer.provider)
        if provider is None:
            raise BadRequest("There is no such provider.")
        profile = await _identify(provider, answer)
        self._accounts.throttle.give_back(address, f"provider {address}", self._clock())
        linked = await self._link(actor, provider, profile, attempt.collection)
        if attempt.collection != "users" and linked.account.role != "admin":
            raise BadRequest(FAILED)
        login = await self._logins.finish(linked.account, "oauth2", attempt)
        return Welcome(login, profile, linked.is_new)

    async def _link(self, actor: Actor, provider: Provider, profile: Profile, collection: str) -> Linked:
        source = provider.source
        # Only a login may add a way to log in: an API token must not make itself a user.
        linking_id = actor.user_id if actor.session_id is not None else None
        new_hash = None
        if self._may_make and collection == "users":
            known = await self._database.read(lambda: linking.find_linked(source, profile))
            new_hash = await self._accounts.hash(secrets.token_urlsafe(32)) if known is None else None

        def write() -> Linked:
            linked = linking.link(
                source, profile, linking_id=linking_id, new_password_hash=new_hash, now_ms=self._clock()
            )
            if linked.is_newly_linked:
                self._journal.note(
                    Actor(user_id=linked.account.id), "users.created_by_provider" if linked.is_new else "users.linked",
                    collection="users", record_id=linked.account.id,
                    changes={"provider": [None, source.provider], "subject": [None, profile.subject]},
                )  # fmt: skip
            return linked

        return await self._database.write(write)


async def _begin(provider: Provider) -> Way | None:
    try:
        return await provider.begin()
    except ProviderFailed as error:
        _log.warning("the identity provider %s cannot be used: %s", provider.source.provider, error)
        return None


async def _identify(provider: Provider, answer: Answer) -> Profile:
    try:
        return await provider.identify(answer.code, answer.verifier, answer.redirect_url)
    except CodeRefused as error:
        _log.warning("a login through %s failed: %s", answer.provider, error)
        raise BadRequest(FAILED) from error
    except ProviderFailed as error:
        _log.warning("the identity provider %s cannot be used: %s", answer.provider, error)
        raise Unavailable("The identity provider does not answer.") from error
