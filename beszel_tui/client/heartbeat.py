"""The heartbeat of one hub, for administrators: how it is, and one more. Every request raises `ClientError`."""

from typing import Final

import msgspec

from beszel_protocol.hygiene import clean, clean_text
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable
from beszel_tui.state.account import Heartbeat

SENDING_SECONDS: Final = 20.0
"""The hub itself gives up after ten."""


class _Sent(msgspec.Struct, frozen=True):
    err: bool | str = False


async def read_heartbeat(http: HubHttp) -> Heartbeat:
    return clean(await http.read(Heartbeat, "/api/beszel/heartbeat-status", {}))


async def send_heartbeat(http: HubHttp) -> None:
    """Raises `HubRefused` with the reason if it was not taken."""
    status, content = await http.exchange("POST", "/api/beszel/test-heartbeat", timeout_seconds=SENDING_SECONDS)
    if status >= 400:
        raise http.refusal(status, content)
    try:
        answer = msgspec.json.decode(content, type=_Sent)
    except msgspec.DecodeError as error:
        raise HubUnreachable(f"this is not the answer of a hub: {error}") from error
    if answer.err is not False:
        raise HubRefused(status, f"the heartbeat was not taken: {clean_text(str(answer.err), 512)}")
