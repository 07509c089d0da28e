"""What the shell completes: names of systems, asked of the hub while nobody has to wait for it, else as they were last.

A shell waits for what is completed, so every way ends within `ASK_SECONDS`: a hub that is slow, away or refuses only
costs what is new since the last time.
"""

import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from beszel_protocol.hygiene import clean_text
from beszel_tui.client.session import load_session, write_private
from beszel_tui.config import Flags, Settings, load_settings
from beszel_tui.errors import TuiError

ASK_SECONDS: Final = 0.2
_PATH: Final = "/api/collections/systems/records?fields=name&perPage=500&sort=name&skipTotal=1"
_MAX_BYTES: Final = 1 << 20
_MAX_HUBS: Final = 32


_ZSH_FILE: Final = ".zfunc/_beszel-tui"
_ZSH_FIRST: Final = """
if [ "$funcstack[1]" = "_beszel-tui" ]; then
  _beszel_tui_completion "$@"
fi
"""


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _Page(msgspec.Struct, frozen=True):
    items: list[_Named]


class _Known(msgspec.Struct, frozen=True):
    """What was told last, by hub."""

    names: dict[str, list[str]] = {}


def complete_at_first_key(home: Path) -> None:
    """What Typer installs for zsh only declares itself when it is first loaded: that key would complete nothing."""
    path = home / _ZSH_FILE
    try:
        script = path.read_text(encoding="utf-8")
        if _ZSH_FIRST not in script:
            path.write_text(script.rstrip() + _ZSH_FIRST, encoding="utf-8")
    except OSError:
        return  # another shell; or it completes from the second key on


def complete_system(flags: Flags, beginning: str) -> list[str]:
    """Names that begin so, whatever their case. Never raises, never waits long."""
    try:
        settings = load_settings(flags)
        names = system_names(settings)
    except (TuiError, OSError):
        return []
    return [name for name in names if name.casefold().startswith(beginning.casefold())]


def system_names(settings: Settings) -> Sequence[str]:
    session = load_session(settings.paths.sessions_file, settings.hub) if settings.token is None else None
    hub = settings.hub or (session.hub if session is not None else None)
    token = settings.token or (session.token if session is not None else None)
    if hub is None or token is None:
        return []
    told: list[str] = []
    # A thread that nobody waits for at the end: looking a name up, for one, cannot be given up in any other way.
    asking = threading.Thread(target=_ask, args=(hub, token, told), daemon=True)
    asking.start()
    asking.join(ASK_SECONDS)
    names = list(told)
    path = settings.paths.names_file
    if not names:
        return _read(path).names.get(hub, [])
    remember(path, hub, names)
    return names


def _ask(hub: str, token: str, told: list[str]) -> None:
    # `load_settings` lets through only hubs that are reached by http or https.
    request = urllib.request.Request(hub + _PATH, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:  # noqa: S310
            page = msgspec.json.decode(answer.read(_MAX_BYTES), type=_Page)
    except (OSError, ValueError, msgspec.DecodeError):
        return
    told += filter(None, (clean_text(item.name) for item in page.items))


def _read(path: Path) -> _Known:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=_Known)
    except (OSError, msgspec.DecodeError):
        return _Known()


def remember(path: Path, hub: str, names: list[str]) -> None:
    """For the next time that nobody answers soon enough. Raises OSError."""
    others = {known: told for known, told in _read(path).names.items() if known != hub}
    newest = dict(list(others.items())[-_MAX_HUBS + 1 :])
    content = msgspec.json.encode(_Known({**newest, hub: names}))
    if not path.exists() or path.read_bytes() != content:
        write_private(path, content)
