"""The account at one hub: who one is, sessions, API tokens, other users. Every request raises `ClientError`."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

import msgspec

from beszel_protocol.hygiene import clean, clean_text
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from beszel_tui.client.account_wire import Info, Jobs, Page, SessionRecord, TokenRecord, TokenText, UserRecord
from beszel_tui.client.account_wire import Methods as MethodsAnswer
from beszel_tui.client.backups import carry_out, read_backups, read_store
from beszel_tui.client.heartbeat import read_heartbeat, send_heartbeat
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable, Unauthorized
from beszel_tui.state.account import (
    AccountFacts,
    ApiToken,
    Backup,
    ChangeUser,
    DeleteUser,
    EndSession,
    Heartbeat,
    HubFacts,
    Job,
    Login,
    LogOut,
    Methods,
    NewToken,
    NewUser,
    Order,
    Part,
    Person,
    RevokeToken,
    SendHeartbeat,
    Store,
)

_COLLECTIONS: Final = "/api/collections"
_USERS: Final = f"{_COLLECTIONS}/users"
_PAGE: Final = {"perPage": "500", "skipTotal": "1"}
MAX_TOKEN_LENGTH: Final = 4096

ResultT = TypeVar("ResultT")


class Claims(msgspec.Struct, frozen=True):
    """What a token says of itself; nothing of it is proved to us, and nothing needs to be."""

    id: str
    tokenId: str | None = None  # noqa: N815 (the hub's name)
    """Of an API token; a login has none."""
    exp: float | None = None
    """Seconds since the epoch."""
    refreshable: bool = False


class Account(Protocol):
    """What the settings ask for."""

    async def read(self) -> AccountFacts:
        """Everything there is to see."""

    async def carry_out(self, order: Order) -> str:
        """The text of a new API token, which the hub never tells again; of all other orders nothing."""


class HubAccount:
    def __init__(self, http: HubHttp, token: str) -> None:
        self._http = http
        self._token = token

    async def read(self) -> AccountFacts:
        claims = claims_of(self._token)
        person = await self._own(claims)
        problems: dict[Part, str] = {}
        is_login, is_admin = claims.tokenId is None, person.role == "admin"
        (methods, sessions, tokens, users, hub, jobs), (backups, store, heartbeat) = await asyncio.gather(
            asyncio.gather(
                _or_none("methods", self._methods(), problems),
                _or_none("sessions", self._sessions(), problems),
                _or_none("tokens", self._tokens(), problems),
                _or_none("users", self._users(), problems),
                _or_none("hub", self._hub(), problems),
                _or_none("jobs", self._jobs(), problems),
            ),
            self._kept(problems) if is_admin else _nothing(),
        )
        return AccountFacts(
            person=person, is_login=is_login, methods=methods, sessions=sessions or (), tokens=tokens or (),
            users=users or (), hub=hub, jobs=jobs or (), backups=backups or (), store=store, heartbeat=heartbeat,
            problems=problems,
        )  # fmt: skip

    async def carry_out(self, order: Order) -> str:
        if isinstance(order, NewToken):
            return await self._make_token(order)
        if isinstance(order, ChangeUser):
            await self._http.do("PATCH", self._record("users", order.user_id), _changes(order))
        elif isinstance(order, NewUser):
            body = {"email": order.email, "role": order.role, **_password(order.password)}
            await self._http.do("POST", f"{_USERS}/records", body)
        elif isinstance(order, LogOut):
            await self._http.do("POST", "/api/beszel/log-out", {"everywhere": order.everywhere})
        elif isinstance(order, DeleteUser):
            await self._http.do("DELETE", self._record("users", order.user_id))
        elif isinstance(order, EndSession):
            await self._http.do("DELETE", self._record("sessions", order.session_id))
        elif isinstance(order, RevokeToken):
            await self._http.do("DELETE", self._record("api_tokens", order.token_id))
        elif isinstance(order, SendHeartbeat):
            await send_heartbeat(self._http)
        else:
            await carry_out(self._http, order)
        return ""

    async def _make_token(self, wanted: NewToken) -> str:
        body = {"name": wanted.name, "scope": wanted.scope}
        if wanted.expires_ms is not None:
            body["expires"] = format_timestamp(wanted.expires_ms)
        made = await self._http.create(TokenText, f"{_COLLECTIONS}/api_tokens/records", body)
        text = clean_text(made.token, MAX_TOKEN_LENGTH).strip()
        if not text:
            raise HubUnreachable("the hub does not tell the text of the new token")
        return text

    # Parts

    async def _own(self, claims: Claims) -> Person:
        try:
            return _person(await self._http.read(UserRecord, self._record("users", claims.id), {}))
        except HubRefused as refused:
            if refused.status != 404:
                raise
            # Whose session has ended is a stranger to the hub, which tells strangers of nobody.
            raise Unauthorized("the hub does not know this session any more") from refused

    async def _methods(self) -> Methods:
        told = await self._http.read(MethodsAnswer, f"{_USERS}/auth-methods", {})
        providers = tuple(clean_text(provider.name, 64) for provider in told.oauth2.providers)
        return Methods(
            password=told.password.enabled, codes=told.otp.enabled, two=told.mfa.enabled, providers=providers
        )

    async def _sessions(self) -> tuple[Login, ...]:
        parameters = _PAGE | {"sort": "-lastUsed"}
        page = await self._http.read(Page[SessionRecord], f"{_COLLECTIONS}/sessions/records", parameters)
        return tuple(
            Login(
                id=record.id, user=record.user, method=record.method, address=record.address, agent=record.agent,
                is_current=record.current, used_ms=_instant(record.lastUsed), expires_ms=_instant(record.expires),
            )
            for record in map(clean, page.items)
        )  # fmt: skip

    async def _tokens(self) -> tuple[ApiToken, ...]:
        page = await self._http.read(Page[TokenRecord], f"{_COLLECTIONS}/api_tokens/records", _PAGE)
        return tuple(
            ApiToken(
                id=record.id, name=record.name, scope=record.scope, systems=len(record.systems or ()),
                used_ms=_instant(record.lastUsed), expires_ms=_instant(record.expires),
            )
            for record in map(clean, page.items)
        )  # fmt: skip

    async def _users(self) -> tuple[Person, ...]:
        page = await self._http.read(Page[UserRecord], f"{_USERS}/records", _PAGE | {"sort": "email"})
        return tuple(_person(record) for record in page.items)

    async def _hub(self) -> HubFacts:
        info = await self._http.read(Info, "/api/beszel/info", {})
        return HubFacts(version=clean_text(info.v, 64), key=clean_text(info.key, MAX_TOKEN_LENGTH))

    async def _jobs(self) -> tuple[Job, ...]:
        return tuple(map(clean, (await self._http.read(Jobs, "/api/beszel/jobs", {})).items))

    async def _kept(
        self, problems: dict[Part, str]
    ) -> tuple[tuple[Backup, ...] | None, Store | None, Heartbeat | None]:
        return await asyncio.gather(
            _or_none("backups", read_backups(self._http), problems),
            _or_none("store", read_store(self._http), problems),
            _or_none("heartbeat", read_heartbeat(self._http), problems),
        )

    def _record(self, collection: str, record_id: str) -> str:
        return f"{_COLLECTIONS}/{collection}/records/{self._http.safe_id(record_id)}"


def _changes(order: ChangeUser) -> dict[str, str]:
    told = {"email": order.email, "username": order.username, "role": order.role, "oldPassword": order.old_password}
    body = {name: value for name, value in told.items() if value is not None}
    return body if order.password is None else body | _password(order.password)


def _password(password: str) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password}


def claims_of(token: str) -> Claims:
    """Whose token it is, by its own words; raises `HubRefused` if it does not say."""
    try:
        payload = token.split(".")[1]
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Claims)
    except (IndexError, binascii.Error, ValueError) as error:
        raise HubRefused(400, "this token does not say whose it is") from error


def _person(record: UserRecord) -> Person:
    told = clean(record)
    return Person(
        id=told.id, email=told.email, username=told.username, role=told.role or "user", verified=told.verified,
        created_ms=_instant(told.created),
    )  # fmt: skip


def _instant(text: str) -> int | None:
    try:
        return parse_timestamp(text.replace(" ", "T", 1)) if text else None
    except ValueError:
        return None


async def _nothing() -> tuple[None, None, None]:
    """In place of what is told to administrators only."""
    return None, None, None


async def _or_none(part: Part, request: Awaitable[ResultT], problems: dict[Part, str]) -> ResultT | None:
    """What this account may not see leaves the rest to be seen."""
    try:
        return await request
    except HubRefused as refused:
        problems[part] = str(refused)
        return None
