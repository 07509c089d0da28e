"""The hub's settings: one table, read from flags and environment, checked before anything starts.

`BESZEL_HUB_<NAME>` wins over `<NAME>`; a secret can also stand in the file that `<NAME>_FILE` names. Flags win over
both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from beszel_hub.errors import InvalidSetting, StartError
from beszel_hub.setting_table import COMMON_NAMES, FLAGS, NOT_EFFECTIVE_YET, RELEASES_URL, SETTINGS
from beszel_hub.settings import (
    PUBLIC,
    Setting,
    is_loopback,
    make_url,
    read_secret_file,
)

PREFIX: Final = "BESZEL_HUB_"


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
    ack_pause_seconds: int = 0
    backup_every_seconds: int | None = None
    """None for never."""
    backup_keep: int = 7

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
        """A file of SQLite, or the URL of a PostgreSQL database that was given or that the last server noted.

        Raise `StartError` if there is a note that cannot be read.
        """
        if self.database_url is not None:
            return self.database_url
        try:
            return self.database_note_path.read_text().strip() or self.database_path
        except (FileNotFoundError, NotADirectoryError):
            return self.database_path
        except (OSError, UnicodeDecodeError) as error:
            # To go on with the file would be to serve what was moved away from.
            raise StartError(f"{self.database_note_path}, which says where the database is, cannot be read") from error

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
    def lock_path(self) -> Path:
        """Held by the server on this data directory."""
        return self.data_dir / "serve.lock"

    @property
    def backups_path(self) -> Path:
        return self.data_dir / "backups"

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
    without_effect = {PREFIX + name for name in NOT_EFFECTIVE_YET} | (NOT_EFFECTIVE_YET - COMMON_NAMES)
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
        (
            config.backup_every_seconds is not None and config.database_url is not None,
            "BACKUP_EVERY is for a database in a file; back PostgreSQL up with pg_dump",
        ),
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
