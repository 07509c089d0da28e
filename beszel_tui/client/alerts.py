"""Alerts of a hub over HTTP: rules, history, quiet hours, channels; and who is asking."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from beszel_protocol.hygiene import clean, clean_lines, clean_text
from beszel_protocol.template import MAX_SUBJECT_TEMPLATE_LENGTH, MAX_TEMPLATE_LENGTH
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import ClientError, HubUnreachable
from beszel_tui.state.alertbook import (
    Account,
    AlertBook,
    Channel,
    ChannelFacts,
    Delivery,
    Kind,
    PastAlert,
    PastFacts,
    Quiet,
    QuietFacts,
    Rule,
    RuleSet,
    Target,
    Trial,
)

MAX_HISTORY: Final = 500
"""Records of what happened, and of what was delivered."""
_MAX_RECORDS: Final = 1000
_COLLECTIONS: Final[Mapping[Kind, str]] = {
    "rules": "alert_rules", "quiet": "quiet_hours", "channels": "notification_channels", "history": "alerts_history",
}  # fmt: skip
_SETS: Final = "/api/beszel/alerts/templates"
_SUPERUSERS_ID: Final = "pbc_3142635823"

RecordT = TypeVar("RecordT")
StructT = TypeVar("StructT", bound=msgspec.Struct)


class AlertDesk(Protocol):
    """What is asked and changed about alerts. All of it raises `ClientError`."""

    async def read(self) -> AlertBook:
        """Everything there is."""

    async def acknowledge(self, alert_id: str) -> None:
        """Say that somebody looks after an alert that fires."""

    async def save(self, kind: Kind, record_id: str | None, values: Mapping[str, Any]) -> None:
        """Make a record, or change one, by the fields of the hub's collection; of `sets`, the rules of one."""

    async def delete(self, kind: Kind, record_id: str) -> None:
        """Delete a record."""

    async def try_rule(self, rule_id: str, system_id: str, since_seconds: int) -> Trial:
        """What a rule would have said, had it been there."""

    async def try_channel(self, channel_id: str) -> str:
        """Send a message now; the reason why it was not taken, empty if it was."""

    async def tell_again(self, delivery_id: str) -> None:
        """Have a message sent that was given up."""


class _Page(msgspec.Struct, Generic[RecordT], frozen=True):
    items: list[RecordT]


class _PastRecord(PastFacts, frozen=True, kw_only=True):
    alert_id: str
    created: str
    resolved: str = ""
    acknowledged: str = ""


class _QuietRecord(QuietFacts, frozen=True, kw_only=True):
    start: str
    end: str


class _ChannelRecord(ChannelFacts, frozen=True, kw_only=True):
    last_sent: str = ""


class _UserRecord(msgspec.Struct, frozen=True):
    id: str
    role: str = ""


class _Claims(msgspec.Struct, frozen=True):
    """Of our own token, which the hub has signed and checks; here they only say which record is ours."""

    id: str = ""
    collectionId: str = ""  # noqa: N815 (the hub's word)


class _Tried(msgspec.Struct, frozen=True):
    err: bool | str = False


class HubAlerts:
    """An `AlertDesk` of a hub."""

    def __init__(self, http: HubHttp, token: str) -> None:
        self._http = http
        self._claims = claims_of(token)

    async def read(self) -> AlertBook:
        try:
            async with asyncio.TaskGroup() as group:
                account = group.create_task(self._account())
                rules = group.create_task(self._list(Rule, "alert_rules", "name"))
                history = group.create_task(self._list(_PastRecord, "alerts_history", "-created", MAX_HISTORY))
                quiet = group.create_task(self._list(_QuietRecord, "quiet_hours", "start"))
                channels = group.create_task(self._list(_ChannelRecord, "notification_channels", "name"))
                told = group.create_task(self._list(Delivery, "notification_deliveries", "-created", MAX_HISTORY))
                targets = group.create_task(self._http.read(_Page[Target], "/api/beszel/alerts/targets", {}))
                sets = group.create_task(self._http.read(_Page[RuleSet], _SETS, {}))
        except* ClientError as errors:
            raise _first_of(errors) from errors
        try:
            return AlertBook(
                account=account.result(),
                rules={record.id: clean(record) for record in rules.result()},
                history=[_past(record) for record in history.result()],
                quiet=[_quiet(record) for record in quiet.result()],
                channels=[_channel(record) for record in channels.result()],
                deliveries=_by_alert(told.result()),
                targets=[clean(record) for record in targets.result().items],
                sets=[clean(record) for record in sets.result().items],
            )
        except (ValueError, msgspec.ValidationError) as error:
            raise HubUnreachable(f"this is not the answer of a hub: {error}") from error

    async def acknowledge(self, alert_id: str) -> None:
        await self._http.create(dict[str, Any], "/api/beszel/alerts/acknowledge", {"id": alert_id})

    async def save(self, kind: Kind, record_id: str | None, values: Mapping[str, Any]) -> None:
        if kind == "sets":
            await self._do("POST", _SETS, values)
        elif record_id is None:
            await self._do("POST", _records(_COLLECTIONS[kind]), values)
        else:
            await self._do("PATCH", f"{_records(_COLLECTIONS[kind])}/{self._http.safe_id(record_id)}", values)

    async def delete(self, kind: Kind, record_id: str) -> None:
        await self._do("DELETE", f"{_records(_COLLECTIONS[kind])}/{self._http.safe_id(record_id)}", None)

    async def try_rule(self, rule_id: str, system_id: str, since_seconds: int) -> Trial:
        body = {"rule": rule_id, "system": system_id, "since_seconds": since_seconds}
        trial = await self._http.create(Trial, "/api/beszel/alerts/test", body)
        return msgspec.structs.replace(clean(trial), steps=[clean(step) for step in trial.steps])

    async def try_channel(self, channel_id: str) -> str:
        answer = await self._http.create(_Tried, "/api/beszel/test-notification", {"channel": channel_id})
        return "" if answer.err is False else str(answer.err)

    async def tell_again(self, delivery_id: str) -> None:
        path = f"{_records('notification_deliveries')}/{self._http.safe_id(delivery_id)}"
        await self._do("PATCH", path, {"status": "waiting"})

    async def _account(self) -> Account:
        """A superuser is an administrator; who a token does not name is nobody in particular."""
        if not self._claims.id:
            return Account()
        if self._claims.collectionId == _SUPERUSERS_ID:
            return Account(id=self._claims.id, is_admin=True)
        path = f"{_records('users')}/{self._http.safe_id(self._claims.id)}"
        user = await self._http.read(_UserRecord, path, {})
        return Account(id=user.id, is_admin=user.role == "admin")

    async def _list(
        self, record_type: type[RecordT], collection: str, sort: str, most: int = _MAX_RECORDS
    ) -> list[RecordT]:
        parameters = {"sort": sort, "perPage": str(most), "skipTotal": "1"}
        page: _Page[RecordT] = await self._http.read(_Page[record_type], _records(collection), parameters)  # type: ignore[valid-type]
        return page.items

    async def _do(self, method: str, path: str, body: Mapping[str, Any] | None) -> None:
        status, content = await self._http.exchange(method, path, body=body)
        if status >= 400:
            raise self._http.refusal(status, content)


def claims_of(token: str) -> _Claims:
    """What a JWT says of itself; nothing of one that is none."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Claims)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return _Claims()


def _records(collection: str) -> str:
    return f"/api/collections/{collection}/records"


def _first_of(errors: BaseExceptionGroup[ClientError]) -> ClientError:
    found = errors.exceptions[0]
    return _first_of(found) if isinstance(found, BaseExceptionGroup) else found


def _by_alert(deliveries: list[Delivery]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.alert, []).append(clean(delivery))
    return found


def _past(record: _PastRecord) -> PastAlert:
    past = _as(
        PastAlert, record, rule=record.alert_id, since_ms=parse_timestamp(record.created),
        until_ms=_instant(record.resolved), acknowledged_ms=_instant(record.acknowledged),
    )  # fmt: skip
    return clean(past)


def _quiet(record: _QuietRecord) -> Quiet:
    quiet = _as(Quiet, record, start_ms=parse_timestamp(record.start), end_ms=parse_timestamp(record.end))
    return clean(quiet)


def _channel(record: _ChannelRecord) -> Channel:
    channel = clean(_as(Channel, record, last_sent_ms=_instant(record.last_sent), template=""))
    template = clean_lines(record.template, MAX_TEMPLATE_LENGTH)
    subject_template = clean_text(record.subject_template, MAX_SUBJECT_TEMPLATE_LENGTH)
    return msgspec.structs.replace(channel, template=template, subject_template=subject_template)


def _as(struct_type: type[StructT], record: msgspec.Struct, **more: Any) -> StructT:
    """By the names that both have."""
    return msgspec.convert({**msgspec.structs.asdict(record), **more}, struct_type, from_attributes=True)


def _instant(text: str) -> int | None:
    return parse_timestamp(text) if text else None
