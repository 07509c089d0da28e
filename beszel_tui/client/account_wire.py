"""Answers of the hub about accounts, as they come; the names are the hub's."""

from typing import Generic, TypeVar

import msgspec

from beszel_tui.state.account import Job

RecordT = TypeVar("RecordT")


class UserRecord(msgspec.Struct, frozen=True):
    id: str
    email: str = ""
    username: str = ""
    role: str = ""
    verified: bool = False
    created: str = ""


class SessionRecord(msgspec.Struct, frozen=True):
    id: str
    user: str = ""
    method: str = ""
    address: str = ""
    agent: str = ""
    current: bool = False
    expires: str = ""
    lastUsed: str = ""  # noqa: N815 (the hub's name)


class TokenRecord(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    scope: str = ""
    systems: list[str] | None = None
    expires: str = ""
    lastUsed: str = ""  # noqa: N815 (the hub's name)


class TokenText(msgspec.Struct, frozen=True):
    token: str = ""


class Page(msgspec.Struct, Generic[RecordT], frozen=True):
    items: list[RecordT]


class Enabled(msgspec.Struct, frozen=True):
    enabled: bool = False


class Provider(msgspec.Struct, frozen=True):
    name: str = ""


class Providers(msgspec.Struct, frozen=True):
    providers: list[Provider] = []


class Methods(msgspec.Struct, frozen=True):
    password: Enabled = Enabled()
    otp: Enabled = Enabled()
    mfa: Enabled = Enabled()
    oauth2: Providers = Providers()


class Info(msgspec.Struct, frozen=True):
    key: str = ""
    v: str = ""


class Jobs(msgspec.Struct, frozen=True):
    items: list[Job]
