"""Questions about one service or disk of a host."""

from typing import Any, Final

import msgspec

from beszel_protocol.hygiene import clean
from beszel_protocol.services import ServiceDetail, service_of_properties
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubUnreachable
from beszel_tui.state.components import DiskRecord

READING_SECONDS: Final = 70.0
"""A host gets a minute to read its disks, which may have to gather speed."""
_SERVICE: Final = "/api/beszel/systemd/info"
_REFRESH: Final = "/api/beszel/smart/refresh"
_DISKS: Final = "/api/collections/smart_devices/records"
_MAX_DISKS: Final = 500


class _ServiceAnswer(msgspec.Struct, frozen=True):
    details: dict[str, Any]
    """By systemd's names."""


class _DisksAnswer(msgspec.Struct, frozen=True):
    items: list[DiskRecord]


async def read_service(http: HubHttp, system_id: str, name: str) -> ServiceDetail:
    """What its manager says now; raise `ClientError`."""
    answer = await http.read(_ServiceAnswer, _SERVICE, {"system": system_id, "service": name})
    try:
        return clean(service_of_properties(answer.details))
    except msgspec.ValidationError as error:
        raise HubUnreachable(f"this is not the answer of a hub: {error}") from error


async def read_disk(http: HubHttp, system_id: str, key: str) -> DiskRecord | None:
    """As the hub has it, and None if it has none such; raise `ClientError`."""
    parameters = {"filter": f"system='{http.safe_id(system_id)}'", "perPage": str(_MAX_DISKS), "skipTotal": "1"}
    answer = await http.read(_DisksAnswer, _DISKS, parameters)
    return next((found for disk in answer.items if (found := clean(disk)).serial == key), None)


async def refresh_disks(http: HubHttp, system_id: str) -> None:
    """Have the host read its disks now; one that sleeps is left asleep. Raise `ClientError`."""
    path = f"{_REFRESH}?system={http.safe_id(system_id)}"
    await http.do("POST", path, timeout_seconds=READING_SECONDS)
