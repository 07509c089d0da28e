"""TLS for checks: authorities are loaded once in a while, off the loop, as that takes longer than a sample may wait."""

import asyncio
import ssl
from typing import Final

from beszel_agent.errors import CheckRefused

KEEP_SECONDS: Final = 3600.0
"""Then the authorities of the host are loaded anew; they change while it runs."""


class TlsContexts:
    """Made when they are first needed."""

    def __init__(self, ca_file: str | None) -> None:
        """`ca_file`: an authority to trust beside the system's own."""
        self._ca_file = ca_file
        self._kept: dict[bool, tuple[float, ssl.SSLContext]] = {}
        self._loading = asyncio.Lock()

    async def get(self, *, verify: bool) -> ssl.SSLContext:
        """Raise `CheckRefused` if the authorities cannot be loaded."""
        now = asyncio.get_running_loop().time()
        async with self._loading:
            made_at, context = self._kept.get(verify, (now, None))
            if context is None or now - made_at > KEEP_SECONDS:
                try:
                    context = await asyncio.to_thread(make_context, self._ca_file, verify=verify)
                except OSError as error:
                    raise CheckRefused(f"cannot be made: no authority can be loaded: {error.strerror}") from error
                self._kept[verify] = now, context
            return context


def make_context(ca_file: str | None, *, verify: bool) -> ssl.SSLContext:
    """Raise OSError. Host names are checked wherever certificates are."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
