"""The one version of the distribution and of the two protocols it speaks."""

from typing import Final

VERSION: Final = "0.1.0"

LINK_PROTOCOL: Final = 1
"""Of the agent link; the agent sends it in `hello`."""

LINK_SUBPROTOCOL: Final = "beszel.v1.json"
"""`Sec-WebSocket-Protocol` of the agent link."""
