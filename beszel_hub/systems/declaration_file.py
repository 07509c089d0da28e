"""Applies the operator's `config.yml`, if there is one, when the hub starts."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from beszel_hub.errors import HubError
from beszel_hub.systems.declared import MAX_FILE_BYTES
from beszel_hub.systems.service import Systems

_log = logging.getLogger(__name__)


async def apply_file(systems: Systems, path: Path, *, on_delete: Callable[[str], None]) -> None:
    """A mistake in the file is logged: it is no reason to stop watching."""
    try:
        content = await asyncio.to_thread(read_if_there, path)
        if content is None:
            return
        applied = await systems.apply_declaration(content, on_delete=on_delete)
    except (OSError, HubError) as error:
        _log.error("%s was not applied: %s", path, error)
        return
    for complaint in applied.complaints:
        _log.warning("%s: %s", path, complaint)
    counts = (len(applied.created), len(applied.updated), len(applied.removed), len(applied.left))
    _log.info("applied %s: %d systems made, %d changed, %d removed, %d not in it and left alone", path, *counts)


def read_if_there(path: Path) -> bytes | None:
    """No more of it than can be taken, and a byte that tells so."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
