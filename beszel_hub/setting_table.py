"""Every setting of the hub: its name, what reads it, what it is unless it is set, and a sentence about it."""

from pathlib import Path
from typing import Final

from beszel_hub.settings import (
    Setting,
    one,
    read_ack_pause,
    read_address,
    read_authorization,
    read_backup_interval,
    read_bool,
    read_choice,
    read_clients,
    read_count,
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
    read_size,
    read_target,
    read_token,
    read_url,
)

RELEASES_URL: Final = "https://pypi.org/pypi/beszel-suite/json"

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
        "BACKUP_EVERY", one("backup_every_seconds", read_backup_interval), "",
        "How often the hub makes a backup by itself, such as `1d`; never, unless it is set.",
    ),
    Setting("BACKUP_KEEP", one("backup_keep", read_count), "7", "How many of these are kept."),
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
        "ACK_PAUSE", one("ack_pause_seconds", read_ack_pause), "0s",
        "How long the hub may gather what it tells an agent to be stored, `0s` to `10s`: less work, told later.",
    ),
    Setting("LOG_LEVEL", one("log_level", read_level), "info", "`debug`, `info`, `warn` or `error`."),
)  # fmt: skip

NOT_EFFECTIVE_YET: Final = frozenset({"CSP", "ENV", "OAUTH_DISABLE_POPUP"})
"""Settings of Beszel's hub that this one knows and does not act on."""

COMMON_NAMES: Final = frozenset({"CSP", "ENV"})
"""Without the prefix these can be meant for anybody."""

FLAGS: Final = {
    "DATA_DIR": "--dir", "DATABASE_URL": "--database-url", "LISTEN": "--http", "TLS_CERT": "--tls-cert",
    "TLS_KEY": "--tls-key",
}  # fmt: skip
