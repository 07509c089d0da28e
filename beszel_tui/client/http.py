"""Requests to a hub over HTTP. The library is loaded with the first of them, which is after the first picture."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from beszel_protocol.details import HostDetails
from beszel_protocol.hygiene import clean_text
from beszel_protocol.timestamps import parse_timestamp
from beszel_protocol.version import VERSION
from beszel_tui.errors import ClientError, HubRefused, HubUnreachable, Unauthorized
from beszel_tui.state.series import Columns, Lane

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS: Final = 15.0
QUIET_SECONDS: Final = 40.0
"""Of a stream without even a heartbeat, which the hub sends every 15 s."""
MAX_BODY_BYTES: Final = 32 << 20

AnswerT = TypeVar("AnswerT")


class _SeriesLane(msgspec.Struct, frozen=True):
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class _SeriesAnswer(msgspec.Struct, frozen=True):
    resolution_seconds: float
    timestamps: list[int]
    series: dict[str, _SeriesLane]


class _SystemRecord(msgspec.Struct, frozen=True):
    created: str = ""


class _DetailsRecord(msgspec.Struct, frozen=True):
    """A record of `system_details`; empty texts and zeros stand for what is not known."""

    hostname: str = ""
    os_name: str = ""
    kernel: str = ""
    cpu: str = ""
    arch: str = ""
    cores: int = 0
    threads: int = 0
    memory: int = 0


class _FieldError(msgspec.Struct, frozen=True):
    message: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    message: str = ""
    data: dict[str, _FieldError] = {}
    """By the field that is wrong."""


class HubHttp:
    """Requests of one hub. They raise `ClientError`."""

    def __init__(self, hub: str, token: str | None = None) -> None:
        self.hub = hub
        self.token = token
        self._client: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def series(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        parameters = {
            "system": system_id,
            "metric": ",".join(addresses),
            "from": str(start_ms),
            "to": str(end_ms),
            "points": str(points),
        }
        answer = await self._ask(_SeriesAnswer, "GET", "/api/beszel/series", parameters=parameters)
        return columns_of(answer)

    async def details(self, system_id: str) -> HostDetails | None:
        try:
            record = await self._ask(
                _DetailsRecord, "GET", f"/api/collections/system_details/records/{_segment(system_id)}"
            )
        except HubRefused as refused:
            if refused.status == 404:
                return None
            raise
        return details_of(record)

    async def created_ms(self, system_id: str) -> int | None:
        """When the hub was told of this system, by its clock."""
        path = f"/api/collections/systems/records/{_segment(system_id)}"
        record = await self._ask(_SystemRecord, "GET", path, parameters={"fields": "created"})
        try:
            return parse_timestamp(record.created)
        except ValueError:
            return None

    async def change_system(self, system_id: str, body: Mapping[str, Any]) -> None:
        await self.do("PATCH", f"/api/collections/systems/records/{_segment(system_id)}", body)

    async def delete_system(self, system_id: str) -> None:
        await self.do("DELETE", f"/api/collections/systems/records/{_segment(system_id)}")

    async def do(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """A request whose answer only matters if it is an error."""
        status, content = await self.exchange(method, path, body=body, timeout_seconds=timeout_seconds)
        if status >= 400:
            raise self.refusal(status, content)

    async def create(self, answer_type: type[AnswerT], path: str, body: Mapping[str, Any]) -> AnswerT:
        return await self._ask(answer_type, "POST", path, body=body)

    @staticmethod
    def safe_id(record_id: str) -> str:
        """Raises `HubUnreachable` for what cannot be an id, and would say something else in a filter."""
        return _segment(record_id)

    async def read(self, answer_type: type[AnswerT], path: str, parameters: Mapping[str, str]) -> AnswerT:
        return await self._ask(answer_type, "GET", path, parameters=parameters)

    async def lines(self, path: str, parameters: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The lines of an answer while it arrives; the hub sends one at least every `QUIET_SECONDS`."""
        client = await self._open()
        import httpx2  # noqa: PLC0415 (loaded late, and by now: see `_make_client`)

        limits = httpx2.Timeout(TIMEOUT_SECONDS, read=QUIET_SECONDS)
        try:
            async with client.stream(
                "GET", self.hub + path, params=parameters, headers=self._headers(), timeout=limits
            ) as response:
                if response.status_code >= 400:
                    raise _refusal(response.status_code, await response.aread())
                waiting = b""
                async for piece in response.aiter_bytes():
                    *whole, waiting = (waiting + piece).split(b"\n")
                    if len(waiting) > MAX_BODY_BYTES:
                        raise HubUnreachable("this is not the answer of a hub: a line without an end")
                    for line in whole:
                        yield line
        except httpx2.TimeoutException as error:
            raise HubUnreachable("the hub does not answer") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise HubUnreachable(f"the hub cannot be reached: {error}") from error

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def _ask(
        self,
        answer_type: type[AnswerT],
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> AnswerT:
        status, content = await self.exchange(method, path, parameters=parameters, body=body)
        if status >= 400:
            raise self.refusal(status, content)
        try:
            return msgspec.json.decode(content, type=answer_type)
        except msgspec.DecodeError as error:
            raise HubUnreachable(f"this is not the answer of a hub: {error}") from error

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> tuple[int, bytes]:
        """Status and body of any answer; raises `HubUnreachable` if there is none."""
        client = await self._open()
        import httpx2  # noqa: PLC0415 (loaded late, and by now: see `_make_client`)

        try:
            response = await client.request(
                method,
                self.hub + path,
                params=parameters,
                json=body,
                headers=self._headers(),
                timeout=timeout_seconds,
            )
        except httpx2.TimeoutException as error:
            raise HubUnreachable("the hub does not answer") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise HubUnreachable(f"the hub cannot be reached: {error}") from error
        return response.status_code, response.content

    @staticmethod
    def refusal(status: int, content: bytes) -> ClientError:
        """What an answer with an error says."""
        return _refusal(status, content)

    async def _open(self) -> "httpx2.AsyncClient":
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_make_client)
            return self._client


def _make_client() -> "httpx2.AsyncClient":
    """In a thread: loading the library and the certificates takes a tenth of a second."""
    import httpx2  # noqa: PLC0415 (loaded late: the first picture does not need it)

    return httpx2.AsyncClient(
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
        headers={"User-Agent": f"beszel-tui/{VERSION}"},
        limits=httpx2.Limits(max_connections=6, max_keepalive_connections=2),
    )


def columns_of(answer: _SeriesAnswer) -> Columns:
    """Raise `HubUnreachable` if the columns are not of one length."""
    count = len(answer.timestamps)
    lanes: dict[str, Lane] = {}
    for address, lane in answer.series.items():
        if not len(lane.mean) == len(lane.min) == len(lane.max) == count:
            raise HubUnreachable("this is not the answer of a hub: columns of unequal length")
        mean = tuple(lane.mean)
        exact = lane.min == lane.mean == lane.max
        lanes[address] = Lane.exact(mean) if exact else Lane(mean, tuple(lane.min), tuple(lane.max))
    return Columns(
        resolution_ms=max(1, round(answer.resolution_seconds * 1000)),
        timestamps_ms=tuple(answer.timestamps),
        lanes=lanes,
    )


def details_of(record: _DetailsRecord) -> HostDetails:
    return HostDetails(
        hostname=clean_text(record.hostname),
        os_name=clean_text(record.os_name) or None,
        kernel=clean_text(record.kernel) or None,
        architecture=clean_text(record.arch) or None,
        cpu_model=clean_text(record.cpu) or None,
        cores=record.cores or None,
        threads=record.threads or None,
        memory_total_bytes=record.memory or None,
    )


def _refusal(status: int, body: bytes) -> ClientError:
    if status == 401:
        return Unauthorized("the hub does not accept the token")
    return HubRefused(status, _message(body, status))


def _message(body: bytes, status: int) -> str:
    try:
        error = msgspec.json.decode(body, type=_ErrorBody)
    except msgspec.DecodeError:
        return f"the hub answers {status}"
    fields = (f"{field}: {wrong.message}" for field, wrong in error.data.items())
    message = clean_text(" ".join((error.message, *fields)))
    return message or f"the hub answers {status}"


def _segment(system_id: str) -> str:
    """A hub's id as one segment of a path; a hub that sends anything else is not asked about it."""
    if not (system_id.isascii() and system_id.isalnum()):
        raise HubUnreachable("the hub gave an impossible id")
    return system_id
