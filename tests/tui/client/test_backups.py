"""Backups and the store of a real hub, as the client reads and asks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from beszel_tui.client.account import HubAccount
from beszel_tui.client.http import HubHttp
from beszel_tui.client.login import log_in
from beszel_tui.errors import HubRefused, HubUnreachable
from beszel_tui.state.account import DeleteBackup, NewBackup, RestoreBackup
from tests.support.backups import needs_file
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

pytestmark = needs_file

ADA, GRACE = "ada@example.org", "grace@example.org"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.create_system("web-1", hub.create_user(ADA, "admin"))
        hub.create_user(GRACE)
        yield hub


def logged_in(hub: RunningHub, email: str, visit: Callable[[HubAccount], Awaitable[None]]) -> None:
    async def main() -> None:
        door = HubHttp(hub.url)
        token = await log_in(door, email, PASSWORD)
        await door.close()
        http = HubHttp(hub.url, token)
        try:
            await visit(HubAccount(http, token))
        finally:
            await http.close()

    asyncio.run(main())


def test_backups_come_are_to_be_put_back_and_go(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        assert (await account.read()).backups == ()
        await account.carry_out(NewBackup(name="one.zip"))
        with pytest.raises(HubRefused, match="of that name already"):
            await account.carry_out(NewBackup(name="one.zip"))
        await account.carry_out(RestoreBackup(key="one.zip"))
        (made,) = (await account.read()).backups
        assert (made.key, made.restoring) == ("one.zip", True)
        assert made.size == (hub.hub.config.backups_path / "one.zip").stat().st_size
        assert made.modified_ms == pytest.approx(hub.hub.clock(), abs=60_000)
        await account.carry_out(DeleteBackup(key="one.zip"))
        assert (await account.read()).backups == ()

    logged_in(hub, ADA, visit)


def test_the_store_is_read(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        store = (await account.read()).store
        assert store is not None
        assert list(store.tiers) == ["hot", "raw", "1m", "10m", "8h"]
        assert [system.name for system in store.systems] == ["web-1"]
        assert store.file_bytes > 0
        assert store.disk_free_bytes

    logged_in(hub, ADA, visit)


def test_a_user_is_not_asked_for_what_they_may_not_see(hub: RunningHub) -> None:
    async def visit(account: HubAccount) -> None:
        facts = await account.read()
        assert (facts.backups, facts.store) == ((), None)
        assert not {"backups", "store"} & facts.problems.keys()
        with pytest.raises(HubRefused):
            await account.carry_out(NewBackup())

    logged_in(hub, GRACE, visit)


@pytest.mark.parametrize("key", ["", "../secret.key", "a/b.zip", "..zip/x", "a.zip?x=1", ".lock", "a b.zip"])
def test_a_name_that_no_backup_has_is_not_asked_for(hub: RunningHub, key: str) -> None:
    async def visit(account: HubAccount) -> None:
        with pytest.raises(HubUnreachable, match="impossible"):
            await account.carry_out(DeleteBackup(key=key))

    logged_in(hub, ADA, visit)
