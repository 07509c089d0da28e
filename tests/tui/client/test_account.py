"""The account at a real hub."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beszel_hub.clock import system_clock
from beszel_tui.client.account import HubAccount, claims_of
from beszel_tui.client.http import HubHttp
from beszel_tui.client.login import log_in
from beszel_tui.errors import HubRefused, Unauthorized
from beszel_tui.state.account import (
    ChangeUser,
    DeleteUser,
    EndSession,
    LogOut,
    NewToken,
    NewUser,
    RevokeToken,
    SendHeartbeat,
)
from tests.support.receiver import Reply, receiving
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

ADA, GRACE = "ada@example.org", "grace@example.org"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.create_user(ADA, "admin")
        hub.create_user(GRACE)
        yield hub


def logged_in(hub: RunningHub, email: str, visit: Callable[[HubAccount], Awaitable[None]]) -> None:
    async def main() -> None:
        door = HubHttp(hub.url)
        token = await log_in(door, email, PASSWORD)
        await door.close()
        await visiting(hub, token, visit)

    asyncio.run(main())


async def visiting(hub: RunningHub, token: str, visit: Callable[[HubAccount], Awaitable[None]]) -> None:
    http = HubHttp(hub.url, token)
    try:
        await visit(HubAccount(http, token))
    finally:
        await http.close()


def test_an_administrator_sees_everything(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        facts = await account.read()
        assert facts.person.email == ADA
        assert facts.is_admin
        assert facts.is_login
        assert {person.email for person in facts.users} >= {ADA, GRACE}
        assert any(login.is_current and login.user == facts.person.id for login in facts.sessions)
        assert facts.methods is not None
        assert facts.methods.password
        assert not facts.methods.two
        assert facts.hub is not None
        assert facts.hub.key == hub.hub.key.public_line
        assert facts.problems == {}

    logged_in(hub, ADA, visit)


def test_a_user_sees_what_is_theirs(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        facts = await account.read()
        assert [person.email for person in facts.users] == [GRACE]
        assert {login.user for login in facts.sessions} == {facts.person.id}
        assert "jobs" in facts.problems
        with pytest.raises(HubRefused):
            await account.carry_out(NewUser(email="eve@example.org", role="admin", password=PASSWORD))

    logged_in(hub, GRACE, visit)


def test_a_token_is_made_told_once_and_revoked(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        wanted = NewToken(name="report", scope="read", expires_ms=system_clock() + 86_400_000)
        text = await account.carry_out(wanted)
        made = next(token for token in (await account.read()).tokens if token.name == "report")
        assert made.scope == "read"
        assert made.expires_ms == pytest.approx(wanted.expires_ms, abs=1000)
        await visiting(hub, text, by_token)
        await account.carry_out(RevokeToken(token_id=made.id))
        assert all(token.id != made.id for token in (await account.read()).tokens)

    async def by_token(account: HubAccount) -> None:
        facts = await account.read()
        assert not facts.is_login
        assert facts.person.email == GRACE
        assert facts.sessions == ()
        with pytest.raises(HubRefused):
            await account.carry_out(NewToken(name="another", scope="write"))

    logged_in(hub, GRACE, visit)


def test_users_come_change_and_go(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        await account.carry_out(NewUser(email="new@example.org", role="readonly", password="a long enough one"))
        made = next(person for person in (await account.read()).users if person.email == "new@example.org")
        assert made.role == "readonly"
        await account.carry_out(ChangeUser(user_id=made.id, role="user"))
        await account.carry_out(ChangeUser(user_id=made.id, password="quite another long one"))
        with pytest.raises(HubRefused, match="email"):
            await account.carry_out(NewUser(email="no address", role="user", password="a long enough one"))
        changed = next(person for person in (await account.read()).users if person.id == made.id)
        assert changed.role == "user"
        await account.carry_out(DeleteUser(user_id=made.id))
        assert all(person.id != made.id for person in (await account.read()).users)

    logged_in(hub, ADA, visit)


def test_ones_own_password_needs_the_present_one_and_ends_the_session(hub: RunningHub) -> None:
    hub.create_user("lin@example.org")

    async def visit(account: HubAccount) -> None:
        own = (await account.read()).person.id
        with pytest.raises(HubRefused, match="present password"):
            await account.carry_out(ChangeUser(user_id=own, password="another long one", old_password="wrong"))
        await account.carry_out(ChangeUser(user_id=own, username="linus"))
        assert (await account.read()).person.username == "linus"
        await account.carry_out(ChangeUser(user_id=own, password="another long one", old_password=PASSWORD))
        with pytest.raises(Unauthorized):
            await account.read()

    logged_in(hub, "lin@example.org", visit)


def test_sessions_end(hub: RunningHub) -> None:
    hub.create_user("mae@example.org")

    async def visit(account: HubAccount) -> None:
        door = HubHttp(hub.url)
        await log_in(door, "mae@example.org", PASSWORD)
        await door.close()
        other = next(login for login in (await account.read()).sessions if not login.is_current)
        await account.carry_out(EndSession(session_id=other.id))
        assert [login.is_current for login in (await account.read()).sessions] == [True]
        await account.carry_out(LogOut(everywhere=False))
        with pytest.raises(Unauthorized):
            await account.read()

    logged_in(hub, "mae@example.org", visit)


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.!!.c", "a.e30.c", "a.W10.c"])
def test_a_token_that_does_not_say_whose_it_is(token: str) -> None:
    with pytest.raises(HubRefused, match="whose it is"):
        claims_of(token)


def test_a_heartbeat_is_sent_and_how_it_went_is_told(tmp_path: Path) -> None:
    async def visit(account: HubAccount) -> None:
        before = (await account.read()).heartbeat
        assert before is not None
        assert (before.enabled, before.url, before.interval) == (True, "127.0.0.1", 3600)
        with pytest.raises(HubRefused, match="was not taken: it answers HTTP 503"):
            await account.carry_out(SendHeartbeat())
        await account.carry_out(SendHeartbeat())
        after = (await account.read()).heartbeat
        assert after is not None
        assert after.last_sent is not None
        assert after.last_error == ""

    with receiving(Reply(204), Reply(503), Reply(204)) as received:
        settings: dict[str, Any] = {"heartbeat_url": received.url, "heartbeat_interval_seconds": 3600}
        with running_hub(tmp_path, **settings) as hub:
            hub.create_user(ADA, "admin")
            received.await_requests(1)
            logged_in(hub, ADA, visit)


def test_without_a_heartbeat_there_is_none_to_send(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        told = (await account.read()).heartbeat
        assert told is not None
        assert not told.enabled
        with pytest.raises(HubRefused, match="HEARTBEAT_URL"):
            await account.carry_out(SendHeartbeat())

    async def visit_as_user(account: HubAccount) -> None:
        assert (await account.read()).heartbeat is None
        with pytest.raises(HubRefused):
            await account.carry_out(SendHeartbeat())

    logged_in(hub, ADA, visit)
    logged_in(hub, GRACE, visit_as_user)
