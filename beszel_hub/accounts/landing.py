"""The page at which a browser ends that was at an identity provider. It shows nothing that came with the request."""

import base64
import hashlib
from typing import Final

_SCRIPT: Final = "window.close()"
_HASH: Final = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()


def _page(sentence: str, script: str = "") -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>beszel</title><p>{sentence}</p>{script}</html>'


LANDED: Final = _page("You are logged in and can close this window.", f"<script>{_SCRIPT}</script>")
LOST: Final = _page("This login was not completed. Close this window and try again.")
LANDING_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{_HASH}'; frame-ancestors 'none'",
}
