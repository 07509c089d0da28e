"""Settings: where each may stand, which wins, and what is refused at the start."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from beszel_hub.config import HubConfig, load_config
from beszel_hub.errors import InvalidSetting, StartError
from beszel_hub.setting_table import NOT_EFFECTIVE_YET, SETTINGS
from beszel_hub.settings import make_url

PEM = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"


NOTHING: Mapping[str, str] = {}
EVERYWHERE = "0.0.0.0"  # noqa: S104  # the address under test


def load(flags: Mapping[str, str] = NOTHING, /, **environment: str) -> HubConfig:
    return load_config(flags, environment).config


def test_defaults_are_those_of_the_table() -> None:
    told = {setting.name: setting.default for setting in SETTINGS if setting.default}
    assert load(**told) == load() == HubConfig()


def test_the_prefix_wins_and_flags_win_over_both() -> None:
    assert load(DATA_DIR="a").data_dir == Path("a")
    assert load(DATA_DIR="a", BESZEL_HUB_DATA_DIR="b").data_dir == Path("b")
    assert load({"DATA_DIR": "c"}, DATA_DIR="a", BESZEL_HUB_DATA_DIR="b").data_dir == Path("c")
    assert load(BESZEL_HUB_LOG_LEVEL="", LOG_LEVEL="debug").log_level == "debug", "empty is not set"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8090", "127.0.0.1", 8090),
        ("hub.lan:0", "hub.lan", 0),
        ("[::1]:9000", "::1", 9000),
        (":9000", EVERYWHERE, 9000),
        ("9000", "127.0.0.1", 9000),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    config = load(LISTEN=text)
    assert (config.http_host, config.http_port) == (host, port)


def test_port_gives_way_to_an_address() -> None:
    assert load(PORT="9000").http_port == 9000
    assert load(PORT="9000").http_host == "127.0.0.1", "a port alone opens nothing to others"
    assert load(PORT="9000", LISTEN="127.0.0.1:9001").http_port == 9001
    assert load({"LISTEN": "127.0.0.1:9002"}, PORT="9000", LISTEN="127.0.0.1:9001").http_port == 9002


def test_a_database_is_a_file_a_url_or_what_a_server_has_noted(tmp_path: Path) -> None:
    url = "postgresql://hub:pass@db/beszel?sslmode=require"
    assert load(DATA_DIR=str(tmp_path)).database == tmp_path / "data.db"
    (tmp_path / "database.url").write_text("postgresql://hub@db/noted\n")
    assert load(DATA_DIR=str(tmp_path)).database == "postgresql://hub@db/noted"
    assert load(DATA_DIR=str(tmp_path), DATABASE_URL=url).database == url
    (tmp_path / "url").write_text(f"{url}\n")
    assert load(DATABASE_URL_FILE=str(tmp_path / "url")).database == url


@pytest.mark.parametrize("url", ["mysql://hub:s3cr3t@db/beszel", "postgresql://hub:s3cr3t@db", "s3cr3t"])
def test_a_database_url_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(InvalidSetting, match="postgresql://") as refusal:
        load(DATABASE_URL=url)
    assert "s3cr3t" not in str(refusal.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-universal-token\n")
    assert load(TOKEN_FILE=str(tmp_path / "token")).token == "a-universal-token"
    assert load(BESZEL_HUB_TOKEN_FILE=str(tmp_path / "token"), TOKEN="another-long-token").token == "a-universal-token"
    assert load(KEY=PEM).key_source == PEM
    with pytest.raises(InvalidSetting, match="TOKEN_FILE"):
        load(TOKEN_FILE=str(tmp_path / "missing"))


def test_lists_and_durations() -> None:
    config = load(
        ALLOWED_HOSTS="Hub.lan, other.lan,", ALLOWED_ORIGINS="https://Grafana.lan", TRUSTED_PROXIES="10.0.0.0/8, ::1",
        RAW_RETENTION="2w", APP_URL="https://example.net/beszel/", REQUIRE_TLS="true",
    )  # fmt: skip
    assert config.allowed_hosts == ("hub.lan", "other.lan")
    assert config.allowed_origins == ("https://grafana.lan",)
    assert config.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert config.raw_retention_seconds == 14 * 86400
    assert config.eight_hour_retention_seconds is None
    assert config.max_database_bytes is None
    assert load(RAW_RETENTION="forever", MAX_DATABASE_SIZE="20G").raw_retention_seconds is None
    assert load(MAX_DATABASE_SIZE="500mb").max_database_bytes == 500 << 20
    assert config.app_url == "https://example.net/beszel"
    assert config.require_tls


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LISTEN", "localhost"), ("LISTEN", "::1:8090"), ("LISTEN", "127.0.0.1:99999"), ("PORT", "-1"), ("PORT", "٣"),
        ("LOG_LEVEL", "loud"), ("REQUIRE_TLS", "maybe"), ("RAW_RETENTION", "0s"), ("RAW_RETENTION", "3"),
        ("RAW_RETENTION", "3 days"), ("APP_URL", "hub.lan"), ("APP_URL", "ftp://hub.lan"), ("APP_URL", "https://"),
        ("APP_URL", "https://a:b@hub.lan"), ("ALLOWED_HOSTS", "*"), ("ALLOWED_HOSTS", "https://hub.lan"),
        ("ALLOWED_ORIGINS", "*"), ("ALLOWED_ORIGINS", "https://hub.lan/path"), ("TRUSTED_PROXIES", "proxy.lan"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"), ("TOKEN", "short"), ("MAX_DATABASE_SIZE", "1M"), ("MAX_DATABASE_SIZE", "20"),
        ("MINUTE_RETENTION", "never"),
    ],
)  # fmt: skip
def test_a_malformed_value_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        load(**{name: text})
    with pytest.raises(InvalidSetting, match=f"BESZEL_HUB_{name}"):
        load(**{f"BESZEL_HUB_{name}": text})


def test_a_secret_is_never_shown() -> None:
    with pytest.raises(InvalidSetting) as refusal:
        load(TOKEN="short-secret")
    assert "short-secret" not in str(refusal.value)


def test_a_wrong_flag_is_called_by_its_name() -> None:
    with pytest.raises(InvalidSetting, match="--http"):
        load({"LISTEN": "nowhere"})


def test_an_unknown_name_is_refused_only_with_the_prefix() -> None:
    with pytest.raises(InvalidSetting, match="BESZEL_HUB_DATADIR"):
        load(BESZEL_HUB_DATADIR="x")
    assert load(DATADIR="x", KUBERNETES_PORT="tcp://10.0.0.1") == HubConfig()


def test_what_has_no_effect_yet_is_named() -> None:
    environment = {"BESZEL_HUB_CSP": "x", "OAUTH_DISABLE_POPUP": "x", "CSP": "x", "ENV": "dev"}
    assert load_config({}, environment).ignored == ["BESZEL_HUB_CSP", "OAUTH_DISABLE_POPUP"]
    assert not {setting.name for setting in SETTINGS} & NOT_EFFECTIVE_YET


def test_the_local_url(tmp_path: Path) -> None:
    config = HubConfig(data_dir=tmp_path, http_port=9000)
    assert config.local_url() == "http://127.0.0.1:9000"
    config.address_path.write_text("http://127.0.0.1:1234\n")
    assert config.local_url() == "http://127.0.0.1:1234"
    assert make_url(EVERYWHERE, 1) == "http://127.0.0.1:1"
    assert make_url("::", 1) == "http://[::1]:1"
    assert make_url("hub.lan", 1) == "http://hub.lan:1"


@pytest.mark.parametrize(
    "environment",
    [
        {"SMTP_HOST": "mail.lan"},
        {"MFA_OTP": "true"},
        {"LOGIN_BY_EMAIL": "true"},
        {"OIDC_ISSUER": "https://id.lan"},
        {"OIDC_CLIENT_ID": "hub"},
        {"TRUSTED_AUTH_HEADER": "Remote-Email"},
        {"USER_EMAIL": "a@b.example"},
        {"AUTO_LOGIN": "a@b.example"},
        {"AUTO_LOGIN": "a@b.example", "TRUSTED_PROXIES": "10.0.0.1", "TRUSTED_AUTH_HEADER": "Remote-Email"},
        {"DISABLE_PASSWORD_AUTH": "true"},
        {"SMTP_HOST": "mail.lan", "SMTP_FROM": "a@b.example", "SMTP_TLS": "none", "SMTP_USERNAME": "hub"},
    ],
)
def test_settings_that_contradict_each_other_stop_the_start(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting):
        load(**environment)


def test_settings_of_accounts() -> None:
    config = load(
        OIDC_ISSUER="https://id.lan/realms/x", OIDC_CLIENT_ID="hub", OIDC_SCOPES="openid, email", MFA_OTP="superusers",
        SMTP_HOST="mail.lan", SMTP_FROM="Hub <hub@b.example>", TRUSTED_AUTH_HEADER="Remote-Email",
        TRUSTED_PROXY_IPS="10.0.0.1", DISABLE_PASSWORD_AUTH="true", USER_EMAIL="a@b.example", USER_PASSWORD="x" * 8,
    )  # fmt: skip
    assert (config.oidc_issuer, config.oidc_scopes) == ("https://id.lan/realms/x", ("openid", "email"))
    assert (config.trusted_auth_header, config.trusted_proxies) == ("remote-email", ("10.0.0.1/32",))
    assert load(MFA_OTP="false") == HubConfig()
    clients = load(OAUTH2_CLIENTS="github:an-id:a:secret\n discord:1:2").oauth2_clients
    assert clients == (("github", "an-id", "a:secret"), ("discord", "1", "2"))
    custom = "https://a.lan/in https://a.lan/token https://a.lan/me email"
    assert load(OAUTH2_CUSTOM=custom).oauth2_custom == tuple(custom.split())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OIDC_ISSUER", "http://id.example.org"), ("OIDC_ISSUER", "id.lan"), ("OIDC_SCOPES", "email"),
        ("OAUTH2_CLIENTS", "github"), ("OAUTH2_CLIENTS", "github:a:b github:c:d"), ("OAUTH2_CLIENTS", ":a:b"),
        ("OAUTH2_CUSTOM", "https://a.lan/x https://a.lan/y"), ("OAUTH2_CUSTOM", "http://a.lan http://b.lan http://c.lan"),
        ("MFA_OTP", "maybe"), ("SMTP_TLS", "ssl"), ("TRUSTED_AUTH_HEADER", "Remote Email"), ("SMTP_PORT", "mail"),
    ],
)  # fmt: skip
def test_malformed_settings_of_accounts(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        load(**{name: text})


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("HEARTBEAT_URL", "https://hc.example.net/ping/1?x=2", "heartbeat_url", "https://hc.example.net/ping/1?x=2"),
        ("HEARTBEAT_INTERVAL", "90", "heartbeat_interval_seconds", 90),
        ("HEARTBEAT_INTERVAL", "5m", "heartbeat_interval_seconds", 300),
        ("HEARTBEAT_METHOD", "get", "heartbeat_method", "GET"),
        ("NOTIFICATION_NETWORKS", "10.0.0.0/8, 192.168.1.5", "notification_networks", ("10.0.0.0/8", "192.168.1.5/32")),
    ],
)
def test_what_the_hub_sends_by_itself(name: str, text: str, field: str, value: object) -> None:
    assert getattr(load_config({}, {name: text}).config, field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HEARTBEAT_URL", "ftp://x"), ("HEARTBEAT_URL", "x"), ("HEARTBEAT_INTERVAL", "1"),
        ("HEARTBEAT_METHOD", "PUT"), ("NOTIFICATION_NETWORKS", "lan"),
    ],
)  # fmt: skip
def test_what_the_hub_cannot_send(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        load_config({}, {name: text})


def test_a_note_of_the_database_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    """A hub that went on with the file would serve, and store in, what the data were moved away from."""
    config = HubConfig(data_dir=tmp_path)
    assert config.database == tmp_path / "data.db"
    config.database_note_path.write_bytes(b"\xff")
    with pytest.raises(StartError, match=r"database\.url"):
        _ = config.database
