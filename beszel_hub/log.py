"""Log lines on standard error: UTC, level, logger, message; nothing in a message can forge a second line."""

import logging
import sys
import time
from typing import Final

from beszel_protocol.hygiene import clean_text

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_MAX_MESSAGE_LENGTH: Final = 2000


class _LineFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the standard library's name
        record.message = clean_text(record.message.replace("\n", " "), _MAX_MESSAGE_LENGTH)
        return super().formatMessage(record)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """A request that is cut off because the server stops is no failure."""
    return not (record.exc_info and type(record.exc_info[1]).__name__ == "CancelledError")


def configure_log(level: str) -> None:
    """Send everything of `level` (one of `LEVELS`) and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    for noisy in ("uvicorn", "uvicorn.error", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(LEVELS[level], logging.WARNING))
    # Says what is wrong with every form that is none, in the words of whoever sent it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
