"""Runs the courier for one message, and ends it when it takes too long."""

import asyncio
import os
import sys
from typing import Final

import msgspec

from beszel_hub.notifications.courier import Parcel, Receipt
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused

_MAX_RECEIPT_BYTES: Final = 64 << 10
_KEPT: Final = ("LANG", "LD_LIBRARY_PATH", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "SYSTEMROOT", "TZ")


async def dispatch(parcel: Parcel, *, timeout_seconds: float) -> None:
    """Return once the service has taken the message; else raise `DeliveryFailed`."""
    try:
        async with asyncio.timeout(timeout_seconds):
            receipt = await _run(parcel)
    except TimeoutError as error:
        raise DeliveryFailed("it takes too long") from error
    except (OSError, msgspec.DecodeError) as error:
        raise DeliveryFailed("the process that sends could not be run") from error
    if receipt.is_refused:
        raise TargetRefused(receipt.reason)
    if not receipt.is_sent:
        raise DeliveryFailed(receipt.reason, is_lasting=receipt.is_lasting)


async def _run(parcel: Parcel) -> Receipt:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Not the current directory: whoever can write there could have their code imported.
        "-P",
        "-m",
        "beszel_hub.notifications.courier",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        limit=_MAX_RECEIPT_BYTES,
    )
    try:
        output, _ = await process.communicate(msgspec.json.encode(parcel))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(output, type=Receipt)


def _environment() -> dict[str, str]:
    """Only what the interpreter needs: no setting of the hub, and no proxy that would resolve names elsewhere."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
