"""How backups are called. Those that the hub makes by itself have names that nobody can choose."""

import re
from datetime import UTC, datetime
from typing import Final

from beszel_hub.errors import invalid_field

MAX_NAME_LENGTH: Final = 150
AUTOMATIC_PREFIX: Final = "@auto_"
_CHOSEN = re.compile(r"[a-z0-9_-]+\.zip", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_@.-]*\.zip", re.ASCII)
_STAMP: Final = "%Y%m%d%H%M%S"


def make_name(now_ms: int, *, is_automatic: bool = False) -> str:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime(_STAMP)
    return f"{AUTOMATIC_PREFIX if is_automatic else ''}beszel_backup_{stamp}.zip"


def check_name(name: str) -> str:
    """Raise `BadRequest` for a name that is not for people to choose."""
    if len(name) > MAX_NAME_LENGTH:
        raise invalid_field("name", "validation_length_out_of_range", "At most 150 characters.")
    if _CHOSEN.fullmatch(name) is None:
        raise invalid_field("name", "validation_match_invalid", "Small letters, digits, - and _, then .zip.")
    return name


def is_key(name: str) -> bool:
    """Whether a file of that name counts as a backup; such a name never leads anywhere else."""
    return len(name) <= MAX_NAME_LENGTH and _KEY.fullmatch(name) is not None


def automatic_instant(key: str) -> int | None:
    """When the hub made that one by itself, in milliseconds; None for all others."""
    if not key.startswith(AUTOMATIC_PREFIX):
        return None
    try:
        made = datetime.strptime(f"{key.removesuffix('.zip').rpartition('_')[2]}+0000", f"{_STAMP}%z")
    except ValueError:
        return None
    return round(made.timestamp() * 1000)
