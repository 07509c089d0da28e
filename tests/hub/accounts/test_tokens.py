"""Login tokens and API tokens: what proves somebody, and what ends it."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import jwt
import pytest

from beszel_hub.accounts import queries, tokens
from beszel_hub.accounts.hashing import PasswordHasher
from beszel_hub.accounts.logins import Attempt, Logins, Policy
from beszel_hub.accounts.passwords import hash_password
from beszel_hub.accounts.service import TOUCH_INTERVAL_MS, Accounts, Revoked
from beszel_hub.accounts.sessions import Visitor
from beszel_hub.audit.journal import Journal
from beszel_hub.errors import BadRequest, Forbidden, TooManyRequests, Unavailable
from beszel_hub.permissions import ANONYMOUS, Actor, Role
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret, load_secret
from tests.support.databases import place_at
from tests.support.runninghub import FAST_COST, PASSWORD

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class Desk:
    """Accounts over a real database, with a clock that the test moves."""

    def __init__(self, database: Database, secret: Secret) -> None:
        self.now_ms = NOW_MS
        self.database = database
        self.secret = secret
        journal = Journal(self.clock, lambda _: "")
        self.accounts = Accounts(database, secret, self.clock, journal, PasswordHasher(FAST_COST))
        self.logins = Logins(database, self.accounts, journal, self.clock, Policy(), b"key", lambda *_: None)

    def clock(self) -> int:
        return self.now_ms

    def create_user(self, name: str, role: Role = "user", *, verified: bool = True) -> str:
        phc = hash_password(PASSWORD, FAST_COST)
        return self.database.write_now(
            lambda: queries.create_user(
                email=f"{name}@example.org", role=role, password_hash=phc, now_ms=NOW_MS, verified=verified
            )
        )

    def log_in(self, name: str, password: str = PASSWORD, address: str = "192.0.2.1") -> str:
        return asyncio.run(self.logins.with_password(name, password, Attempt(Visitor(address=address)))).token

    def actor(self, token: str | None) -> Actor:
        return asyncio.run(self.accounts.authenticate(token))

    def api_token(
        self, user_id: str, *, expires_ms: int = NOW_MS + DAY_MS, systems: frozenset[str] | None = None
    ) -> str:
        def write() -> str:
            token_id = queries.create_api_token(
                user_id=user_id, name="script", scope="write", expires=expires_ms, now_ms=NOW_MS, system_ids=systems
            )
            account = queries.find_account(user_id)
            assert account is not None
            return self.accounts.issue_api_token(account, token_id, expires_ms)

        return self.database.write_now(write)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database(place_at(tmp_path / "data.db"))
    database.open()
    opened = Desk(database, load_secret(tmp_path / "secret.key"))
    yield opened
    opened.accounts.close()
    database.close()


def test_a_login_proves_its_user(desk: Desk) -> None:
    user_id = desk.create_user("uma", "readonly")
    token = desk.log_in("uma@example.org")
    for text in (token, f"Bearer {token}", f"bearer {token}"):
        actor = desk.actor(text)
        assert (actor.user_id, actor.role, actor.scope, actor.token_id) == (user_id, "readonly", "full", None)
        assert actor.expires_ms == NOW_MS + tokens.LOGIN_LIFETIME_SECONDS * 1000


def test_a_login_names_what_clients_read(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    claims = jwt.decode(desk.log_in("uma"), options={"verify_signature": False})
    assert claims == {
        "id": user_id, "exp": NOW_MS // 1000 + tokens.LOGIN_LIFETIME_SECONDS, "type": "auth",
        "collectionId": "_pb_users_auth_", "refreshable": True, "sessionId": claims["sessionId"],
    }  # fmt: skip


def test_nothing_else_proves_anybody(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    good = desk.log_in("uma")
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none")
    other_key = jwt.encode(claims, "x" * 32, algorithm="HS256")
    for text in (
        None, "", "Bearer ", "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", unsigned,
        other_key, good + "x", "é", "\x00", "." * 3000, good * 20, f"Basic {good}",
    ):  # fmt: skip
        assert desk.actor(text) == ANONYMOUS, text
    assert desk.actor(good).user_id == user_id


def test_the_user_key_alone_signs_nothing(desk: Desk) -> None:
    """Somebody with a copy of the database, but not of `secret.key`, is nobody."""
    user_id = desk.create_user("uma")
    account = desk.database.read_now(lambda: queries.find_account(user_id))
    assert account is not None
    claims = jwt.decode(desk.log_in("uma"), options={"verify_signature": False})
    forged = jwt.encode(claims, account.token_key, algorithm="HS256")
    assert desk.actor(forged) == ANONYMOUS


def test_a_login_expires(desk: Desk) -> None:
    desk.create_user("uma")
    token = desk.log_in("uma")
    desk.now_ms += tokens.LOGIN_LIFETIME_SECONDS * 1000 - 1
    assert desk.actor(token).is_authenticated
    desk.now_ms += 1
    assert desk.actor(token) == ANONYMOUS


@pytest.mark.parametrize("change", [{"password_hash": "x"}, {"email": "other@example.org"}])
def test_a_new_password_or_address_ends_every_token(desk: Desk, change: dict[str, str]) -> None:
    user_id = desk.create_user("uma")
    login, script = desk.log_in("uma"), desk.api_token(user_id)
    assert desk.actor(script).token_id is not None
    desk.database.write_now(lambda: queries.update_user(user_id, dict(change), NOW_MS))
    assert desk.actor(login) == ANONYMOUS
    assert desk.actor(script) == ANONYMOUS


def test_a_new_name_or_role_ends_none(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    token = desk.log_in("uma")
    desk.database.write_now(lambda: queries.update_user(user_id, {"username": "umax", "role": "readonly"}, NOW_MS))
    assert desk.actor(token).role == "readonly"


def test_a_deleted_user_is_nobody(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    login, script = desk.log_in("uma"), desk.api_token(user_id)
    desk.database.write_now(lambda: queries.delete_user(user_id))
    assert (desk.actor(login), desk.actor(script)) == (ANONYMOUS, ANONYMOUS)


def test_an_api_token_has_its_scope_and_systems(desk: Desk) -> None:
    user_id = desk.create_user("uma", "admin")
    actor = desk.actor(desk.api_token(user_id, systems=frozenset({"one"})))
    assert (actor.user_id, actor.role, actor.scope) == (user_id, "admin", "write")
    assert actor.reaches("one", is_member=False)
    assert not actor.reaches("two", is_member=True)


def test_an_api_token_ends_when_it_is_revoked_or_expires(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    first, second = desk.api_token(user_id), desk.api_token(user_id)
    token_id = desk.actor(first).token_id or ""
    desk.database.write_now(lambda: queries.delete_api_token(token_id))
    assert desk.actor(first) == ANONYMOUS
    assert desk.actor(second).is_authenticated
    desk.now_ms += DAY_MS
    assert desk.actor(second) == ANONYMOUS


def test_last_use_is_noted_once_a_minute(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    token = desk.api_token(user_id)

    def last_used() -> int | None:
        (row,) = desk.database.read_now(lambda: queries.list_api_tokens(user_id))
        used: int | None = row.last_used
        return used

    assert last_used() is None
    desk.actor(token)
    desk.now_ms += TOUCH_INTERVAL_MS
    desk.actor(token)
    assert last_used() == NOW_MS
    desk.now_ms += 1
    desk.actor(token)
    assert last_used() == desk.now_ms


def test_refresh_renews_a_login_and_returns_an_api_token(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    login, script = desk.log_in("uma"), desk.api_token(user_id)
    desk.now_ms += 5000
    visitor = Visitor(address="192.0.2.1")
    renewed = asyncio.run(desk.accounts.refresh(desk.actor(login), login, visitor))
    assert renewed.actor.expires_ms == desk.now_ms + tokens.LOGIN_LIFETIME_SECONDS * 1000
    assert asyncio.run(desk.accounts.refresh(desk.actor(script), f"Bearer {script}", visitor)).token == script


def test_an_unverified_user_cannot_log_in(desk: Desk) -> None:
    desk.create_user("uma", verified=False)
    with pytest.raises(Forbidden):
        desk.log_in("uma")
    with pytest.raises(BadRequest):
        desk.log_in("uma", "wrong horse battery")


def test_guessing_is_slowed_down_and_a_pause_helps(desk: Desk) -> None:
    desk.create_user("uma")
    for _ in range(10):
        with pytest.raises(BadRequest):
            desk.log_in("uma", "wrong horse battery")
    with pytest.raises(TooManyRequests) as refusal:
        desk.log_in("UMA")
    assert refusal.value.retry_after_seconds
    desk.now_ms += refusal.value.retry_after_seconds * 1000
    assert desk.log_in("uma")


def test_logins_of_one_user_do_not_count_as_guesses(desk: Desk) -> None:
    desk.create_user("uma")
    for _ in range(30):
        desk.log_in("uma")


def test_a_flood_of_logins_is_refused(desk: Desk) -> None:
    desk.create_user("uma")

    async def flood() -> int:
        attempts = [desk.accounts.hash("some password") for _ in range(200)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        return sum(isinstance(result, Unavailable) for result in results)

    assert asyncio.run(flood()) > 100
    assert desk.log_in("uma")


def test_revocations_are_told(desk: Desk) -> None:
    user_id, other_id = desk.create_user("uma"), desk.create_user("otto")
    token_id = desk.actor(desk.api_token(user_id)).token_id
    told: list[Revoked] = []
    desk.accounts.on_revoked.append(told.append)

    def after(change: Callable[[], object]) -> list[Revoked]:
        told.clear()
        desk.database.write_now(change)
        asyncio.run(desk.accounts.revalidate())
        return list(told)

    asyncio.run(desk.accounts.revalidate())
    assert after(lambda: None) == []
    assert after(lambda: queries.delete_api_token(token_id or "")) == [Revoked(user_id=user_id, token_id=token_id)]
    assert after(lambda: queries.end_tokens(user_id)) == [Revoked(user_id=user_id)]
    assert after(lambda: queries.update_user(user_id, {"role": "readonly"}, NOW_MS)) == [Revoked(user_id=user_id)]
    assert after(lambda: queries.update_user(user_id, {"username": "umax"}, NOW_MS)) == []
    assert after(lambda: queries.delete_user(other_id)) == [Revoked(user_id=other_id)]


def test_what_came_and_went_between_two_looks_is_told(desk: Desk) -> None:
    told: list[Revoked] = []
    desk.accounts.on_revoked.append(told.append)
    asyncio.run(desk.accounts.revalidate())
    user_id = desk.create_user("uma")
    token_id = desk.actor(desk.api_token(user_id)).token_id or ""
    desk.database.write_now(lambda: queries.delete_api_token(token_id))
    asyncio.run(desk.accounts.revalidate())
    assert told == [Revoked(user_id=user_id, token_id=token_id)]


def test_names_with_other_letters_are_found(desk: Desk) -> None:
    user_id = desk.create_user("uma")
    desk.database.write_now(lambda: queries.update_user(user_id, {"username": "Élan"}, NOW_MS))
    assert desk.actor(desk.log_in("Élan")).user_id == user_id
    assert desk.actor(desk.log_in("UMA@EXAMPLE.ORG")).user_id == user_id


@pytest.mark.parametrize("name", ["otto@example.org", "a b", "ab", "-ab", "", "x" * 151, "a\nb"])
def test_a_name_cannot_be_an_address(desk: Desk, name: str) -> None:
    user_id = desk.create_user("uma")
    with pytest.raises(BadRequest) as refusal:
        desk.database.write_now(lambda: queries.update_user(user_id, {"username": name}, NOW_MS))
    assert refusal.value.data["username"].code == "validation_invalid_username"


def test_names_are_made_from_addresses(desk: Desk) -> None:
    for address, name in (("Ada.L", "ada.l"), ("x", "x__"), (".+a!", "_a_"), ("ada.l+2", "ada.l_2")):
        user_id = desk.create_user(address)
        account = desk.database.read_now(partial(queries.find_account, user_id))
        assert account is not None
        assert account.username == name


def test_the_last_administrator_who_can_log_in_cannot_be_blocked(desk: Desk) -> None:
    ada = desk.create_user("ada", "admin")
    desk.create_user("ben", "admin", verified=False)
    for change in ({"verified": False}, {"role": "user"}):
        with pytest.raises(BadRequest):
            desk.database.write_now(partial(queries.update_user, ada, change, NOW_MS))
    with pytest.raises(BadRequest):
        desk.database.write_now(partial(queries.delete_user, ada))
    desk.create_user("eve", "admin")
    desk.database.write_now(partial(queries.update_user, ada, {"verified": False}, NOW_MS))
