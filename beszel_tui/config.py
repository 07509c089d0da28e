"""Settings: flags over environment over the config file, and where files live.

The config file is `$XDG_CONFIG_HOME/beszel-tui/config.toml`; every key may be left out:

    profile = "home"            # used when none is named
    theme = "midnight"
    symbols = "braille"         # braille, block, ascii
    rates = "binary"            # binary, decimal, bits
    sizes = "binary"            # binary, decimal
    degrees = "celsius"         # celsius, fahrenheit
    times = "local"             # local, utc
    clock = "24h"               # 24h, 12h
    layout = "table"            # table, cards
    groups = "none"             # none, tags
    slow = false                # paint every five seconds only
    [thresholds]
    warning = 65
    critical = 90
    [profiles.home]
    hub = "https://hub.example.net"
    token_file = "~/.config/beszel-tui/home.token"
    [keys]
    "fleet.sort" = "s,o"        # by the name of the key, see the settings on the screen
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from beszel_tui.errors import ConfigError
from beszel_tui.state.looks import LookChoices, Looks, merge
from beszel_tui.state.selectors import Thresholds

PROGRAM: Final = "beszel-tui"
_MAX_TOKEN_BYTES: Final = 16 << 10

Percent = Annotated[float, msgspec.Meta(ge=0, le=1000)]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hub of the config file."""

    hub: str
    token_file: str | None = None


class ThresholdConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    warning: Percent = 65
    critical: Percent = 90


class ConfigFile(LookChoices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    profile: str | None = None
    theme: str | None = None
    slow: bool = False
    thresholds: ThresholdConfig = ThresholdConfig()
    profiles: dict[str, Profile] = msgspec.field(default_factory=dict)
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    """By the id of a binding: keys in place of its own, separated by commas."""


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Folders of this user, after the XDG rules."""

    config: Path
    state: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def themes(self) -> Path:
        return self.config / "themes"

    @property
    def sessions_file(self) -> Path:
        return self.state / "sessions.json"

    @property
    def choices_file(self) -> Path:
        return self.state / "choices.json"

    @property
    def names_file(self) -> Path:
        """Names of systems for the shell to complete."""
        return self.state / "names.json"

    @property
    def local(self) -> Path:
        return self.state / "local"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the program runs with."""

    paths: Paths
    hub: str | None = None
    """Without a slash at its end; None: ask for it."""
    token: str | None = None
    theme: str | None = None
    """None: the one last chosen on the screen."""
    looks: Looks = Looks()
    said: LookChoices = LookChoices()
    """What flags, environment and file say about looks, which what is chosen on the screen does not change."""
    thresholds: Thresholds = Thresholds()
    profiles: Mapping[str, Profile] = {}
    all_hubs: bool = False
    """Every hub of the profiles at once."""
    keys: Mapping[str, str] = {}
    slow: bool = False
    read_only: bool = False


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said."""

    hub: str | None = None
    token_file: str | None = None
    profile: str | None = None
    theme: str | None = None
    symbols: str | None = None
    all_hubs: bool = False
    slow: bool = False
    read_only: bool = False


def find_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    home = Path(environment.get("HOME") or "~").expanduser()
    config = _absolute(environment.get("XDG_CONFIG_HOME")) or home / ".config"
    state = _absolute(environment.get("XDG_STATE_HOME")) or home / ".local" / "state"
    return Paths(config=config / PROGRAM, state=state / PROGRAM)


def load_settings(flags: Flags = Flags(), environment: Mapping[str, str] = os.environ) -> Settings:  # noqa: B008 (frozen)
    """Raise `ConfigError` with the name of the setting that is wrong."""
    paths = find_paths(environment)
    file = read_config(paths.config_file)
    if flags.hub in file.profiles:
        flags = msgspec.structs.replace(flags, hub=None, profile=flags.hub)
        environment = {name: value for name, value in environment.items() if name != "BESZEL_HUB"}
    if flags.all_hubs and not file.profiles:
        raise ConfigError(f"--all-hubs shows the hubs of the profiles in {paths.config_file}, and there is none")
    profile = _profile(file, flags.profile or environment.get("BESZEL_PROFILE") or None)
    hub = flags.hub or environment.get("BESZEL_HUB") or (profile.hub if profile else None)
    said = _said(file, flags, environment)
    return Settings(
        paths=paths,
        hub=normalize_hub(hub) if hub else None,
        token=_token(flags, environment, profile),
        theme=flags.theme or environment.get("BESZEL_THEME") or file.theme,
        looks=merge(said),
        said=said,
        thresholds=Thresholds(file.thresholds.warning, file.thresholds.critical),
        profiles=file.profiles,
        all_hubs=flags.all_hubs,
        keys=file.keys,
        slow=flags.slow or file.slow,
        read_only=flags.read_only,
    )


def profile_settings(settings: Settings, name: str) -> Settings:
    """The same, for another hub of the config file. Raises `ConfigError`."""
    profile = _find_profile(settings.profiles, name)
    token = _read_token(profile.token_file) if profile.token_file else None
    return msgspec.structs.replace(settings, hub=normalize_hub(profile.hub), token=token, all_hubs=False)


def read_config(path: Path) -> ConfigFile:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ConfigFile()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return msgspec.toml.decode(content, type=ConfigFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def normalize_hub(text: str) -> str:
    """`hub.example.net` becomes `https://hub.example.net`; a path is kept. Raises `ConfigError`."""
    text = text.strip()
    if "://" not in text:
        host = text.partition(":")[0]
        text = f"{'http' if host in {'localhost', '127.0.0.1'} else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"not the address of a hub: {text}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigError(f"not the address of a hub: {text} (such as https://hub.example.net)")
    return text.rstrip("/")


def local_zone_name() -> str:
    """The reader's time zone by its IANA name; empty if the machine does not tell one."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named and not named.startswith("/"):
        return named
    try:
        _, found, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    except (OSError, RuntimeError):
        return ""
    return name if found else ""


def hub_label(hub: str) -> str:
    """Host and port, as the header shows it."""
    return urlsplit(hub).netloc


def _profile(file: ConfigFile, name: str | None) -> Profile | None:
    name = name or file.profile
    return None if name is None else _find_profile(file.profiles, name)


def _find_profile(profiles: Mapping[str, Profile], name: str) -> Profile:
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"no profile {name!r} in the config file (there: {known})")
    return profiles[name]


def _token(flags: Flags, environment: Mapping[str, str], profile: Profile | None) -> str | None:
    """The nearest source wins; a token given for one hub is never sent to a hub named nearer than it."""
    if flags.token_file:
        return _read_token(flags.token_file)
    if environment.get("BESZEL_TOKEN"):
        return environment["BESZEL_TOKEN"].strip()
    if environment.get("BESZEL_TOKEN_FILE"):
        return _read_token(environment["BESZEL_TOKEN_FILE"])
    named_elsewhere = flags.hub or environment.get("BESZEL_HUB")
    if (
        profile
        and profile.token_file
        and (not named_elsewhere or normalize_hub(named_elsewhere) == normalize_hub(profile.hub))
    ):
        return _read_token(profile.token_file)
    return None


def _read_token(name: str) -> str:
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            token = file.read(_MAX_TOKEN_BYTES).decode("ascii").strip()
    except OSError as error:
        raise ConfigError(f"the token file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the token file {path} holds no token") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token


def _said(file: ConfigFile, flags: Flags, environment: Mapping[str, str]) -> LookChoices:
    """What of the looks is settled. A terminal without UTF-8 settles the symbols unless somebody says otherwise."""
    said = {name: getattr(file, name) for name in LookChoices.__struct_fields__}
    wanted = flags.symbols or environment.get("BESZEL_SYMBOLS")
    if wanted:
        if wanted not in {"braille", "block", "ascii"}:
            raise ConfigError(f"symbols are braille, block or ascii, not {wanted!r}")
        said["symbols"] = wanted
    elif file.symbols is None and _is_ascii_only(environment):
        said["symbols"] = "ascii"
    return LookChoices(**said)


def _is_ascii_only(environment: Mapping[str, str]) -> bool:
    encoding = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "UTF-8")
    return encoding.upper() in {"C", "POSIX"} or encoding.upper().endswith("ASCII")


def _absolute(text: str | None) -> Path | None:
    """XDG says that relative paths are to be ignored."""
    return Path(text) if text and Path(text).is_absolute() else None
