"""Where a channel leads, as people write it: checked, and with a hint that may be shown. Pure.

In a URL of Apprise every part can be the secret, the host too, so of those only the service is shown.
"""

import re
from typing import Final, NamedTuple

from beszel_hub.mail.letter import read_address
from beszel_hub.notifications.channel import MAX_TARGET_LENGTH, ChannelKind
from beszel_hub.notifications.courier import LOCAL_SCHEMAS
from beszel_hub.notifications.shoutrrr import translate
from beszel_protocol.targets import bracketed, parse_url

_APPRISE: Final = re.compile(r"([a-z][a-z0-9]{0,31})://[!-~]{1,2000}", re.ASCII | re.IGNORECASE)
_WEB: Final = frozenset({"http", "https"})


class Target(NamedTuple):
    kind: ChannelKind
    text: str
    hint: str


def read_target(kind: ChannelKind, text: str) -> Target:
    """Raise ValueError with a sentence."""
    if len(text) > MAX_TARGET_LENGTH:
        raise ValueError(f"A target has at most {MAX_TARGET_LENGTH} characters.")
    return _READERS[kind](text)


def read_any(text: str) -> Target:
    """Of a URL as Beszel's settings have them: shoutrrr's form, or Apprise's. Raise ValueError with a sentence."""
    if len(text) > MAX_TARGET_LENGTH:
        raise ValueError(f"A target has at most {MAX_TARGET_LENGTH} characters.")
    translated = translate(text)
    if translated.partition("://")[0].lower() in _WEB:
        return _read_webhook(translated)
    return _read_apprise(translated)


def _read_webhook(text: str) -> Target:
    url = parse_url(text)
    scheme = "https" if url.is_secure else "http"
    port = "" if str(url).startswith(f"{scheme}://{bracketed(url.host)}/") else f":{url.port}"
    return Target("webhook", text, f"{scheme}://{bracketed(url.host)}{port}/…")


def _read_apprise(text: str) -> Target:
    match = _APPRISE.fullmatch(text)
    if match is None:
        raise ValueError("Write a URL of Apprise such as ntfys://ntfy.sh/topic, without spaces.")
    schema = match[1].lower()
    if schema in LOCAL_SCHEMAS or schema == "file":
        raise ValueError("This service is one of the hub's own machine, which is nobody's channel.")
    return Target("apprise", text, f"{schema}://…")


def _read_email(text: str) -> Target:
    try:
        address = read_address(text)
    except ValueError:
        raise ValueError("Write an e-mail address such as name@example.org.") from None
    return Target("email", text, address.addr_spec)


_READERS: Final = {"webhook": _read_webhook, "apprise": _read_apprise, "email": _read_email}
