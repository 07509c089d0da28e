"""Asks a hub over HTTP whether it is well."""

import ssl
import urllib.error
import urllib.request
from typing import Any, Final

import msgspec

from beszel_hub.errors import CommandFailed, InvalidSetting

TIMEOUT_SECONDS: Final = 5.0
_MAX_ANSWER_BYTES: Final = 64 << 10


def check_health(url: str, *, is_own: bool = False) -> str:
    """The hub's own words; raise `CommandFailed` if it does not answer, or not well.

    `is_own`: the server on a data directory here, by an address that its certificate need not name.
    """
    if not url.startswith(("http://", "https://")):
        raise InvalidSetting("--url must be a URL such as http://127.0.0.1:8090")
    address = f"{url.rstrip('/')}/api/health"
    try:
        with _opener(verify=not is_own).open(address, timeout=TIMEOUT_SECONDS) as answer:
            body: Any = msgspec.json.decode(answer.read(_MAX_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        raise CommandFailed(f"{url} is not well: it answers {error.code}") from error
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise CommandFailed(f"no hub answers at {url}: {getattr(error, 'reason', error)}") from error
    if not isinstance(body, dict) or body.get("code") != 200:
        raise CommandFailed(f"what answers at {url} is no hub")
    return str(body.get("message", "ok"))


def _opener(*, verify: bool) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # A proxy would answer for itself.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
