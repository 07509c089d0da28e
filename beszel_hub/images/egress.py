"""From a URL to a socket, by the gate that messages go out through: it connects to the very address that it judged."""

import socket
from typing import Final

from beszel_hub.images.failures import RegistryRefused, RegistryUnwell
from beszel_hub.notifications import egress
from beszel_hub.notifications.egress import Resolve, resolve
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_protocol.reach import Reach

_PERMITS: Final = {
    Reach.PUBLIC: egress.Policy(),
    Reach.PRIVATE: egress.Policy(allows_private=True),
}


async def connect(host: str, port: int, limit: Reach, resolve: Resolve = resolve) -> socket.socket:
    """A connected socket. Raise `RegistryRefused` or `RegistryUnwell`."""
    try:
        return await egress.connect(host, port, _PERMITS[limit], resolve)
    except TargetRefused as error:
        raise RegistryRefused("it leads to an address that only a listed registry may have") from error
    except DeliveryFailed as error:
        raise RegistryUnwell(error.reason) from error
