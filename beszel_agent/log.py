"""The log: one line an event on standard error, where systemd, Docker and terminals expect it."""

import logging
import os
from typing import Final

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

_FORMAT: Final = "%(levelname)s %(message)s"


def set_up_log(level: str) -> None:
    """Log from `level` (a key of `LEVELS`) on; without a time under systemd, whose journal adds its own."""
    form = _FORMAT if "JOURNAL_STREAM" in os.environ else f"%(asctime)s {_FORMAT}"
    logging.basicConfig(level=LEVELS[level], format=form, datefmt="%Y-%m-%d %H:%M:%S", force=True)
    # The library's own account of every frame and handshake would drown ours; what matters of it we log ourselves.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    # Nobody reads these of a log line, and finding them out costs time on every one.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
