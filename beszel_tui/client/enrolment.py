"""Adding a system: its record, and the token of its agent."""

from typing import Final

import msgspec

from beszel_protocol.hygiene import clean_text
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubUnreachable
from beszel_tui.state.enrolment import Enrolment

_SYSTEMS: Final = "/api/collections/systems/records"
_FINGERPRINTS: Final = "/api/collections/fingerprints/records"
_INFO: Final = "/api/beszel/info"


class _Info(msgspec.Struct, frozen=True):
    key: str


class _System(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Fingerprint(msgspec.Struct, frozen=True):
    token: str = ""


class _Fingerprints(msgspec.Struct, frozen=True):
    items: list[_Fingerprint]


async def enrol(http: HubHttp, name: str) -> Enrolment:
    """Make a system, and a token for its agent; raises `ClientError`."""
    info = await http.read(_Info, _INFO, {})
    system = await http.create(_System, _SYSTEMS, {"name": name})
    made = await http.create(_Fingerprint, _FINGERPRINTS, {"system": system.id})
    return _enrolment(http, system, info, made)


async def read_enrolment(http: HubHttp, system_id: str, name: str) -> Enrolment:
    """What the agent of a system needs that is there already; raises `ClientError`."""
    info = await http.read(_Info, _INFO, {})
    found = await http.read(_Fingerprints, _FINGERPRINTS, {"filter": f"system = '{http.safe_id(system_id)}'"})
    system = _System(system_id, name)
    made = found.items[0] if found.items else await http.create(_Fingerprint, _FINGERPRINTS, {"system": system_id})
    return _enrolment(http, system, info, made)


def _enrolment(http: HubHttp, system: _System, info: _Info, fingerprint: _Fingerprint) -> Enrolment:
    """What comes from the hub ends in somebody's shell: one line each, nothing that a terminal obeys."""
    key, token = (clean_text(text, 4096).strip() for text in (info.key, fingerprint.token))
    if not key or not token:
        raise HubUnreachable("the hub does not tell the token of this system")
    return Enrolment(system_id=system.id, name=clean_text(system.name), key=key, token=token, hub_url=http.hub)
