"""Ids of records: 15 characters of `[a-z0-9]`, about 77 bits of chance."""

import re
import secrets
import string
from typing import Final

ID_LENGTH: Final = 15
_ALPHABET: Final = string.ascii_lowercase + string.digits
_ID = re.compile(rf"[a-z0-9]{{{ID_LENGTH}}}", re.ASCII)


def new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
