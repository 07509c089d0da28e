"""URLs in shoutrrr's form, which Beszel's clients store, turned into Apprise's or into a plain webhook's. Pure.

The two name many services alike and write them differently. A URL whose shape is not that of shoutrrr's stays as it
is, since it may be Apprise's own.
"""

from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit


class _Parts(NamedTuple):
    user: str
    password: str
    host: str
    """With the port, as it stands there."""
    path: tuple[str, ...]
    query: dict[str, str]

    @property
    def is_plain(self) -> bool:
        return self.query.get("disabletls", "").lower() in {"yes", "true", "1"} or self.query.get("scheme") == "http"

    def items(self, *names: str) -> list[str]:
        """Of the first of these parameters that is there, a list with commas."""
        found = next((self.query[name] for name in names if self.query.get(name)), "")
        return [item.strip() for item in found.split(",") if item.strip()]


def translate(url: str) -> str:
    """Raise ValueError with a sentence for a service that cannot be told this way."""
    schema = url.partition("://")[0].lower()
    base, _, inner = schema.partition("+")
    if base == "generic":
        return _generic(url, inner)
    if base == "logger":
        raise ValueError("The hub's log is nobody's channel.")
    translator = _TRANSLATORS.get(base)
    if translator is None:
        return url
    try:
        parts = _read(url)
    except ValueError:
        return url
    return translator(parts) or url


def _read(url: str) -> _Parts:
    split = urlsplit(url)
    _, _, host = split.netloc.rpartition("@")
    path = tuple(unquote(part) for part in split.path.split("/") if part)
    query = {name.lower(): values[-1] for name, values in parse_qs(split.query).items()}
    return _Parts(unquote(split.username or ""), unquote(split.password or ""), host, path, query)


def _generic(url: str, inner: str) -> str:
    """A plain webhook; parameters of shoutrrr's own (`@` for headers, `$` for fields) have no place in it."""
    split = urlsplit(url)
    parts = _read(url)
    scheme = inner if inner in {"http", "https"} else ("http" if parts.is_plain else "https")
    own = {"disabletls", "template", "contenttype", "method", "titlekey", "messagekey"}
    kept = [
        item
        for item in split.query.split("&")
        if item and item.partition("=")[0].lower() not in own and unquote(item)[0] not in "@$"
    ]
    query = f"?{'&'.join(kept)}" if kept else ""
    return f"{scheme}://{parts.host}{split.path or '/'}{query}"


def _q(text: str) -> str:
    return quote(text, safe="")


def _discord(parts: _Parts) -> str | None:
    return f"discord://{_q(parts.host)}/{_q(parts.user)}" if parts.user and not parts.path else None


def _slack(parts: _Parts) -> str | None:
    tokens = (parts.password or parts.user).split("-")
    if parts.host == "webhook" and len(tokens) == 3:
        return f"slack://{'/'.join(map(_q, tokens))}"
    if parts.user == "xoxb":
        return f"slack://xoxb-{_q(parts.password)}/{_q(parts.host)}"
    return None


def _telegram(parts: _Parts) -> str | None:
    token = f"{parts.user}:{parts.password}" if parts.password else parts.user
    chats = parts.items("chats", "channels")
    return f"tgram://{token}/{'/'.join(_q(chat.lstrip('@')) for chat in chats)}" if token and chats else None


def _gotify(parts: _Parts) -> str | None:
    schema = "gotify" if parts.is_plain else "gotifys"
    return f"{schema}://{parts.host}/{'/'.join(map(_q, parts.path))}" if parts.path else None


def _ntfy(parts: _Parts) -> str | None:
    login = f"{_q(parts.user)}:{_q(parts.password)}@" if parts.password else ""
    schema = "ntfy" if parts.is_plain else "ntfys"
    return f"{schema}://{login}{parts.host}/{'/'.join(map(_q, parts.path))}" if parts.path else None


def _pushover(parts: _Parts) -> str | None:
    devices = "".join(f"/{_q(device)}" for device in parts.items("devices"))
    return f"pover://{_q(parts.host)}@{_q(parts.password)}{devices}" if parts.password else None


def _pushbullet(parts: _Parts) -> str | None:
    return f"pbul://{_q(parts.host)}{''.join(f'/{_q(target)}' for target in parts.path)}"


def _mattermost(parts: _Parts) -> str | None:
    if not parts.path:
        return None
    channel = f"?to={_q(parts.path[1])}" if len(parts.path) > 1 else ""
    user = f"{_q(parts.user)}@" if parts.user else ""
    return f"{'mmost' if parts.is_plain else 'mmosts'}://{user}{parts.host}/{_q(parts.path[0])}{channel}"


def _rocketchat(parts: _Parts) -> str | None:
    if len(parts.path) < 2:
        return None
    rest = "".join(f"/{_q(part)}" for part in parts.path[2:])
    return f"rockets://{_q(parts.path[0])}/{_q(parts.path[1])}@{parts.host}{rest}"


def _matrix(parts: _Parts) -> str | None:
    rooms = "".join(f"/{_q(room)}" for room in parts.items("rooms", "room"))
    login = f"{_q(parts.user)}:{_q(parts.password)}"
    return f"{'matrix' if parts.is_plain else 'matrixs'}://{login}@{parts.host}{rooms}" if parts.password else None


def _google_chat(parts: _Parts) -> str | None:
    key, token = parts.query.get("key"), parts.query.get("token")
    space = parts.path[2] if len(parts.path) > 2 else ""
    return f"gchat://{_q(space)}/{_q(key)}/{_q(token)}" if space and key and token else None


def _bark(parts: _Parts) -> str | None:
    schema = "bark" if parts.is_plain else "barks"
    return f"{schema}://{parts.host}/{_q(parts.password)}" if parts.password else None


def _join(parts: _Parts) -> str | None:
    devices = "".join(f"/{_q(device)}" for device in parts.items("devices"))
    return f"join://{_q(parts.password)}{devices}" if parts.host == "join" and parts.password else None


def _ifttt(parts: _Parts) -> str | None:
    events = parts.items("events")
    return f"ifttt://{_q(parts.host)}@{_q(events[0])}" if events else None


def _opsgenie(parts: _Parts) -> str | None:
    return f"opsgenie://{_q(parts.path[0])}" if len(parts.path) == 1 and "." in parts.host else None


def _zulip(parts: _Parts) -> str | None:
    stream, topic = parts.query.get("stream"), parts.query.get("topic")
    organisation = parts.host.partition(".")[0]
    if not parts.password or not stream:
        return None
    bot = parts.user.partition("@")[0]
    query = f"?topic={_q(topic)}" if topic else ""
    return f"zulip://{_q(bot)}@{organisation}/{_q(parts.password)}/{_q(stream)}{query}"


def _smtp(parts: _Parts) -> str | None:
    recipients = parts.items("to", "toaddresses")
    if not recipients:
        return None
    schema = "mailto" if parts.query.get("encryption", "").lower() == "none" else "mailtos"
    login = f"{_q(parts.user)}:{_q(parts.password)}@" if parts.user else ""
    sender = parts.query.get("from") or parts.query.get("fromaddress") or ""
    query = f"?to={_q(','.join(recipients))}" + (f"&from={_q(sender)}" if sender else "")
    return f"{schema}://{login}{parts.host}{query}"


_TRANSLATORS: Final[dict[str, Callable[[_Parts], str | None]]] = {
    "bark": _bark, "discord": _discord, "googlechat": _google_chat, "gotify": _gotify, "ifttt": _ifttt, "join": _join,
    "matrix": _matrix, "mattermost": _mattermost, "ntfy": _ntfy, "opsgenie": _opsgenie, "pushbullet": _pushbullet,
    "pushover": _pushover, "rocketchat": _rocketchat, "slack": _slack, "smtp": _smtp, "telegram": _telegram,
    "zulip": _zulip,
}  # fmt: skip
