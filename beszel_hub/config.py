"""The hub's settings: one table, read from flags and environment, checked before anything starts.

`BESZEL_HUB_<NAME>` wins over `<NAME>`; a secret can also stand in the file that `<NAME>_FILE` names. Flags win over
both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from beszel_hub.errors import InvalidSetting
from beszel_hub.settings import (
    PUBLIC,
    Setting,
    is_loopback,
    make_url,
    one,
    read_ack_pause,
    read_address,
    read_authorization,
    read_bool,
    read_choice,
    read_clients,
    read_database_url,
    read_duration,
    read_endpoints,
    read_header,
    read_heartbeat_url,
    read_hosts,
    read_interval,
    read_issuer,
    read_level,
    read_method,
    read_mfa,
    read_networks,
    read_origins,
    read_port,
    read_registries,
    read_retention,
    read_scopes,
    read_secret_file,
    read_size,
    read_target,
    read_token,
    read_url,
)

PREFIX: Final = "BESZEL_HUB_"
RELEASES_URL: Final = "https://pypi.org/pypi/beszel-suite/json"


class HubConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub was told, every value checked."""

    data_dir: Path = Path("beszel_data")
    database_url: str | None = None
    """Of PostgreSQL; with its password."""
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
    container_details: bool = True
    check_updates: bool = False
    update_url: str = RELEASES_URL
    check_image_updates: bool = False
    image_registries: tuple[str, ...] = (PUBLIC,)
    """`public`, or URLs."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """Both or none."""
    share_all_systems: bool = False
    user_email: str = ""
    user_password: str | None = None
    disable_password_auth: bool = False
    user_creation: bool = False
    login_by_email: bool = False
    mfa_otp: str = ""
    """`true` for everybody, `superusers` for administrators, empty for nobody."""
    trusted_auth_header: str = ""
    auto_login: str = ""
    """An e-mail address."""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str | None = None
    oidc_name: str = "OpenID Connect"
    oidc_scopes: tuple[str, ...] = ("openid", "email", "profile")
    oauth2_clients: tuple[tuple[str, str, str], ...] = ()
    """Name, id and secret of each."""
    oauth2_custom: tuple[str, ...] = ()
    """Three URLs and perhaps scopes."""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_username: str = ""
    smtp_password: str | None = None
    smtp_from: str = ""
    smtp_tls: str = "starttls"
    notification_networks: tuple[str, ...] = ()
    heartbeat_url: str | None = None
    heartbeat_interval_seconds: int = 60
    heartbeat_method: str = "POST"
    remote_write_url: str = ""
    remote_write_authorization: str | None = None
    influx_url: str = ""
    influx_authorization: str | None = None
    push_interval_seconds: int = 15
    ack_pause_seconds: int = 3

    @property
    def has_mail(self) -> bool:
        return bool(self.smtp_host)

    @property
    def has_oidc(self) -> bool:
        return bool(self.oidc_issuer)

    @property
    def systems_file_path(self) -> Path:
        """Systems that the operator wrote down; read at every start if it is there."""
        return self.data_dir / "config.yml"

    @property
    def rules_file_path(self) -> Path:
        """Rules of alerts that the operator wrote down; read at every start if it is there."""
        return self.data_dir / "alerts.yml"

    @property
    def database(self) -> Path | str:
        """A file of SQLite, or the URL of a PostgreSQL database that was given or that the last server noted."""
        if self.database_url is not None:
            return self.database_url
        try:
            return self.database_note_path.read_text().strip() or self.database_path
        except (OSError, UnicodeDecodeError):
            return self.database_path

    @property
    def database_path(self) -> Path:
        return self.data_dir / "data.db"

    @property
    def database_note_path(self) -> Path:
        """Where a server notes which PostgreSQL database it uses, so that commands find it by the data directory."""
        return self.data_dir / "database.url"

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
            return make_url(self.http_host, self.http_port, is_tls=self.tls_cert is not None)


SETTINGS: Final = (
    Setting("DATA_DIR", one("data_dir", Path), "beszel_data", "Where database, keys and secret are kept."),
    Setting(
        "DATABASE_URL", one("database_url", read_database_url), "",
        "A PostgreSQL database for large sites, `postgresql://user:password@host/name`, in place of a file.", True,
    ),
    Setting("LISTEN", read_address, "127.0.0.1:8090", "Address and port to serve on; port 0 takes any free one."),
    Setting("PORT", one("http_port", read_port), "8090", "The port alone; `LISTEN` and `--http` win."),
    Setting("APP_URL", one("app_url", read_url), "", "The URL people and agents reach the hub by."),
    Setting(
        "KEY", one("key_source", str), "", "An Ed25519 private key of your own: a file's name or the PEM itself.", True
    ),
    Setting(
        "TOKEN", one("token", read_token), "",
        "A permanent universal token: every new agent with it becomes a system of the first administrator.", True,
    ),
    Setting(
        "ALLOWED_HOSTS", one("allowed_hosts", read_hosts), "",
        "Further names the hub may be called by, where that is checked.",
    ),
    Setting(
        "ALLOWED_ORIGINS", one("allowed_origins", read_origins), "",
        "Web pages of these origins may use the API and the live feed.",
    ),
    Setting(
        "TRUSTED_PROXIES", one("trusted_proxies", read_networks), "",
        "Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    ),
    Setting("TRUSTED_PROXY_IPS", one("trusted_proxies", read_networks), "", "The same as `TRUSTED_PROXIES`."),
    Setting(
        "TRUSTED_AUTH_HEADER", one("trusted_auth_header", read_header), "",
        "A header in which a trusted proxy, and nobody else, names the user by e-mail address.",
    ),
    Setting(
        "AUTO_LOGIN", one("auto_login", str), "",
        "Whoever comes through a trusted proxy without a token is this user, by e-mail address; no administrator.",
    ),
    Setting(
        "CONTAINER_DETAILS", one("container_details", read_bool), "true",
        "Show logs and configuration of containers to who sees their system.",
    ),
    Setting(
        "SHARE_ALL_SYSTEMS", one("share_all_systems", read_bool), "false", "Every user is a member of every system."
    ),
    Setting("USER_EMAIL", one("user_email", str), "", "The first administrator, made while there is no user."),
    Setting("USER_PASSWORD", one("user_password", str), "", "The password of that administrator.", True),
    Setting(
        "DISABLE_PASSWORD_AUTH", one("disable_password_auth", read_bool), "false",
        "Nobody logs in with a password any more.",
    ),
    Setting(
        "LOGIN_BY_EMAIL", one("login_by_email", read_bool), "false",
        "A code sent by e-mail is enough to log in; needs `SMTP_HOST`.",
    ),
    Setting(
        "MFA_OTP", one("mfa_otp", read_mfa), "",
        "`true`: every login also needs a code sent by e-mail; `superusers`: those of administrators do.",
    ),
    Setting(
        "USER_CREATION", one("user_creation", read_bool), "false",
        "Whoever the identity provider vouches for becomes a user at the first login.",
    ),
    Setting("OIDC_ISSUER", one("oidc_issuer", read_issuer), "", "An OpenID Connect provider, by its issuer URL."),
    Setting("OIDC_CLIENT_ID", one("oidc_client_id", str), "", "What the provider calls this hub."),
    Setting("OIDC_CLIENT_SECRET", one("oidc_client_secret", str), "", "The secret it shares with this hub.", True),
    Setting("OIDC_NAME", one("oidc_name", str), "OpenID Connect", "What people read on the button."),
    Setting("OIDC_SCOPES", one("oidc_scopes", read_scopes), "openid email profile", "What the provider is asked for."),
    Setting(
        "OAUTH2_CLIENTS", one("oauth2_clients", read_clients), "",
        "Further providers, each as `name:id:secret`, what they call this hub: `github`, `google`, `discord` …", True,
    ),
    Setting(
        "OAUTH2_CUSTOM", one("oauth2_custom", read_endpoints), "",
        "Three URLs of the provider `oidc2`, for the login, the token and the profile; then scopes, if it wants some.",
    ),
    Setting("SMTP_HOST", one("smtp_host", str), "", "The mail server; without one the hub sends no mail."),
    Setting("SMTP_PORT", one("smtp_port", read_port), "587", "Its port."),
    Setting("SMTP_USERNAME", one("smtp_username", str), "", "The account there, if it wants one."),
    Setting("SMTP_PASSWORD", one("smtp_password", str), "", "The password of that account.", True),
    Setting("SMTP_FROM", one("smtp_from", str), "", "The sender of the hub's mail."),
    Setting(
        "SMTP_TLS", one("smtp_tls", read_choice("starttls", "tls", "none")), "starttls",
        "`starttls`, `tls` or `none`; certificates are always verified.",
    ),
    Setting(
        "NOTIFICATION_NETWORKS", one("notification_networks", read_networks), "",
        "Private addresses or networks that everybody's notifications may go to; those of administrators go to all.",
    ),
    Setting(
        "HEARTBEAT_URL", one("heartbeat_url", read_heartbeat_url), "",
        "Called at intervals with how the fleet is, so that somebody notices when the hub is gone.", True,
    ),
    Setting(
        "HEARTBEAT_INTERVAL", one("heartbeat_interval_seconds", read_interval), "60s",
        "Between two of these calls; a number alone is seconds.",
    ),
    Setting(
        "HEARTBEAT_METHOD", one("heartbeat_method", read_method), "POST",
        "`POST` sends JSON, `GET` and `HEAD` only call.",
    ),
    Setting("TLS_CERT", one("tls_cert", Path), "", "Serve HTTPS with this certificate: PEM, with its chain."),
    Setting("TLS_KEY", one("tls_key", Path), "", "The private key of `TLS_CERT`: PEM, nothing for others to read."),
    Setting(
        "CHECK_UPDATES", one("check_updates", read_bool), "false",
        "Tell clients of a newer version; the hub asks `UPDATE_URL` at most every six hours.",
    ),
    Setting("UPDATE_URL", one("update_url", read_url), RELEASES_URL, "Where releases are told, in the form of PyPI."),
    Setting(
        "CHECK_IMAGE_UPDATES", one("check_image_updates", read_bool), "false",
        "Ask registries every six hours whether the tags that containers run stand for newer images.",
    ),
    Setting(
        "IMAGE_REGISTRIES", one("image_registries", read_registries), "public",
        "Whom that may ask, by name or URL, servers of tokens too; `public`: any by https at a public address.",
    ),
    Setting(
        "REQUIRE_TLS", one("require_tls", read_bool), "false", "Refuse agents whose connection is not encrypted."
    ),
    Setting(
        "RAW_RETENTION", one("raw_retention_seconds", read_retention), "3d",
        "How long single samples are kept: a duration, or `forever`.",
    ),
    Setting(
        "MINUTE_RETENTION", one("minute_retention_seconds", read_retention), "90d",
        "How long history by the minute is kept.",
    ),
    Setting(
        "TEN_MINUTE_RETENTION", one("ten_minute_retention_seconds", read_retention), "730d",
        "How long history by ten minutes is kept.",
    ),
    Setting(
        "EIGHT_HOUR_RETENTION", one("eight_hour_retention_seconds", read_retention), "forever",
        "How long history by eight hours is kept.",
    ),
    Setting(
        "MAX_DATABASE_SIZE", one("max_database_bytes", read_size), "",
        "What the database may take, such as `20G`; when full, the finest history goes first, oldest first.",
    ),
    Setting(
        "REMOTE_WRITE_URL", one("remote_write_url", read_target), "",
        "Samples go to this Prometheus remote-write endpoint, too.",
    ),
    Setting(
        "REMOTE_WRITE_AUTHORIZATION", one("remote_write_authorization", read_authorization), "",
        "The `Authorization` header for it.", True,
    ),
    Setting(
        "INFLUX_URL", one("influx_url", read_target), "",
        "Samples go to this InfluxDB write endpoint, too, with its database or bucket in the query.", True,
    ),
    Setting(
        "INFLUX_AUTHORIZATION", one("influx_authorization", read_authorization), "",
        "The `Authorization` header for it.", True,
    ),
    Setting(
        "PUSH_INTERVAL", one("push_interval_seconds", read_duration), "15s",
        "How often a sample of each system goes to these two.",
    ),
    Setting(
        "ACK_PAUSE", one("ack_pause_seconds", read_ack_pause), "3s",
        "How long the hub may gather what it tells an agent to be stored, `0s` to `10s`; each time wakes the agent.",
    ),
    Setting("LOG_LEVEL", one("log_level", read_level), "info", "`debug`, `info`, `warn` or `error`."),
)  # fmt: skip

NOT_EFFECTIVE_YET: Final = frozenset({"CSP", "ENV", "OAUTH_DISABLE_POPUP"})
"""Settings of Beszel's hub that this one knows and does not act on."""

_COMMON_NAMES: Final = frozenset({"CSP", "ENV"})
"""Without the prefix these can be meant for anybody."""

FLAGS: Final = {
    "DATA_DIR": "--dir", "DATABASE_URL": "--database-url", "LISTEN": "--http", "TLS_CERT": "--tls-cert",
    "TLS_KEY": "--tls-key",
}  # fmt: skip


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
    config = HubConfig(**fields)
    _check_together(config)
    return Loaded(config, sorted(without_effect & environment.keys()))


def _check_together(config: HubConfig) -> None:
    """Refuse settings that contradict each other, or would lock everybody out."""
    by_proxy = config.trusted_auth_header or config.auto_login
    has_other_login = config.has_oidc or config.oauth2_clients or config.login_by_email or by_proxy
    complaints = (
        ((config.tls_cert is None) != (config.tls_key is None), "TLS_CERT and TLS_KEY need each other"),
        (config.has_mail and not config.smtp_from, "SMTP_HOST needs SMTP_FROM"),
        (
            config.smtp_username and config.smtp_tls == "none" and not is_loopback(config.smtp_host),
            "SMTP_TLS=none would send the password of SMTP_USERNAME in the clear",
        ),
        (config.login_by_email and not config.has_mail, "LOGIN_BY_EMAIL needs SMTP_HOST"),
        (config.mfa_otp and not config.has_mail, "MFA_OTP needs SMTP_HOST"),
        (config.has_oidc != bool(config.oidc_client_id), "OIDC_ISSUER and OIDC_CLIENT_ID need each other"),
        (config.trusted_auth_header and not config.trusted_proxies, "TRUSTED_AUTH_HEADER needs TRUSTED_PROXIES"),
        (
            config.auto_login and not config.trusted_proxies,
            "AUTO_LOGIN needs TRUSTED_PROXIES, or everybody who reaches the hub would be that user",
        ),
        (config.auto_login and config.trusted_auth_header, "AUTO_LOGIN and TRUSTED_AUTH_HEADER exclude each other"),
        (bool(config.user_email) != bool(config.user_password), "USER_EMAIL and USER_PASSWORD need each other"),
        (config.disable_password_auth and not has_other_login, "DISABLE_PASSWORD_AUTH leaves no way to log in"),
    )
    for is_wrong, complaint in complaints:
        if is_wrong:
            raise InvalidSetting(complaint)


def _find(setting: Setting, flags: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Where a setting was found, and its text; an empty value counts as none."""
    if setting.name in flags:
        return FLAGS[setting.name], flags[setting.name]
    for name in (f"{PREFIX}{setting.name}", setting.name):
        if environment.get(name):
            return name, environment[name]
        file_name = environment.get(f"{name}_FILE") if setting.is_secret else None
        if file_name:
            return f"{name}_FILE", read_secret_file(f"{name}_FILE", Path(file_name))
    return None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {setting.name for setting in SETTINGS} | NOT_EFFECTIVE_YET
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.is_secret}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            raise InvalidSetting(f"{name} is not a setting of the hub; see `beszel-hub serve --help`")
