"""The hub's settings: one table, read from flags and environment, checked before anything starts.

`BESZEL_HUB_<NAME>` wins over `<NAME>`; a secret can also stand in the file that `<NAME>_FILE` names. Flags win over
both.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from beszel_hub.errors import InvalidSetting
from beszel_hub.log import LEVELS

PREFIX: Final = "BESZEL_HUB_"

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w)", re.ASCII)
_FOREVER: Final = "forever"
_SIZE = re.compile(r"([0-9]{1,6})([KMGT])B?", re.ASCII | re.IGNORECASE)
_SIZE_BITS: Final = {"K": 10, "M": 20, "G": 30, "T": 40}
_SMALLEST_DATABASE_BYTES: Final = 16 << 20
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MAX_SECRET_BYTES: Final = 16 << 10


class HubConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub was told, every value checked."""

    data_dir: Path = Path("beszel_data")
    http_host: str = "127.0.0.1"
    http_port: int = 8090
    """0 for any free one."""
    key_source: str | None = None
    token: str | None = None
    app_url: str = ""
    """Without a slash at the end."""
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    log_level: str = "info"
    raw_retention_seconds: int | None = 3 * 86400
    """None for ever, as with the others."""
    minute_retention_seconds: int | None = 90 * 86400
    ten_minute_retention_seconds: int | None = 730 * 86400
    eight_hour_retention_seconds: int | None = None
    max_database_bytes: int | None = None
    require_tls: bool = False
    remote_write_url: str = ""
    remote_write_authorization: str | None = None
    influx_url: str = ""
    influx_authorization: str | None = None
    push_interval_seconds: int = 15

    @property
    def database_path(self) -> Path:
        return self.data_dir / "data.db"

    @property
    def secret_path(self) -> Path:
        return self.data_dir / "secret.key"

    @property
    def key_path(self) -> Path:
        return self.data_dir / "id_ed25519"

    @property
    def address_path(self) -> Path:
        """Where a running server notes the URL it listens on."""
        return self.data_dir / "address"

    def local_url(self) -> str:
        """The URL of the server on this data directory, from this machine; a guess if none is running."""
        try:
            return self.address_path.read_text().strip()
        except (OSError, UnicodeDecodeError):
            return make_url(self.http_host, self.http_port)


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    read: Callable[[str], dict[str, Any]]
    """Turns text into fields of `HubConfig`; raises ValueError with what is expected."""
    default: str
    help: str
    is_secret: bool = False


def make_url(host: str, port: int) -> str:
    """How this machine reaches a server that listens there."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _one(field: str, read: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    return lambda text: {field: read(text)}


def read_duration(text: str) -> int:
    """Seconds of `90s`, `15m`, `12h`, `3d` or `2w`."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError("a duration such as 90s, 15m, 12h or 3d")
    return int(match[1]) * _SECONDS[match[2]]


def read_retention(text: str) -> int | None:
    """Seconds, or None for `forever`."""
    if text.lower() == _FOREVER:
        return None
    try:
        return read_duration(text)
    except ValueError as error:
        raise ValueError(f"{error}, or {_FOREVER}") from error


def read_size(text: str) -> int:
    """Bytes of `500M` or `20G`, powers of 1024."""
    match = _SIZE.fullmatch(text)
    size = 0 if match is None else int(match[1]) << _SIZE_BITS[match[2].upper()]
    if size < _SMALLEST_DATABASE_BYTES:
        raise ValueError("a size such as 500M or 20G, of at least 16M")
    return size


def read_address(text: str) -> dict[str, Any]:
    """`HOST:PORT`, `[::1]:8090`, `:8090` (every interface) or a port."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("HOST:PORT, with brackets around an IPv6 address")
    fields: dict[str, Any] = {"http_port": _read_port(port)}
    return fields | {"http_host": host or "0.0.0.0"} if colon else fields  # noqa: S104  # asked for by writing `:PORT`


def _read_port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise ValueError("a port from 0 to 65535")
    return int(text)


def _read_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered not in {"true", "false", "1", "0"}:
        raise ValueError("true or false")
    return lowered in {"true", "1"}


def _read_level(text: str) -> str:
    if text.lower() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.lower()


def _read_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("a URL such as https://hub.example.net or https://example.net/beszel")
    return text.rstrip("/")


def _read_target(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or parts.username:
        raise ValueError("a URL without a name and password in it; those go into the setting for authorization")
    return text


def _read_authorization(text: str) -> str:
    scheme, _, credentials = text.partition(" ")
    if not scheme or not credentials or not text.isprintable() or not text.isascii():
        raise ValueError("the value of an Authorization header, such as `Bearer …`, `Token …` or `Basic …`")
    return text


def _read_items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_hosts(text: str) -> tuple[str, ...]:
    hosts = _read_items(text.lower())
    if any("/" in host or host == "*" for host in hosts):
        raise ValueError("a comma-separated list of host names")
    return hosts


def _read_origins(text: str) -> tuple[str, ...]:
    origins = tuple(_read_url(item.lower()) for item in _read_items(text))
    if any(urlsplit(origin).path for origin in origins):
        raise ValueError("a comma-separated list of origins such as https://dashboard.example.net")
    return origins


def _read_networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(item)) for item in _read_items(text))
    except ValueError as error:
        raise ValueError("a comma-separated list of addresses or networks such as 10.0.0.0/8") from error


def _read_token(text: str) -> str:
    if len(text) < 16:
        raise ValueError("at least 16 characters")
    return text


SETTINGS: Final = (
    Setting("DATA_DIR", _one("data_dir", Path), "beszel_data", "Where database, keys and secret are kept."),
    Setting("LISTEN", read_address, "127.0.0.1:8090", "Address and port to serve on; port 0 takes any free one."),
    Setting("PORT", _one("http_port", _read_port), "8090", "The port alone; `LISTEN` and `--http` win."),
    Setting("APP_URL", _one("app_url", _read_url), "", "The URL people and agents reach the hub by."),
    Setting(
        "KEY", _one("key_source", str), "", "An Ed25519 private key of your own: a file's name or the PEM itself.", True
    ),
    Setting(
        "TOKEN", _one("token", _read_token), "",
        "A permanent universal token: every new agent with it becomes a system of the first administrator.", True,
    ),
    Setting(
        "ALLOWED_HOSTS", _one("allowed_hosts", _read_hosts), "",
        "Further names the hub may be called by, where that is checked.",
    ),
    Setting(
        "ALLOWED_ORIGINS", _one("allowed_origins", _read_origins), "",
        "Web pages of these origins may use the API and the live feed.",
    ),
    Setting(
        "TRUSTED_PROXIES", _one("trusted_proxies", _read_networks), "",
        "Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    ),
    Setting(
        "REQUIRE_TLS", _one("require_tls", _read_bool), "false", "Refuse agents whose connection is not encrypted."
    ),
    Setting(
        "RAW_RETENTION", _one("raw_retention_seconds", read_retention), "3d",
        "How long single samples are kept: a duration, or `forever`.",
    ),
    Setting(
        "MINUTE_RETENTION", _one("minute_retention_seconds", read_retention), "90d",
        "How long history by the minute is kept.",
    ),
    Setting(
        "TEN_MINUTE_RETENTION", _one("ten_minute_retention_seconds", read_retention), "730d",
        "How long history by ten minutes is kept.",
    ),
    Setting(
        "EIGHT_HOUR_RETENTION", _one("eight_hour_retention_seconds", read_retention), "forever",
        "How long history by eight hours is kept.",
    ),
    Setting(
        "MAX_DATABASE_SIZE", _one("max_database_bytes", read_size), "",
        "What the database may take, such as `20G`; when full, the finest history goes first, oldest first.",
    ),
    Setting(
        "REMOTE_WRITE_URL", _one("remote_write_url", _read_target), "",
        "Samples go to this Prometheus remote-write endpoint, too.",
    ),
    Setting(
        "REMOTE_WRITE_AUTHORIZATION", _one("remote_write_authorization", _read_authorization), "",
        "The `Authorization` header for it.", True,
    ),
    Setting(
        "INFLUX_URL", _one("influx_url", _read_target), "",
        "Samples go to this InfluxDB write endpoint, too, with its database or bucket in the query.", True,
    ),
    Setting(
        "INFLUX_AUTHORIZATION", _one("influx_authorization", _read_authorization), "",
        "The `Authorization` header for it.", True,
    ),
    Setting(
        "PUSH_INTERVAL", _one("push_interval_seconds", read_duration), "15s",
        "How often a sample of each system goes to these two.",
    ),
    Setting("LOG_LEVEL", _one("log_level", _read_level), "info", "`debug`, `info`, `warn` or `error`."),
)  # fmt: skip

NOT_EFFECTIVE_YET: Final = frozenset({
    "AUTO_LOGIN", "CHECK_UPDATES", "CONTAINER_DETAILS", "CSP", "DISABLE_PASSWORD_AUTH", "ENV", "HEARTBEAT_INTERVAL",
    "HEARTBEAT_METHOD", "HEARTBEAT_URL", "MFA_OTP", "OAUTH_DISABLE_POPUP", "SHARE_ALL_SYSTEMS", "TRUSTED_AUTH_HEADER",
    "USER_CREATION", "USER_EMAIL", "USER_PASSWORD",
})  # fmt: skip
"""Settings of Beszel's hub that this one knows and does not act on."""

_COMMON_NAMES: Final = frozenset({"CSP", "ENV"})
"""Without the prefix these can be meant for anybody."""

FLAGS: Final = {"DATA_DIR": "--dir", "LISTEN": "--http"}


class Loaded(NamedTuple):
    config: HubConfig
    ignored: list[str]
    """Names that were set and have no effect, for a warning."""


def load_config(flags: Mapping[str, str], environment: Mapping[str, str]) -> Loaded:
    """Read every setting; `flags` are by setting name. Raises `InvalidSetting` for the first that is wrong."""
    _refuse_unknown(environment)
    fields: dict[str, Any] = {}
    # PORT comes before LISTEN, which may say the port too and then wins.
    for setting in sorted(SETTINGS, key=lambda setting: setting.name != "PORT"):
        found = _find(setting, flags, environment)
        if found is not None:
            source, text = found
            try:
                fields |= setting.read(text)
            except ValueError as error:
                shown = "" if setting.is_secret else f", not {text[:100]!r}"
                raise InvalidSetting(f"{source} must be {error}{shown}") from error
    without_effect = {PREFIX + name for name in NOT_EFFECTIVE_YET} | (NOT_EFFECTIVE_YET - _COMMON_NAMES)
    return Loaded(HubConfig(**fields), sorted(without_effect & environment.keys()))


def _find(setting: Setting, flags: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Where a setting was found, and its text; an empty value counts as none."""
    if setting.name in flags:
        return FLAGS[setting.name], flags[setting.name]
    for name in (f"{PREFIX}{setting.name}", setting.name):
        if environment.get(name):
            return name, environment[name]
        file_name = environment.get(f"{name}_FILE") if setting.is_secret else None
        if file_name:
            return f"{name}_FILE", _read_secret_file(f"{name}_FILE", Path(file_name))
    return None


def _read_secret_file(source: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES)
        return content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{source} names a file that cannot be read: {error}") from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {setting.name for setting in SETTINGS} | NOT_EFFECTIVE_YET
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.is_secret}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            raise InvalidSetting(f"{name} is not a setting of the hub; see `beszel-hub serve --help`")
